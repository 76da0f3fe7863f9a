//! A batch as one channel program: checked as a whole, done in one transaction group.

use super::Local;
use super::error::{from_ffi, kind_of_errno};
use crate::host::{Applied, BatchError, Error, ErrorKind};
use crate::model::Guid;
use crate::plan::{Action, IfHeld};
use zfs_ffi::{Defer, NvList, NvRef, Program, Value};

/// The program. ZFS writes its text and its arguments to the pool's history each time, so it is short.
///
/// Its arguments are four arrays of one length: operation, name, key, value. The first loop looks whether everything can be done, the
/// second does it: a channel program that fails in the middle is not undone. Snapshots to destroy that somebody holds are left out where
/// the key says so. A guid is compared as text, because Lua's numbers are signed.
const TEXT: &str = "\
local a=... local o,n,k,v,s,r=a.o,a.n,a.k,a.v,{},{}
for i=1,#o do local c,d,e=o[i],n[i],0
if c=='s' then e=zfs.check.snapshot(d)
elseif c=='e' then if not zfs.exists(d) then e=ENOENT else
local x,y=zfs.get_prop(d,k[i]) if y~=d and k[i]~='prevsnap' then x='' end if (x or '')~=v[i] then return {i=i,e=0,x=x} end end
elseif c=='d' then if not zfs.exists(d) then s[i]=ENOENT
elseif tostring((zfs.get_prop(d,'guid')))~=v[i] then return {i=i,e=0,x='another snapshot'}
else local x=zfs.check.destroy(d) if x~=0 then if k[i]=='keep' then s[i]=x else e=x end end end
end
if e~=0 then return {i=i,e=e} end end
for i=1,#o do local c,d,e=o[i],n[i],0
if c=='s' then e=zfs.sync.snapshot(d) if e==0 then r[i]={g=(zfs.get_prop(d,'guid')),t=(zfs.get_prop(d,'createtxg'))} end
elseif c=='d' then if not s[i] then e=zfs.sync.destroy(d) end
elseif c=='p' then e=zfs.sync.set_prop(d,k[i],v[i])
elseif c=='i' then e=zfs.sync.inherit(d,k[i]) end
if e~=0 then return {i=i,e=e,b=true} end end
return {r=r,s=s}";

/// The usual memory is enough for so many rows.
const USUAL_ROWS: u64 = 500;

/// The hidden property that holds the name of a dataset's newest snapshot.
const PREVIOUS: &str = "prevsnap";

/// Whether a program can do the action: it knows user properties only, and does not touch mounts.
pub(super) fn can_do(action: &Action) -> bool {
    match action {
        Action::Expect { .. } | Action::ExpectNewest { .. } | Action::Snapshot(_) | Action::Destroy { .. } => true,
        // N.B. a kill in the middle of a program leaves the first part of it done. Where the role comes first, each such part is one that is
        // recognised and completed.
        Action::Set { properties, .. } => properties
            .iter()
            .enumerate()
            .all(|(index, (name, _))| name.contains(':') && (index == 0 || !name.ends_with(":master"))),
        Action::Rollback(_)
        | Action::DiscardPartial(_)
        | Action::DestroyUnreceived(_)
        | Action::Mount(_)
        | Action::Replay(_)
        | Action::ExpectUnmapped(_)
        | Action::ExpectUnwritten(_)
        | Action::Unmount(_)
        | Action::Rename { .. }
        | Action::Clone { .. }
        | Action::Promote(_) => false,
    }
}

/// The program's arguments: a row for each operation, and the action that it belongs to.
#[derive(Debug, Default)]
struct Rows {
    operation: Vec<&'static str>,
    name: Vec<String>,
    key: Vec<String>,
    value: Vec<String>,
    action: Vec<usize>,
}

impl Rows {
    fn of(batch: &[Action]) -> Self {
        let mut rows = Self::default();
        for (index, action) in batch.iter().enumerate() {
            rows.add(index, action);
        }
        rows
    }

    fn add(&mut self, index: usize, action: &Action) {
        let on = action.object();
        match action {
            Action::Expect { property, value, .. } => {
                self.push(index, "e", on, property, value.as_deref().unwrap_or_default())
            }
            Action::ExpectNewest { snapshot, .. } => {
                let newest = snapshot.as_ref().map_or("", |snapshot| snapshot.as_str());
                self.push(index, "e", on, PREVIOUS, newest);
            }
            Action::Snapshot(_) => self.push(index, "s", on, "", ""),
            Action::Destroy { guid, if_held, .. } => {
                let key = match if_held {
                    IfHeld::Keep => "keep",
                    IfHeld::Fail => "",
                };
                self.push(index, "d", on, key, &guid.0.cast_signed().to_string());
            }
            Action::Set { properties, .. } => {
                for (name, value) in properties {
                    let operation = if value.is_some() { "p" } else { "i" };
                    self.push(index, operation, on, name, value.as_deref().unwrap_or_default());
                }
            }
            Action::Rollback(_)
            | Action::DiscardPartial(_)
            | Action::DestroyUnreceived(_)
            | Action::Mount(_)
            | Action::Replay(_)
            | Action::ExpectUnmapped(_)
            | Action::ExpectUnwritten(_)
            | Action::Unmount(_)
            | Action::Rename { .. }
            | Action::Clone { .. }
            | Action::Promote(_) => {}
        }
    }

    fn push(&mut self, action: usize, operation: &'static str, name: &str, key: &str, value: &str) {
        self.operation.push(operation);
        self.name.push(name.to_owned());
        self.key.push(key.to_owned());
        self.value.push(value.to_owned());
        self.action.push(action);
    }

    /// N.B. its arguments are in its memory, too: those of a large tree need more of it.
    fn program(&self) -> Program {
        let program = Program::new(TEXT);
        let beyond = (self.operation.len() as u64).saturating_sub(USUAL_ROWS);
        let more = beyond.saturating_mul(2048).min(60 << 20);
        Program {
            memory_limit: program.memory_limit + more,
            ..program
        }
    }

    fn list(&self) -> zfs_ffi::Result<NvList> {
        let mut list = NvList::new();
        list.add("o", self.operation.as_slice())?;
        for (key, column) in [("n", &self.name), ("k", &self.key), ("v", &self.value)] {
            let texts: Vec<&str> = column.iter().map(String::as_str).collect();
            list.add(key, texts.as_slice())?;
        }
        Ok(list)
    }

    /// The action of a row, counted from 1 as Lua does.
    fn action_of(&self, row: i64) -> usize {
        let index = usize::try_from(row - 1).unwrap_or(0);
        self.action.get(index).copied().unwrap_or(0)
    }
}

impl Local {
    /// Applies the batch as one program.
    pub(super) fn apply_by_program(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        let Some(first) = batch.first() else {
            return Ok(Vec::new());
        };
        let not_begun = |error: zfs_ffi::Error| BatchError {
            index: 0,
            begun: false,
            error: of_pool(first.pool(), error),
        };
        let rows = Rows::of(batch);
        let answer = self
            .core
            .program(first.pool(), &rows.program(), &rows.list().map_err(not_begun)?)
            .map_err(not_begun)?;
        let result = answer.get("return");
        let Some(result) = result.as_ref().and_then(Value::as_list) else {
            let error = Error::new(
                ErrorKind::Other,
                format!("{}: the channel program gave no answer", first.pool()),
            );
            return Err(BatchError {
                index: 0,
                begun: true,
                error,
            });
        };
        match failure(batch, &rows, result) {
            Some(failed) => Err(failed),
            None => Ok(self.results(batch, &rows, result)),
        }
    }

    fn results(&self, batch: &[Action], rows: &Rows, answer: NvRef<'_>) -> Vec<Applied> {
        let mut applied = vec![Applied::Done; batch.len()];
        for (row, created) in pairs(answer, "r") {
            let number = |key: &str| {
                created
                    .as_list()
                    .and_then(|list| list.get(key))
                    .as_ref()
                    .and_then(Value::as_i64)
                    .unwrap_or(0)
            };
            let result = Applied::Created {
                guid: Guid(number("g").cast_unsigned()),
                createtxg: number("t").cast_unsigned(),
            };
            applied[rows.action_of(row)] = result;
        }
        for (row, errno) in pairs(answer, "s") {
            let index = rows.action_of(row);
            let errno = errno.as_i64().and_then(|errno| i32::try_from(errno).ok()).unwrap_or(0);
            applied[index] = self.kept(&batch[index], errno);
        }
        applied
    }

    /// A program cannot unmount a snapshot that somebody looks at under `.zfs/snapshot`; the ordinary call does.
    fn kept(&self, action: &Action, errno: i32) -> Applied {
        match (action, errno) {
            (_, libc::ENOENT) => Applied::Done,
            (Action::Destroy { snapshot, .. }, libc::EBUSY) => {
                match self.core.destroy_snapshots(std::slice::from_ref(snapshot), Defer::No) {
                    Ok(()) => Applied::Done,
                    Err(error) => Applied::Kept {
                        reason: error.to_string(),
                    },
                }
            }
            (action, errno) => Applied::Kept {
                reason: told(action, errno).text,
            },
        }
    }
}

/// The error of a program that did not run. It is about the pool, whatever the batch was about.
fn of_pool(pool: &str, error: zfs_ffi::Error) -> Error {
    let error = from_ffi(error);
    // N.B. a pool that goes away while the program waits for its turn is a run time error in it.
    match error {
        Error { kind, ref text, .. } if kind == ErrorKind::NotFound || text.contains("Could not open pool") => {
            Error::new(ErrorKind::NotFound, format!("pool {pool} is not imported"))
        }
        other => other,
    }
}

/// The rows of one of the answer's tables.
fn pairs<'a>(answer: NvRef<'a>, table: &str) -> Vec<(i64, Value<'a>)> {
    let Some(list) = answer.get(table).as_ref().and_then(Value::as_list) else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|(row, value)| Some((row.parse().ok()?, value)))
        .collect()
}

fn failure(batch: &[Action], rows: &Rows, answer: NvRef<'_>) -> Option<BatchError> {
    let row = answer.get("i").as_ref().and_then(Value::as_i64)?;
    let errno = answer
        .get("e")
        .as_ref()
        .and_then(Value::as_i64)
        .and_then(|errno| i32::try_from(errno).ok())
        .unwrap_or(0);
    let index = rows.action_of(row);
    let begun = answer.get("b").is_some();
    let error = match answer.get("x").as_ref().and_then(Value::as_str) {
        Some(found) => Error::new(ErrorKind::Unexpected, format!("{}: found {found:?}", batch[index])),
        None => told(&batch[index], errno),
    };
    Some(BatchError { index, begun, error })
}

/// The error of one action.
fn told(action: &Action, errno: i32) -> Error {
    match (action, errno) {
        // N.B. a snapshot with a clone "exists".
        (Action::Destroy { .. }, libc::EEXIST) => Error::new(ErrorKind::Busy, format!("{action}: it has a clone")),
        (Action::Destroy { .. }, libc::EBUSY) => {
            Error::new(ErrorKind::Busy, format!("{action}: it is held, mounted, or being sent"))
        }
        // N.B. one snapshot of a dataset in a transaction group is all that there can be. Whoever looks again sees the other one.
        (Action::Snapshot(_), libc::EAGAIN) => Error::new(
            ErrorKind::Unexpected,
            format!("{action}: somebody else made a snapshot of it at the same moment"),
        ),
        (action, errno) => Error::new(kind_of_errno(errno), format!("{action}: {}", describe(errno))),
    }
}

/// The system's words without its "(os error N)".
fn describe(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
