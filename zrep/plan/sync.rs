//! One sync: a snapshot of the source, its way to the target, the marks on both sides, and what expires thereby.

use crate::model::{Guid, Kind, Partial, Snapshot, State, StreamFlags};
use crate::names::{Naming, next_number, short_name};
use crate::plan::base::{Common, require_common};
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::{Identity, require_master, require_replica};
use crate::plan::standing::require_unfenced;
use crate::plan::turn::expect;
use crate::plan::{Action, Base, BaseName, IfHeld, Object, Plan, Planned, Stage, Transfer, expire};
use crate::props::{Key, Tag, View, snapshot_by_guid};
use crate::refusal::{Refusal, Why, counted};
use zfs_ffi::SnapshotName;

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The lock on the source.
    pub locking: Locking,
    /// Seconds since 1970; becomes the `sent` mark.
    pub now: u64,
    /// Roll the target back to the common base first (`-f`).
    pub force: bool,
    /// Do nothing if nothing was written since the last sync (`-c`).
    pub changed_only: bool,
}

/// Plans a sync of `source` to `target`. Both were observed just now, or are what the last round left behind.
pub fn plan(me: &Identity, source: &State, target: &State, request: &Request) -> Planned {
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let stream = Stream::plan(me, source, target, request.force)?;
    if request.changed_only && stream.is_up_to_date(source, target) {
        return Ok(Plan::default());
    }
    let new = new_snapshot(me, source, target)?;
    let mut plan = Plan {
        before: Vec::new(),
        lasting: Vec::new(),
        stages: Vec::new(),
        notes: lock.note.into_iter().chain(stream.notes.iter().cloned()).collect(),
    };
    plan.stages.push(Stage::Apply {
        source: first_actions(me, source, lock.enter, &new)?,
        target: still_replica(me, target),
    });
    if !stream.prepare.is_empty() {
        plan.stages.push(Stage::target(stream.prepare.clone()));
    }
    let into = target
        .snapshot_name(new.short())
        .map_err(|error| bad_name(target, error))?;
    plan.stages.extend(
        stream
            .transfers(source, target, &new, into.clone())?
            .into_iter()
            .map(|transfer| Stage::Transfer(Box::new(transfer))),
    );
    plan.stages.push(Stage::Apply {
        source: [
            vec![sent(&me.tag, &new, request.now)],
            expire_source(me, source)?,
            lock.leave,
        ]
        .concat(),
        target: [
            vec![sent(&me.tag, &into, request.now)],
            expire_target(me, source, target, &stream)?,
            epoch_of_target(me, source, target),
        ]
        .concat(),
    });
    Ok(plan)
}

/// The conditions, the lock, and the snapshot. Where others' snapshots travel along, none may have come since the observation.
fn first_actions(
    me: &Identity,
    source: &State,
    enter: Vec<Action>,
    new: &SnapshotName,
) -> Result<Vec<Action>, Refusal> {
    let conditions = 1 + enter.iter().take_while(|action| action.is_condition()).count();
    let mut actions = enter;
    // N.B. the roles may have been turned since the observation, by a process that has ended since.
    actions.insert(conditions - 1, expect(me, source, Key::Master));
    if me.tag.sends_intermediates() {
        let newest = source
            .newest()
            .map(|newest| source.snapshot_name(&newest.name))
            .transpose();
        let snapshot = newest.map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
        actions.insert(
            conditions,
            Action::ExpectNewest {
                dataset: source.name.clone(),
                snapshot,
            },
        );
    }
    actions.push(Action::Snapshot(new.clone()));
    Ok(actions)
}

/// Nothing goes to a side that has become the master in the meantime, or knows of a later one.
fn still_replica(me: &Identity, target: &State) -> Vec<Action> {
    vec![expect(me, target, Key::Master), expect(me, target, Key::Epoch)]
}

/// A replica knows the epoch of its master.
fn epoch_of_target(me: &Identity, source: &State, target: &State) -> Vec<Action> {
    let (of_source, of_target) = (View::new(source, &me.tag).epoch(), View::new(target, &me.tag).epoch());
    let raise = || Action::Set {
        on: Object::Dataset(target.name.clone()),
        properties: vec![(me.tag.property(Key::Epoch), Some(of_source.to_string()))],
    };
    (of_source > of_target).then(raise).into_iter().collect()
}

fn bad_name(state: &State, error: zfs_ffi::NameError) -> Refusal {
    Refusal::target(&state.name, Why::BadSnapshotName(error))
}

/// The name of the snapshot that the sync will make.
pub fn new_snapshot(me: &Identity, source: &State, target: &State) -> Result<SnapshotName, Refusal> {
    let shorts = source
        .snapshots
        .iter()
        .chain(&target.snapshots)
        .map(|snapshot| snapshot.name.as_str());
    let short = short_name(&me.tag, next_number(&me.tag, shorts));
    source
        .snapshot_name(&short)
        .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))
}

/// The mark that a snapshot has arrived.
pub fn sent(tag: &Tag, snapshot: &SnapshotName, now: u64) -> Action {
    Action::Set {
        on: Object::Snapshot(snapshot.clone()),
        properties: vec![(tag.property(Key::Sent), Some(now.to_string()))],
    }
}

/// How the data gets to the target: what must happen there first, and from where the streams begin.
struct Stream<'a> {
    common: Common<'a>,
    resume: Option<Resume>,
    /// The source's snapshots that travel before the new one.
    before: Vec<&'a Snapshot>,
    /// What makes the target ready.
    prepare: Vec<Action>,
    /// How many of the target's snapshots `prepare` destroys.
    discards: usize,
    notes: Vec<String>,
    flags: StreamFlags,
}

/// An interrupted stream that can go on.
struct Resume {
    partial: Partial,
    short: String,
    base: Option<Base>,
}

impl<'a> Stream<'a> {
    fn plan(me: &Identity, source: &'a State, target: &'a State, force: bool) -> Result<Self, Refusal> {
        require_master(me, source)?;
        require_replica(me, source, target)?;
        require_unfenced(me, source)?;
        require_same_kind(source, target)?;
        let common = require_common(me, source, target)?;
        if !common.target_only.is_empty() && !force {
            return Err(diverged(source, target, &common));
        }
        let flags = flags(me, source, target)?;
        let mut stream = Self {
            common,
            resume: None,
            before: Vec::new(),
            prepare: Vec::new(),
            discards: 0,
            notes: Vec::new(),
            flags,
        };
        stream.plan_partial(source, target)?;
        if force {
            stream.plan_rollback(target)?;
        }
        stream.before = stream.intermediates(me, source);
        Ok(stream)
    }

    /// Goes on with an interrupted receive where its snapshot still exists, and drops it where not. What belongs to another
    /// sender is left alone.
    fn plan_partial(&mut self, source: &State, target: &State) -> Result<(), Refusal> {
        let Some(partial) = &target.partial else { return Ok(()) };
        let base = partial.from_guid.map(|guid| base_of(source, guid));
        match (snapshot_by_guid(source, partial.to_guid), &base) {
            // N.B. what a stream is written with comes from the target: it must not talk a source out of its encryption.
            (Some(_), _) if partial.point.stream.raw != self.flags.raw => {
                self.notes.push(format!(
                    "{}: dropping the interrupted receive of {}: it is not of the kind that is sent here.",
                    target.name, partial.to_name
                ));
                self.prepare.push(Action::DiscardPartial(target.name.clone()));
            }
            (Some(snapshot), None | Some(Some(_))) => {
                self.notes.push(format!(
                    "{}: going on with the interrupted receive of @{}, {} bytes of which are there.",
                    target.name, snapshot.name, partial.point.bytes
                ));
                self.resume = Some(Resume {
                    partial: partial.clone(),
                    short: snapshot.name.clone(),
                    base: base.clone().flatten(),
                });
            }
            (None, _) if !is_from(partial, source) => {
                let why = Why::ForeignPartial {
                    to_name: partial.to_name.clone(),
                    to_guid: partial.to_guid,
                };
                return Err(Refusal::target(&target.name, why));
            }
            (Some(_), Some(None)) | (None, _) => {
                self.notes.push(format!(
                    "{}: dropping the interrupted receive of {}: the source does not have it any more.",
                    target.name, partial.to_name
                ));
                self.prepare.push(Action::DiscardPartial(target.name.clone()));
            }
        }
        Ok(())
    }

    /// What `-f` does, and says that it does: destroys the target's own snapshots behind the base, and what was written since.
    fn plan_rollback(&mut self, target: &State) -> Result<(), Refusal> {
        let Common {
            target_only, on_target, ..
        } = self.common;
        if self.resume.take().is_some() {
            self.prepare.push(Action::DiscardPartial(target.name.clone()));
        }
        let base = target
            .snapshot_name(&on_target.name)
            .map_err(|error| bad_name(target, error))?;
        let names: Vec<&str> = target_only.iter().map(|snapshot| snapshot.name.as_str()).collect();
        let and_these = if names.is_empty() {
            String::new()
        } else {
            format!(" ({})", names.join(", "))
        };
        self.notes.push(format!(
            "{}: rolling back to @{}. This discards {}{and_these} and whatever was written to it since ({} bytes are known of).",
            target.name,
            on_target.name,
            counted(names.len(), "snapshot"),
            target.written
        ));
        self.discards = target_only.len();
        for snapshot in target_only {
            let name = target
                .snapshot_name(&snapshot.name)
                .map_err(|error| bad_name(target, error))?;
            self.prepare.push(Action::Destroy {
                snapshot: name,
                guid: snapshot.guid,
                if_held: IfHeld::Fail,
            });
        }
        self.prepare.push(Action::Rollback(base));
        Ok(())
    }

    /// The source's snapshots between the base and the new one that are replicated, too, oldest first.
    fn intermediates(&self, me: &Identity, source: &'a State) -> Vec<&'a Snapshot> {
        if !me.tag.sends_intermediates() {
            return Vec::new();
        }
        let resumed = self
            .resume
            .as_ref()
            .and_then(|resume| snapshot_by_guid(source, resume.partial.to_guid));
        let since = resumed.map_or(self.common.source_txg, |snapshot| snapshot.createtxg);
        source
            .snapshots
            .iter()
            .filter(|snapshot| snapshot.createtxg > since)
            .collect()
    }

    fn is_up_to_date(&self, source: &State, target: &State) -> bool {
        let is_base = source
            .newest()
            .is_some_and(|newest| newest.guid == self.common.base.guid);
        is_base && source.written == 0 && target.partial.is_none() && self.prepare.is_empty()
    }

    fn transfers(
        &self,
        source: &State,
        target: &State,
        new: &SnapshotName,
        into: SnapshotName,
    ) -> Result<Vec<Transfer>, Refusal> {
        let mut base = self.common.base.clone();
        let mut transfers = Vec::new();
        if let Some(Resume {
            partial,
            short,
            base: from,
        }) = &self.resume
        {
            let step = Step {
                short,
                guid: partial.to_guid,
                base: from.clone(),
                flags: partial.point.stream,
            };
            let transfer = step.transfer(source, target)?;
            base = Base {
                guid: partial.to_guid,
                name: BaseName::Snapshot(transfer.snapshot.clone()),
            };
            transfers.push(Transfer {
                resume: Some(partial.point),
                ..transfer
            });
        }
        for snapshot in &self.before {
            let step = Step {
                short: &snapshot.name,
                guid: snapshot.guid,
                base: Some(base),
                flags: self.flags,
            };
            let transfer = step.transfer(source, target)?;
            base = Base {
                guid: snapshot.guid,
                name: BaseName::Snapshot(transfer.snapshot.clone()),
            };
            transfers.push(transfer);
        }
        transfers.push(Transfer {
            snapshot: new.clone(),
            guid: None,
            base: Some(base),
            into,
            flags: self.flags,
            resume: None,
            creation: None,
        });
        Ok(transfers)
    }
}

/// One stream of several.
struct Step<'a> {
    short: &'a str,
    guid: Guid,
    base: Option<Base>,
    flags: StreamFlags,
}

impl Step<'_> {
    fn transfer(self, source: &State, target: &State) -> Result<Transfer, Refusal> {
        let snapshot = source
            .snapshot_name(self.short)
            .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
        let into = target
            .snapshot_name(self.short)
            .map_err(|error| bad_name(target, error))?;
        Ok(Transfer {
            snapshot,
            guid: Some(self.guid),
            base: self.base,
            into,
            flags: self.flags,
            resume: None,
            creation: None,
        })
    }
}

/// How the streams are written: what is encrypted leaves as it is, unless the administrator of the source wants it otherwise.
fn flags(me: &Identity, source: &State, target: &State) -> Result<StreamFlags, Refusal> {
    let may_be_clear = View::new(source, &me.tag).may_leave_in_the_clear();
    match (source.encrypted, target.encrypted, may_be_clear) {
        (true, true, _) => Ok(StreamFlags::raw()),
        (true, false, false) => Err(Refusal::target(
            &target.name,
            Why::InTheClear {
                source: source.name.clone(),
                property: me.tag.property(Key::Clear),
            },
        )),
        (true, false, true) | (false, true | false, _) => Ok(StreamFlags::plain()),
    }
}

fn base_of(source: &State, guid: Guid) -> Option<Base> {
    if let Some(snapshot) = snapshot_by_guid(source, guid) {
        return Some(Base {
            guid,
            name: BaseName::Snapshot(source.snapshot_name(&snapshot.name).ok()?),
        });
    }
    let bookmark = source.bookmarks.iter().find(|bookmark| bookmark.guid == guid)?;
    Some(Base {
        guid,
        name: BaseName::Bookmark(source.bookmark_name(&bookmark.name).ok()?),
    })
}

fn is_from(partial: &Partial, source: &State) -> bool {
    partial.to_name.split('@').next() == Some(source.name.as_str())
}

fn require_same_kind(source: &State, target: &State) -> Result<(), Refusal> {
    let same = matches!(
        (source.kind, target.kind),
        (Kind::Filesystem, Kind::Filesystem) | (Kind::Volume, Kind::Volume)
    );
    if same {
        Ok(())
    } else {
        Err(Refusal::target(
            &target.name,
            Why::OtherKind {
                source: source.kind,
                target: target.kind,
            },
        ))
    }
}

fn diverged(source: &State, target: &State, common: &Common<'_>) -> Refusal {
    let why = Why::Diverged {
        common: common.on_target.name.clone(),
        target_only: common
            .target_only
            .iter()
            .map(|snapshot| snapshot.name.clone())
            .collect(),
        source: source.name.clone(),
    };
    Refusal::target(&target.name, why)
}

/// With the new snapshot sent, all others are older: `savecount - 1` of them stay.
fn expire_source(me: &Identity, source: &State) -> Result<Vec<Action>, Refusal> {
    let count = expire::savecount(source, &me.tag, expire::DEFAULT_SAVECOUNT)
        .map_err(|why| Refusal::source(&source.name, why))?;
    Ok(expire::actions(
        source,
        &expire::on_target(&me.tag, &source.snapshots, None, count - 1),
    ))
}

/// The new snapshot and its companions take their places; what is left of the count goes to the older ones.
fn expire_target(me: &Identity, source: &State, target: &State, stream: &Stream<'_>) -> Result<Vec<Action>, Refusal> {
    let default = expire::savecount(source, &me.tag, expire::DEFAULT_SAVECOUNT)
        .map_err(|why| Refusal::source(&source.name, why))?;
    let count = expire::savecount(target, &me.tag, default).map_err(|why| Refusal::target(&target.name, why))?;
    let is_own = |short: &str| Naming::of(&me.tag, short).is_own();
    let resumed = stream.resume.iter().filter(|resume| is_own(&resume.short)).count();
    let arriving = 1 + resumed + stream.before.iter().filter(|snapshot| is_own(&snapshot.name)).count();
    let staying = &target.snapshots[..target.snapshots.len() - stream.discards];
    Ok(expire::actions(
        target,
        &expire::on_target(&me.tag, staying, None, count.saturating_sub(arriving)),
    ))
}

#[cfg(test)]
mod tests;
