//! A batch call by call: for callers that may not run channel programs, and for what no program can do.

use super::Local;
use super::error::from_ffi;
use super::mounts;
use crate::host::{Applied, BatchError, Error, ErrorKind};
use crate::model::{Guid, Native};
use crate::plan::{Action, IfHeld, Object};
use crate::props::is_bookkeeping;
use zfs_ffi::{DatasetName, Defer, Handle, NvList, PropertyValue, SnapshotName, Source};

impl Local {
    /// Applies the batch in order. Snapshots that stand next to each other are made by one call, atomically.
    pub(super) fn apply_by_calls(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        let mut applied = Vec::with_capacity(batch.len());
        for group in batch.chunk_by(is_one_call) {
            let index = applied.len();
            let failed = |error| BatchError {
                index,
                begun: batch[..index].iter().any(changes),
                error,
            };
            applied.extend(self.apply_group(group).map_err(failed)?);
        }
        Ok(applied)
    }

    fn apply_group(&self, group: &[Action]) -> Result<Vec<Applied>, Error> {
        match group {
            [Action::Snapshot(_), ..] => self.snapshot_all(group),
            [Action::Expect { dataset, .. }, ..] => self.expect_properties(dataset, group),
            [Action::ExpectUnwritten(_), ..] => self.expect_unwritten(group),
            [Action::ExpectUnmapped(_), ..] => self.expect_unmapped(group),
            others => others.iter().map(|action| self.apply_one(action)).collect(),
        }
    }

    fn snapshot_all(&self, group: &[Action]) -> Result<Vec<Applied>, Error> {
        let names: Vec<SnapshotName> = group.iter().filter_map(Action::new_snapshot).cloned().collect();
        self.core.snapshot(&names, &[]).map_err(from_ffi)?;
        self.with_handle(|handle| names.iter().map(|name| created(handle, name)).collect())
    }

    /// N.B. libzfs is loaded and a handle made only for what needs one: for a short-lived program that is a good part of its time.
    fn apply_one(&self, action: &Action) -> Result<Applied, Error> {
        match action {
            // These come in groups.
            Action::Expect { .. } | Action::Snapshot(_) | Action::ExpectUnwritten(_) | Action::ExpectUnmapped(_) => {}
            Action::ExpectNewest { dataset, snapshot } => self.expect_newest(dataset, snapshot.as_ref())?,
            Action::Set { on, properties } => self.with_handle(|handle| set(handle, on, properties))?,
            Action::Destroy {
                snapshot,
                guid,
                if_held,
            } => return self.with_handle(|handle| self.destroy(handle, snapshot, *guid, *if_held)),
            Action::Rollback(snapshot) => self.core.rollback_to(snapshot).map_err(from_ffi)?,
            Action::DiscardPartial(dataset) => self.discard(dataset)?,
            Action::DestroyUnreceived(dataset) => self.destroy_unreceived(dataset)?,
            Action::Mount(dataset) => return self.with_handle(|handle| Ok(mounts::mount(handle, dataset))),
            Action::Replay(dataset) => return self.with_handle(|handle| mounts::replay(handle, dataset)),
            Action::Unmount(dataset) => return self.with_handle(|handle| mounts::unmounted(handle, dataset)),
            Action::Rename { from, to } => {
                // N.B. the kernel's rename leaves mounts as they are. One that is in use, or has others mounted below, stays where it is.
                let _ = self.with_handle(|handle| mounts::unmounted(handle, from));
                self.core.rename(from, to).map_err(from_ffi)?;
            }
            Action::Clone {
                snapshot,
                name,
                properties,
            } => self.with_handle(|handle| self.clone_snapshot(handle, snapshot, name, properties))?,
            Action::Promote(dataset) => self.core.promote(dataset).map_err(from_ffi)?,
        }
        Ok(Applied::Done)
    }

    /// A clone has its origin's data and none of its properties: what was set there locally is set here, too, but for what zrep keeps there.
    fn clone_snapshot(
        &self,
        handle: &Handle,
        snapshot: &SnapshotName,
        name: &DatasetName,
        properties: &[(String, Native)],
    ) -> Result<(), Error> {
        let mut list = NvList::new();
        let of_origin = handle
            .dataset(&snapshot.dataset())
            .and_then(|dataset| dataset.properties())
            .map_err(from_ffi)?;
        let own = |source: &Source| matches!(source, Source::Local | Source::Received);
        let local = of_origin.iter().filter(|(_, found)| own(&found.source));
        for (property, found) in local.filter(|(property, _)| is_cloned(property)) {
            match &found.value {
                PropertyValue::String(text) => list.add(property, text.as_str()),
                PropertyValue::U64(number) => list.add(property, *number),
            }
            .map_err(from_ffi)?;
        }
        for (property, value) in properties {
            match value {
                Native::Text(text) => list.add(property, text.as_str()),
                Native::Number(number) => list.add(property, *number),
            }
            .map_err(from_ffi)?;
        }
        self.core.clone_snapshot(snapshot, name, &list).map_err(from_ffi)
    }

    /// Destroys the snapshot if it is still the same one.
    fn destroy(&self, handle: &Handle, name: &SnapshotName, guid: Guid, if_held: IfHeld) -> Result<Applied, Error> {
        match guid_of(handle, name)? {
            None => return Ok(Applied::Done),
            Some(found) if found != guid => {
                return Err(Error::new(
                    ErrorKind::Unexpected,
                    format!("destroy {name}: another snapshot has this name now"),
                ));
            }
            Some(_) => {}
        }
        match (
            self.core.destroy_snapshots(std::slice::from_ref(name), Defer::No),
            if_held,
        ) {
            (Ok(()), _) => Ok(Applied::Done),
            (Err(error), IfHeld::Keep) => Ok(Applied::Kept {
                reason: error.to_string(),
            }),
            (Err(error), IfHeld::Fail) if error.kind() == zfs_ffi::Kind::Exists => Err(Error::new(
                ErrorKind::Busy,
                format!("destroy snapshot {name}: it has a clone"),
            )),
            (Err(error), IfHeld::Fail) => Err(from_ffi(error)),
        }
    }

    fn discard(&self, dataset: &DatasetName) -> Result<(), Error> {
        let state = self.state(dataset)?;
        match state {
            Some(state) if state.partial.is_some() && !state.inconsistent => {
                self.core.discard_partial_receive(dataset).map_err(from_ffi)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Destroys a dataset only if a first receive has left it without a single snapshot.
    fn destroy_unreceived(&self, dataset: &DatasetName) -> Result<(), Error> {
        let state = self.state(dataset)?;
        match state {
            Some(state) if state.inconsistent && state.snapshots.is_empty() => {
                self.core.destroy(dataset).map_err(from_ffi)
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Snapshots that stand next to each other are one call, and so are conditions on properties of one dataset; what was written to several is waited for once.
fn is_one_call(one: &Action, next: &Action) -> bool {
    match (one, next) {
        (Action::Snapshot(_), Action::Snapshot(_))
        | (Action::ExpectUnwritten(_), Action::ExpectUnwritten(_))
        | (Action::ExpectUnmapped(_), Action::ExpectUnmapped(_)) => true,
        (Action::Expect { dataset, .. }, Action::Expect { dataset: other, .. }) => dataset == other,
        _ => false,
    }
}

/// Whether the action leaves something behind.
fn changes(action: &Action) -> bool {
    !action.is_condition()
}

fn created(handle: &Handle, name: &SnapshotName) -> Result<Applied, Error> {
    let snapshot = handle.snapshot(name).map_err(from_ffi)?;
    let properties = snapshot.properties().map_err(from_ffi)?;
    let number = |property: &str| properties.u64(property).unwrap_or(0);
    Ok(Applied::Created {
        guid: Guid(number("guid")),
        createtxg: number("createtxg"),
    })
}

fn guid_of(handle: &Handle, name: &SnapshotName) -> Result<Option<Guid>, Error> {
    match handle.snapshot(name) {
        Ok(snapshot) => Ok(snapshot.properties().map_err(from_ffi)?.u64("guid").map(Guid)),
        Err(error) if error.kind() == zfs_ffi::Kind::NotFound => Ok(None),
        Err(error) => Err(from_ffi(error)),
    }
}

/// Sets everything that has a value by one call, and so in one transaction; each inherit is one more.
fn set(handle: &Handle, on: &Object, properties: &[(String, Option<String>)]) -> Result<(), Error> {
    let opened = match on {
        Object::Dataset(name) => handle.dataset(name),
        Object::Snapshot(name) => handle.snapshot(name),
    };
    let mut dataset = opened.map_err(from_ffi)?;
    let values: Vec<(&str, &str)> = properties
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
        .collect();
    // The role is given up before the pair is turned: in between the dataset is a replica that still names itself, which is recognised.
    for (name, _) in properties.iter().filter(|(_, value)| value.is_none()) {
        dataset.inherit(name, false).map_err(from_ffi)?;
    }
    if !values.is_empty() {
        let result = dataset.set(&values);
        // N.B. libzfs reports "mount failed" for readonly=on while a file is open for writing, although the property is set and the kernel
        // refuses writes. So what counts is what stands there afterwards.
        if let Err(error) = result {
            dataset.refresh();
            let now = dataset.properties().map_err(from_ffi)?;
            if !values.iter().all(|(name, value)| stands(&now, name, value)) {
                return Err(from_ffi(error));
            }
        }
    }
    Ok(())
}

/// The key belongs to the origin, and a clone of an encrypted dataset has it, too; how large a volume is, its snapshot says. And space that is
/// reserved for a dataset is not there a second time: the clone of a volume would fail in a pool that is half full.
fn is_cloned(property: &str) -> bool {
    let is_shared = ["keylocation", "keyformat", "pbkdf2iters", "encryption", "volsize"].contains(&property);
    let is_reserved = ["reservation", "refreservation"].contains(&property);
    !is_shared && !is_reserved && !is_bookkeeping(property)
}

fn stands(properties: &zfs_ffi::Properties, name: &str, value: &str) -> bool {
    let Some(found) = properties.get(name).filter(|found| found.source == Source::Local) else {
        return false;
    };
    match (&found.value, value) {
        (PropertyValue::String(text), value) => text == value,
        (PropertyValue::U64(1), "on") | (PropertyValue::U64(0), "off") => true,
        (PropertyValue::U64(_), _) => false,
    }
}
