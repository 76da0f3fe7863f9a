//! The conditions of a batch, looked at one by one: where they stand alone, and where no program can look.

use super::Local;
use super::error::from_ffi;
use crate::host::{Error, ErrorKind};
use crate::model::{Origin, State};
use crate::os;
use crate::plan::Action;
use zfs_ffi::{DatasetName, SnapshotName};

impl Local {
    /// Whether things are as the action expects. One that changes something expects nothing.
    pub(super) fn expect(&self, action: &Action) -> Result<(), Error> {
        match action {
            Action::Expect {
                dataset,
                property,
                value,
            } => self.expect_property(dataset, property, value.as_deref()),
            Action::ExpectNewest { dataset, snapshot } => self.expect_newest(dataset, snapshot.as_ref()),
            Action::ExpectUnmapped(dataset) => self.expect_unmapped(dataset),
            Action::ExpectUnwritten(dataset) => self.expect_unwritten(dataset),
            _ => Ok(()),
        }
    }

    fn expect_property(&self, name: &DatasetName, property: &str, value: Option<&str>) -> Result<(), Error> {
        let state = self.existing(name)?;
        let local = state
            .user
            .get(property)
            .filter(|setting| setting.origin == Origin::Local);
        let found = local.map(|setting| setting.value.as_str());
        if found == value {
            return Ok(());
        }
        Err(unexpected(format!(
            "{name}: expected {property} to be {}, found {}",
            value.unwrap_or("absent"),
            found.unwrap_or("none")
        )))
    }

    fn expect_newest(&self, name: &DatasetName, snapshot: Option<&SnapshotName>) -> Result<(), Error> {
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

    fn expect_unwritten(&self, name: &DatasetName) -> Result<(), Error> {
        // N.B. `written` is that of the last transaction group on disk.
        self.core.wait_synced(name.pool()).map_err(from_ffi)?;
        match self.existing(name)?.written {
            0 => Ok(()),
            written => Err(unexpected(format!(
                "{name}: {written} bytes were written to it since its newest snapshot"
            ))),
        }
    }

    /// N.B. a process that has a file mapped `MAP_SHARED` goes on writing to it after `readonly=on`, and its msync succeeds.
    fn expect_unmapped(&self, name: &DatasetName) -> Result<(), Error> {
        let mounted = self.with_handle(|handle| {
            let dataset = handle.dataset(name).map_err(from_ffi)?;
            Ok(dataset.is_mounted())
        })?;
        let mappers = mounted.map(|path| os::mappers(&path)).unwrap_or_default();
        if mappers.is_empty() {
            return Ok(());
        }
        let text = format!(
            "{name}: {} of it mapped for writing, which readonly does not stop",
            mappers.join(", ")
        );
        Err(Error::new(ErrorKind::Busy, text)
            .with_hint("stop it, or have the filesystem unmounted first with --unmount"))
    }

    fn existing(&self, name: &DatasetName) -> Result<State, Error> {
        self.state_alone(name)?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{name}: no such dataset")))
    }
}

fn unexpected(text: String) -> Error {
    Error::new(ErrorKind::Unexpected, text)
}
