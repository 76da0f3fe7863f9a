//! Holds: a snapshot that is held cannot be destroyed.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;

use super::{Core, flag_list, several};
use crate::error::{Op, Result, check, check_list};
use crate::name::SnapshotName;
use crate::nvlist::{NvList, Out};
use crate::os;
use crate::sys::core as c;

/// Ties holds to the life of this value, or of the process.
///
/// Holds made with it vanish when it is dropped or the process dies, or at the next import of the pool
/// if the machine dies. Dropping it waits for one transaction group if there are such holds.
#[derive(Debug)]
#[must_use = "the holds vanish when it is dropped"]
pub struct CleanupFd(OwnedFd);

impl CleanupFd {
    /// Opens a descriptor of its own on `/dev/zfs`.
    ///
    /// # Errors
    ///
    /// [`Kind::NoDevice`](crate::Kind::NoDevice) as for [`Core::open`].
    pub fn open() -> Result<Self> {
        os::check_device()?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(os::CLEANUP_FD_FLAGS)
            .open(os::DEVICE)
            .map_err(|why| os::no_device(os::DEVICE, &why))?;
        Ok(Self(file.into()))
    }
}

impl Core {
    /// Puts a hold on snapshots of one pool, each under a tag. Create-exclusive: a tag can be on a
    /// snapshot only once.
    ///
    /// With `cleanup` the holds are temporary, without it they stay until they are released.
    ///
    /// Atomic among the snapshots that exist. Waits for one transaction group.
    ///
    /// # Errors
    ///
    /// [`Exists`](crate::Kind::Exists): the tag is in use on a snapshot; then no hold is made.
    /// [`NotFound`](crate::Kind::NotFound): a snapshot is missing; then the *others are held*, see
    /// [`Error::items`](crate::Error::items) for the missing. [`TooLong`](crate::Kind::TooLong): a tag.
    ///
    /// Corresponds to `lzc_hold`.
    #[doc(alias = "lzc_hold")]
    pub fn hold(&self, holds: &[(SnapshotName, &str)], cleanup: Option<&CleanupFd>) -> Result<()> {
        if holds.is_empty() {
            return Ok(());
        }
        let mut list = NvList::non_unique();
        for (snapshot, tag) in holds {
            list.add(snapshot.as_str(), *tag)?;
        }
        let fd = cleanup.map_or(-1, |cleanup| cleanup.0.as_raw_fd());
        let mut failed = Out::new();
        // SAFETY: the library is initialised; the list is only read and lives during the call; `fd` is
        // -1 or an open descriptor of /dev/zfs; the list of failures becomes ours.
        let rc = unsafe { c::lzc_hold(list.as_ptr(), fd, failed.as_mut()) };
        check_list(Op::Hold, subject(holds), rc, failed.take().as_ref())
    }

    /// Takes holds off snapshots of one pool. A snapshot whose destruction was deferred goes with its
    /// last hold.
    ///
    /// Atomic among the holds that exist. Waits for one transaction group.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::Kind::NotFound): a snapshot or tag is missing; the others are released, see
    /// [`Error::items`](crate::Error::items) for the missing, where a tag is `dataset@snapshot#tag`.
    ///
    /// Corresponds to `lzc_release`.
    #[doc(alias = "lzc_release")]
    pub fn release(&self, holds: &[(SnapshotName, &str)]) -> Result<()> {
        if holds.is_empty() {
            return Ok(());
        }
        let list = release_list(holds)?;
        let mut failed = Out::new();
        // SAFETY: the library is initialised; the list is only read and lives during the call; the
        // list of failures becomes ours.
        let rc = unsafe { c::lzc_release(list.as_ptr(), failed.as_mut()) };
        check_list(Op::Release, subject(holds), rc, failed.take().as_ref())
    }

    /// The holds on a snapshot: tags, and when each was made in seconds since 1970. Waits for nothing.
    ///
    /// Corresponds to `lzc_get_holds`.
    #[doc(alias = "lzc_get_holds")]
    pub fn holds(&self, snapshot: &SnapshotName) -> Result<Vec<(String, u64)>> {
        let mut out = Out::new();
        // SAFETY: the library is initialised; the name is NUL terminated; the result becomes ours.
        let rc = unsafe { c::lzc_get_holds(snapshot.as_c().as_ptr(), out.as_mut()) };
        check(Op::ListHolds, snapshot, rc)?;
        let list = out.take().unwrap_or_default();
        let holds = list
            .iter()
            .filter_map(|(tag, when)| Some((tag.to_owned(), when.as_u64()?)));
        Ok(holds.collect())
    }
}

/// `{snapshot -> {tag, tag}}`
fn release_list(holds: &[(SnapshotName, &str)]) -> Result<NvList> {
    let mut tags: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (snapshot, tag) in holds {
        tags.entry(snapshot.as_str()).or_default().push(tag);
    }
    let mut list = NvList::new();
    for (snapshot, tags) in tags {
        list.add(snapshot, &flag_list(tags)?)?;
    }
    Ok(list)
}

fn subject(holds: &[(SnapshotName, &str)]) -> String {
    let names: Vec<_> = holds.iter().map(|(snapshot, _)| snapshot.as_str()).collect();
    several(&names)
}

#[cfg(test)]
mod tests {
    use super::release_list;
    use crate::name::SnapshotName;

    #[test]
    fn tags_of_one_snapshot_are_released_together() {
        let one = SnapshotName::new("tank/a b@1").expect("a valid name");
        let two = SnapshotName::new("tank/a b@2").expect("a valid name");
        let list = release_list(&[(one.clone(), "x"), (two, "x"), (one, "y")]).expect("valid tags");
        let shown = format!("{list:?}");
        assert_eq!(
            shown,
            r#"{"tank/a b@1": List({"x": Flag, "y": Flag}), "tank/a b@2": List({"x": Flag})}"#
        );
    }
}
