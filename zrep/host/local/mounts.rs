//! What has to do with mounts.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::error::from_ffi;
use crate::host::{Applied, Error, ErrorKind};
use crate::refusal::quoted;
use zfs_ffi::{Dataset, DatasetName, DatasetType, Handle, PropertyValue, Source};

/// N.B. whether it can be mounted (is its key loaded? is its mountpoint free?) must not decide who is master.
pub(super) fn mount(handle: &Handle, name: &DatasetName) -> Applied {
    let kept = |reason: String| Applied::Kept { reason };
    let mounted = handle.dataset(name).and_then(|dataset| match dataset.is_mounted() {
        None if is_for_root(&dataset)? => Ok(Some(kept("it would be mounted over the root of the system".into()))),
        None => {
            let _ = mount_what_lies_above(handle, name, &dataset);
            dataset.mount().map(|()| None)
        }
        Some(_) if is_left_readonly(&dataset)? => remounted(handle, name).map(|()| None),
        Some(_) => Ok(None),
    });
    mounted.map_or_else(|error| kept(error.to_string()), |kept| kept.unwrap_or(Applied::Done))
}

/// Mounts the datasets above in whose directories this one is mounted, as `zfs mount -a` would.
///
/// N.B. at a boot a peer may be here before `zfs mount -a`. That would mount the parent later, on top of the child (`overlay=on`): nobody
/// would find the data any more, and what is written would go into the parent.
fn mount_what_lies_above(handle: &Handle, name: &DatasetName, dataset: &Dataset<'_>) -> zfs_ffi::Result<()> {
    let Some(place) = text(dataset, "mountpoint")?.map(PathBuf::from) else {
        return Ok(());
    };
    let above: Vec<DatasetName> = std::iter::successors(name.parent(), DatasetName::parent).collect();
    for name in above.iter().rev() {
        let parent = handle.dataset(name)?;
        let directory = text(&parent, "mountpoint")?.map(PathBuf::from);
        let is_around = directory.is_some_and(|directory| directory != Path::new("/") && place.starts_with(directory));
        if is_around && parent.is_mounted().is_none() && text(&parent, "canmount")?.as_deref() == Some("on") {
            let _ = parent.mount();
        }
    }
    Ok(())
}

fn text(dataset: &Dataset<'_>, property: &str) -> zfs_ffi::Result<Option<String>> {
    Ok(dataset.property(property)?.and_then(|found| match found.value {
        PropertyValue::String(text) => Some(text),
        PropertyValue::U64(_) => None,
    }))
}

/// N.B. what has others mounted below it cannot be unmounted.
fn remounted(handle: &Handle, name: &DatasetName) -> zfs_ffi::Result<()> {
    if handle.dataset(name)?.remount().is_ok() && !is_left_readonly(&handle.dataset(name)?)? {
        return Ok(());
    }
    let dataset = handle.dataset(name)?;
    dataset.unmount(false).and_then(|()| dataset.mount())
}

/// A boot environment, in a tree that is replicated as a whole: whoever boots it mounts it.
fn is_for_root(dataset: &Dataset<'_>) -> zfs_ffi::Result<bool> {
    let found = dataset.property("mountpoint")?;
    Ok(found.is_some_and(|found| found.value == PropertyValue::String("/".into())))
}

/// N.B. a mount that was made read-only stays so when the property changes, until libzfs mounts it anew; a crash can come in between.
fn is_left_readonly(dataset: &Dataset<'_>) -> zfs_ffi::Result<bool> {
    let readonly = dataset.property("readonly")?;
    Ok(readonly.is_some_and(|found| {
        let on = match &found.value {
            PropertyValue::String(text) => text == "on",
            PropertyValue::U64(number) => *number == 1,
        };
        found.source == Source::Temporary && on
    }))
}

/// Mounts the filesystem where nobody looks, and unmounts it again. N.B. a mount applies the intent log although it is read-only.
pub(super) fn replay(handle: &Handle, name: &DatasetName) -> Result<Applied, Error> {
    let dataset = handle.dataset(name).map_err(from_ffi)?;
    if dataset.kind() != DatasetType::Filesystem || dataset.is_mounted().is_some() {
        return Ok(Applied::Kept {
            reason: "it has no intent log that waits for a mount".into(),
        });
    }
    let place = PrivateDirectory::new(name)?;
    let mounted = dataset
        .mount_readonly_at(&place.0)
        .map_err(|error| not_replayed(name, from_ffi(error)));
    mounted.and_then(|()| dataset.unmount_from(&place.0).map_err(from_ffi))?;
    Ok(Applied::Done)
}

fn not_replayed(name: &DatasetName, error: Error) -> Error {
    let pasted = quoted(name.as_str());
    error.with_hint(format!("after a crash, what programs had flushed may stand in its intent log alone, until it is mounted once: `zfs load-key {pasted}` if its key is not loaded, then `zfs mount {pasted}`, as root, and the same command again"))
}

/// An empty directory that only this user may enter.
struct PrivateDirectory(PathBuf);

impl PrivateDirectory {
    fn new(name: &DatasetName) -> Result<Self, Error> {
        let mut number = 0;
        loop {
            let path = std::env::temp_dir().join(format!("zrep-mount-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
                Err(error) => {
                    let text = format!("{name}: a directory to mount it once, {}: {error}", path.display());
                    return Err(Error::new(ErrorKind::Other, text));
                }
            }
        }
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        // N.B. rmdir(2) takes no directory on which something is mounted.
        let _ = std::fs::remove_dir(&self.0);
    }
}

pub(super) fn unmounted(handle: &Handle, name: &DatasetName) -> Result<Applied, Error> {
    let dataset = handle.dataset(name).map_err(from_ffi)?;
    match dataset.is_mounted() {
        Some(mountpoint) => match dataset.unmount(false).map_err(from_ffi) {
            Ok(()) => Ok(Applied::Done),
            Err(error) if error.kind == ErrorKind::Busy => {
                let path = quoted(&mountpoint.to_string_lossy());
                Err(error.with_hint(format!("end what uses it: `fuser -vm {path}` shows the processes")))
            }
            Err(error) => Err(error),
        },
        None => Ok(Applied::Kept {
            reason: "it is not mounted".into(),
        }),
    }
}
