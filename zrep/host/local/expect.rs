//! The conditions of a batch, looked at one by one: where they stand alone, and where no program can look.

use std::path::PathBuf;

use super::Local;
use super::error::from_ffi;
use crate::host::{Applied, Error, ErrorKind};
use crate::model::{Origin, State};
use crate::os;
use crate::plan::Action;
use zfs_ffi::{DatasetName, SnapshotName};

impl Local {
    /// Whether a dataset's own properties are what the actions expect.
    ///
    /// N.B. each look at a dataset that is not mounted makes the kernel open it anew, which takes a good part of what a small sync takes.
    pub(super) fn expect_properties(&self, name: &DatasetName, group: &[Action]) -> Result<Vec<Applied>, Error> {
        let state = self.existing(name)?;
        for action in group {
            if let Action::Expect { property, value, .. } = action {
                expect_property(&state, property, value.as_deref())?;
            }
        }
        Ok(vec![Applied::Done; group.len()])
    }

    pub(super) fn expect_newest(&self, name: &DatasetName, snapshot: Option<&SnapshotName>) -> Result<(), Error> {
        let state = self.state(name)?;
        let found = state
            .as_ref()
            .and_then(|state| state.newest())
            .map(|newest| newest.name.as_str());
        if found == snapshot.map(SnapshotName::short) {
            return Ok(());
        }
        Err(unexpected(format!(
            "{name}: expected {} to be its newest snapshot, found {}",
            snapshot.map_or("none", |s| s.short()),
            found.unwrap_or("none")
        )))
    }

    /// Of one pool, as all actions of a batch are.
    pub(super) fn expect_unwritten(&self, group: &[Action]) -> Result<Vec<Applied>, Error> {
        if let Some(first) = group.first() {
            // N.B. `written` is that of the last transaction group on disk.
            self.core.wait_synced(first.pool()).map_err(from_ffi)?;
        }
        for action in group {
            if let Action::ExpectUnwritten(name) = action {
                self.is_unwritten(name)?;
            }
        }
        Ok(vec![Applied::Done; group.len()])
    }

    fn is_unwritten(&self, name: &DatasetName) -> Result<(), Error> {
        match self.existing(name)?.written {
            0 => Ok(()),
            written => Err(unexpected(format!(
                "{name}: {written} bytes were written to it since its newest snapshot"
            ))),
        }
    }

    /// N.B. a process that has a file mapped `MAP_SHARED` goes on writing to it after `readonly=on`, and its msync succeeds.
    pub(super) fn expect_unmapped(&self, group: &[Action]) -> Result<Vec<Applied>, Error> {
        let mut mounted = Vec::new();
        for action in group {
            if let Action::ExpectUnmapped(name) = action {
                let at = self.with_handle(|handle| Ok(handle.dataset(name).map_err(from_ffi)?.is_mounted()))?;
                mounted.extend(at.map(|path| (name, path)));
            }
        }
        let paths: Vec<PathBuf> = mounted.iter().map(|(_, path)| path.clone()).collect();
        let mappers = os::mappers(&paths);
        let Some(&(first, _)) = mappers.first() else {
            // Whoever had something mapped before may have left it in memory.
            paths.iter().for_each(|path| os::flush(path));
            return Ok(vec![Applied::Done; group.len()]);
        };
        let of_first = mappers.iter().filter(|(number, _)| *number == first);
        let told: Vec<&str> = of_first.map(|(_, told)| told.as_str()).collect();
        let (name, told) = (mounted[first].0, told.join(", "));
        let text = format!("{name}: {told} of it mapped for writing, which readonly does not stop");
        Err(Error::new(ErrorKind::Busy, text)
            .with_hint("stop it, or have the filesystem unmounted first with --unmount"))
    }

    fn existing(&self, name: &DatasetName) -> Result<State, Error> {
        self.state_alone(name)?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{name}: no such dataset")))
    }
}

fn expect_property(state: &State, property: &str, value: Option<&str>) -> Result<(), Error> {
    let setting = state.user.get(property);
    let local = setting.filter(|setting| setting.origin == Origin::Local);
    let found = local.map(|setting| setting.value.as_str());
    if found == value {
        return Ok(());
    }
    Err(unexpected(format!(
        "{}: expected {property} to be {}, found {}",
        state.name,
        value.unwrap_or("absent"),
        found.unwrap_or("none")
    )))
}

fn unexpected(text: String) -> Error {
    Error::new(ErrorKind::Unexpected, text)
}
