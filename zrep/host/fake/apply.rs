//! Batches: what the kernel refuses, and what becomes of what it does.

use super::{World, family, missing};
use crate::after;
use crate::host::{Applied, Error, ErrorKind};
use crate::model::{Guid, Origin, State};
use crate::plan::{Action, IfHeld, Object};
use zfs_ffi::SnapshotName;

/// Whether the action is possible, given that those before it in the batch will have been done.
pub(super) fn check(world: &World, batch: &[Action], index: usize, action: &Action) -> Result<(), Error> {
    let dataset = action.object().split('@').next().unwrap_or_default();
    let found = world.datasets.get(dataset).ok_or_else(|| missing(dataset));
    match action {
        Action::Expect { property, value, .. } => expect(&found?.state, property, value.as_deref()),
        Action::ExpectNewest { snapshot, .. } => {
            let state = &found?.state;
            let newest = state.newest().map(|newest| newest.name.as_str());
            let is_newest = newest == snapshot.as_ref().map(SnapshotName::short);
            if is_newest {
                Ok(())
            } else {
                Err(Error::new(
                    ErrorKind::Unexpected,
                    format!("{}: another snapshot is the newest", state.name),
                ))
            }
        }
        Action::Snapshot(name) => {
            found?;
            let twice = batch[..index].iter().any(|before| before == action);
            let taken = world.snapshot(name).is_some() || twice;
            if taken {
                Err(Error::new(ErrorKind::Exists, format!("{name}: exists")))
            } else {
                Ok(())
            }
        }
        Action::Set {
            on: Object::Dataset(_), ..
        }
        | Action::Mount(_)
        | Action::Replay(_)
        | Action::Unmount(_) => found.map(drop),
        Action::ExpectUnmapped(name) => {
            found?;
            match world.mapped.get(name.as_str()) {
                None => Ok(()),
                Some(who) => Err(Error::new(
                    ErrorKind::Busy,
                    format!("{name}: {who} has a file of it mapped for writing"),
                )),
            }
        }
        Action::ExpectUnwritten(name) => match found?.state.written {
            0 => Ok(()),
            bytes => Err(Error::new(
                ErrorKind::Unexpected,
                format!("{name}: {bytes} bytes were written to it since its newest snapshot"),
            )),
        },
        Action::Rename { .. } | Action::Clone { .. } | Action::Promote(_) => family::check(world, batch, index, action),
        Action::Set {
            on: Object::Snapshot(name),
            ..
        } => {
            let made_here = batch[..index]
                .iter()
                .any(|before| matches!(before, Action::Snapshot(made) if made == name));
            if made_here || world.snapshot(name).is_some() {
                Ok(())
            } else {
                Err(missing(name.as_str()))
            }
        }
        Action::Destroy {
            snapshot,
            guid,
            if_held,
        } => check_destroy(world, snapshot, *guid, *if_held),
        Action::Rollback(name) => {
            let destroyed = |short: &str| {
                batch[..index]
                    .iter()
                    .any(|before| matches!(before, Action::Destroy { snapshot, .. } if snapshot.short() == short))
            };
            let newest = found?
                .state
                .snapshots
                .iter()
                .rev()
                .find(|snapshot| !destroyed(&snapshot.name));
            let is_newest = newest.is_some_and(|newest| newest.name == name.short());
            if is_newest {
                Ok(())
            } else {
                Err(Error::new(
                    ErrorKind::Exists,
                    format!("{name}: there are newer snapshots"),
                ))
            }
        }
        Action::DiscardPartial(_) | Action::DestroyUnreceived(_) => Ok(()),
    }
}

fn expect(state: &State, property: &str, value: Option<&str>) -> Result<(), Error> {
    let found = state
        .user
        .get(property)
        .filter(|setting| setting.origin == Origin::Local)
        .map(|setting| setting.value.as_str());
    if found == value {
        return Ok(());
    }
    let text = format!(
        "{}: expected {property} to be {}, found {}",
        state.name,
        value.unwrap_or("absent"),
        found.unwrap_or("none")
    );
    Err(Error::new(ErrorKind::Unexpected, text))
}

fn check_destroy(world: &World, name: &SnapshotName, guid: Guid, if_held: IfHeld) -> Result<(), Error> {
    match world.snapshot(name) {
        None => Ok(()),
        Some(found) if found.guid != guid => Err(Error::new(
            ErrorKind::Unexpected,
            format!("{name}: is another snapshot now"),
        )),
        Some(_) if if_held == IfHeld::Fail && world.held.contains(name.as_str()) => {
            Err(Error::new(ErrorKind::Busy, format!("{name}: is held")))
        }
        Some(_) => Ok(()),
    }
}

pub(super) fn carry_out(world: &mut World, action: &Action) -> Applied {
    let dataset = action.object().split('@').next().unwrap_or_default().to_owned();
    let result = match action {
        Action::Snapshot(_) => Applied::Created {
            guid: world.guid(),
            createtxg: world.txg,
        },
        Action::Destroy { snapshot, .. } if world.held.contains(snapshot.as_str()) => {
            Applied::Kept { reason: "held".into() }
        }
        Action::DestroyUnreceived(_) => {
            world
                .datasets
                .retain(|name, found| *name != dataset || !found.state.inconsistent);
            Applied::Done
        }
        Action::Expect { .. }
        | Action::ExpectNewest { .. }
        | Action::Set { .. }
        | Action::Destroy { .. }
        | Action::Rollback(_)
        | Action::DiscardPartial(_)
        | Action::Mount(_)
        | Action::Replay(_)
        | Action::ExpectUnmapped(_)
        | Action::ExpectUnwritten(_)
        | Action::Unmount(_) => Applied::Done,
        Action::Rename { .. } | Action::Clone { .. } | Action::Promote(_) => family::carry_out(world, action),
    };
    let Some(found) = world.datasets.get_mut(&dataset) else {
        return result;
    };
    after::applied(&mut found.state, action, &result, 0);
    match (action, &result) {
        (Action::Snapshot(_), Applied::Created { guid, .. }) => _ = found.data.insert(*guid, found.head.clone()),
        (Action::Destroy { .. }, Applied::Done) => found.count_written(),
        (Action::Replay(_) | Action::Mount(_), _) => found.replay(),
        (Action::DiscardPartial(_), _) => found.partial.clear(),
        (Action::Rollback(_), _) => {
            let newest = found.state.newest().map(|snapshot| snapshot.guid);
            found.log.clear();
            found.head = newest
                .and_then(|guid| found.data.get(&guid).cloned())
                .unwrap_or_default();
        }
        _ => {}
    }
    result
}
