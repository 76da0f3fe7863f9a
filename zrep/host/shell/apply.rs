//! A batch in one round trip: a list of steps, of which none follows one that fails.

use std::ops::Range;

use super::answer::Answer;
use super::script::{UNEXPECTED, line};
use super::session::Broken;
use super::{Shell, error};
use crate::host::{Applied, BatchError, Error, ErrorKind};
use crate::model::{Guid, Native};
use crate::plan::{Action, IfHeld};
use zfs_ffi::SnapshotName;

/// What is done by one command line: an action, or snapshots that stand next to each other, which are made atomically.
#[derive(Debug)]
struct Step {
    actions: Range<usize>,
    text: String,
}

fn steps(batch: &[Action]) -> Vec<Step> {
    let is_snapshot = |action: &Action| matches!(action, Action::Snapshot(_));
    let mut at = 0;
    let groups = batch.chunk_by(|one, next| is_snapshot(one) && is_snapshot(next));
    let step = |group: &[Action]| {
        let actions = at..at + group.len();
        at = actions.end;
        Step {
            actions,
            text: text(group),
        }
    };
    groups.map(step).collect()
}

impl Shell {
    pub(super) fn apply_batch(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        let at_first = |error| BatchError {
            index: 0,
            begun: false,
            error,
        };
        if let Some(name) = batch.iter().find_map(option_like) {
            return Err(at_first(Error::new(
                ErrorKind::Other,
                format!("{name:?}: zfs would take this property for an option"),
            )));
        }
        let steps = steps(batch);
        let texts: Vec<String> = steps.iter().map(|step| step.text.clone()).collect();
        let asked = self.ask(&texts).map_err(at_first)?;
        let (answered, broken) = match asked {
            Ok(answered) => (answered, None),
            Err(Broken { answered, why }) => (answered, Some(why)),
        };
        let mut applied = Vec::with_capacity(batch.len());
        for (step, answer) in steps.iter().zip(&answered) {
            let results = self.results(&batch[step.actions.clone()], answer);
            applied.extend(results.map_err(|error| failed(batch, step.actions.start, step.actions.start, error))?);
        }
        match (broken, steps.get(answered.len())) {
            // N.B. what was not answered may have been done.
            (Some(why), Some(step)) => Err(failed(batch, step.actions.start, step.actions.end, self.lost(&why))),
            (Some(_) | None, _) => Ok(applied),
        }
    }

    /// One result for each action of a step that was answered.
    fn results(&self, group: &[Action], answer: &Answer) -> Result<Vec<Applied>, Error> {
        let Some(first) = group.first() else {
            return Ok(Vec::new());
        };
        if answer.status == UNEXPECTED {
            return Err(unexpected(first, answer.out.trim()));
        }
        if answer.status != 0 {
            return Err(error::of_zfs(self.host.as_str(), &answer.err));
        }
        match first {
            Action::Snapshot(_) => group
                .iter()
                .map(|action| self.created(action.object(), &answer.out))
                .collect(),
            Action::Destroy { .. } | Action::Mount(_) if !answer.out.trim().is_empty() => Ok(vec![Applied::Kept {
                reason: error::one_line(&answer.out),
            }]),
            _ => Ok(vec![Applied::Done]),
        }
    }

    fn created(&self, name: &str, out: &str) -> Result<Applied, Error> {
        let rows = out
            .lines()
            .filter_map(|row| row.strip_prefix(name)?.strip_prefix('\t')?.split_once('\t'));
        let number = |wanted: &str| {
            rows.clone()
                .find(|(property, _)| *property == wanted)?
                .1
                .parse::<u64>()
                .ok()
        };
        match (number("guid"), number("createtxg")) {
            (Some(guid), Some(createtxg)) => Ok(Applied::Created {
                guid: Guid(guid),
                createtxg,
            }),
            (Some(_) | None, _) => {
                let text = format!(
                    "{name}: zfs on host {} does not tell the guid of the new snapshot",
                    self.host
                );
                Err(Error::new(ErrorKind::Other, text))
            }
        }
    }
}

/// The error at an action. What stands before `until` was done, or may have been.
fn failed(batch: &[Action], index: usize, until: usize, error: Error) -> BatchError {
    let begun = batch[..until].iter().any(|action| !action.is_condition());
    BatchError { index, begun, error }
}

fn unexpected(action: &Action, found: &str) -> Error {
    let text = match (action, found) {
        (Action::Destroy { snapshot, .. }, _) => format!("destroy {snapshot}: another snapshot has this name now"),
        (action, "") => format!("{action}: found none"),
        (action, found) => format!("{action}: found {:?}", error::one_line(found)),
    };
    Error::new(ErrorKind::Unexpected, text)
}

/// The name of a property that `zfs set` and `zfs inherit` would misunderstand. They have no `--` in all releases.
fn option_like(action: &Action) -> Option<&str> {
    match action {
        Action::Set { properties, .. } => properties
            .iter()
            .map(|(name, _)| name.as_str())
            .find(|name| name.starts_with('-')),
        Action::Expect { property, .. } => Some(property.as_str()).filter(|name| name.starts_with('-')),
        // Everything else has names of datasets and snapshots only, which cannot begin with one.
        _ => None,
    }
}

/// The command line for an action, or for a row of snapshots.
fn text(group: &[Action]) -> String {
    let Some(first) = group.first() else {
        return ":".to_owned();
    };
    let name = first.object();
    match first {
        Action::Expect { property, value, .. } => {
            let wanted = value.as_ref().map(|value| format!("local\t{value}"));
            line(["expect", name, property, wanted.as_deref().unwrap_or_default()])
        }
        Action::ExpectNewest { snapshot, .. } => {
            line(["newest", name, snapshot.as_ref().map_or("", SnapshotName::as_str)])
        }
        Action::Snapshot(_) => {
            let names = || group.iter().map(Action::object);
            let make = line(["zfs", "snapshot"].into_iter().chain(names()));
            let get = ["zfs", "get", "-Hp", "-o", "name,property,value", "guid,createtxg"];
            format!("{make} && {}", line(get.into_iter().chain(names())))
        }
        Action::Set { properties, .. } => set(name, properties),
        Action::Destroy { guid, if_held, .. } => {
            let if_held = match if_held {
                IfHeld::Keep => "keep",
                IfHeld::Fail => "fail",
            };
            line(["destroy", name, &guid.to_string(), if_held])
        }
        Action::Rollback(_) => line(["zfs", "rollback", name]),
        Action::DiscardPartial(_) => line(["discard", name]),
        Action::DestroyUnreceived(_) => line(["unreceived", name]),
        Action::Mount(_) => line(["attach", name]),
        Action::Replay(_) => line(["replay", name]),
        // What that machine's processes do cannot be seen from here; what they have written can.
        Action::ExpectUnmapped(_) => ":".to_owned(),
        Action::ExpectUnwritten(_) => line(["unwritten", name]),
        Action::Unmount(_) => line(["detach", name]),
        Action::Rename { to, .. } => line(["zfs", "rename", "-u", name, to.as_str()]),
        Action::Clone {
            snapshot, properties, ..
        } => clone(snapshot, name, properties),
        Action::Promote(_) => line(["zfs", "promote", name]),
    }
}

fn clone(snapshot: &SnapshotName, name: &str, properties: &[(String, Native)]) -> String {
    let settings = properties.iter().flat_map(|(property, value)| {
        let value = match value {
            Native::Text(text) => text.clone(),
            Native::Number(number) => number.to_string(),
        };
        ["-o".to_owned(), format!("{property}={value}")]
    });
    let words: Vec<String> = ["zfs", "clone"]
        .map(str::to_owned)
        .into_iter()
        .chain(settings)
        .chain([snapshot.to_string(), name.to_owned()])
        .collect();
    line(words.iter().map(String::as_str))
}

/// Everything that has a value is set by one command, and so in one transaction; each inherit is one more, and comes before.
fn set(name: &str, properties: &[(String, Option<String>)]) -> String {
    let inherited = properties.iter().filter(|(_, value)| value.is_none());
    let mut commands: Vec<String> = inherited
        .map(|(property, _)| line(["zfs", "inherit", property, name]))
        .collect();
    let values: Vec<(&str, &str)> = properties
        .iter()
        .filter_map(|(property, value)| Some((property.as_str(), value.as_deref()?)))
        .collect();
    if !values.is_empty() {
        let settings: Vec<String> = values
            .iter()
            .map(|(property, value)| format!("{property}={value}"))
            .collect();
        let words = ["zfs", "set"]
            .into_iter()
            .chain(settings.iter().map(String::as_str))
            .chain([name]);
        // N.B. zfs reports "mount failed" for readonly=on while a file is open for writing, although the property is set and the kernel
        // refuses writes. So what counts is what stands there afterwards.
        let stands: Vec<String> = values
            .iter()
            .map(|(property, value)| line(["stands", name, property, value]))
            .collect();
        commands.push(format!("{{ {} || {{ {}; }}; }}", line(words), stands.join(" && ")));
    }
    if commands.is_empty() {
        ":".to_owned()
    } else {
        commands.join(" && ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Object;
    use zfs_ffi::DatasetName;

    fn fs() -> DatasetName {
        DatasetName::new("p/f s").unwrap()
    }

    fn snapshot(short: &str) -> Action {
        Action::Snapshot(fs().snapshot(short).unwrap())
    }

    fn texts(batch: &[Action]) -> Vec<String> {
        steps(batch).into_iter().map(|step| step.text).collect()
    }

    #[test]
    fn values_go_in_one_command_behind_what_is_inherited() {
        let properties = [
            ("a:x", Some("it's; `id`")),
            ("zrep:master", None),
            ("readonly", Some("on")),
        ];
        let properties = properties
            .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
            .to_vec();
        let action = Action::Set {
            on: Object::Dataset(fs()),
            properties,
        };
        let expected = r"zfs inherit zrep:master 'p/f s' && { zfs set 'a:x=it'\''s; `id`' readonly=on 'p/f s' || { stands 'p/f s' a:x 'it'\''s; `id`' && stands 'p/f s' readonly on; }; }";
        assert_eq!(texts(&[action]), [expected]);
    }

    #[test]
    fn snapshots_in_a_row_are_one_command() {
        let expect = Action::ExpectNewest {
            dataset: fs(),
            snapshot: None,
        };
        let steps = steps(&[
            expect,
            snapshot("a"),
            snapshot("b"),
            Action::Rollback(fs().snapshot("a").unwrap()),
        ]);
        assert_eq!(
            steps.iter().map(|step| step.actions.clone()).collect::<Vec<_>>(),
            [0..1, 1..3, 3..4]
        );
        assert_eq!(steps[0].text, "newest 'p/f s' ''");
        assert!(steps[1].text.starts_with("zfs snapshot 'p/f s@a' 'p/f s@b' && zfs get"));
    }

    #[test]
    fn nothing_is_destroyed_but_one_snapshot() {
        let destroy = Action::Destroy {
            snapshot: fs().snapshot("a").unwrap(),
            guid: Guid(7),
            if_held: IfHeld::Keep,
        };
        assert_eq!(texts(&[destroy]), ["destroy 'p/f s@a' 7 keep"]);
        let prelude = super::super::script::PRELUDE;
        for command in prelude
            .lines()
            .filter(|line| line.contains("zfs destroy") || line.contains("rollback"))
        {
            assert!(!command.contains(" -"), "{command}");
        }
    }
}
