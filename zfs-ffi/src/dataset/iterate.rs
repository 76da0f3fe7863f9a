//! Lists of children and snapshots.

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

use super::guard::{GO_ON, Guard};
use super::{Dataset, Properties};
use crate::error::{Error, Kind, Op, Result};
use crate::handle::Handle;
use crate::name::{DatasetName, SnapshotName};
use crate::sys::boolean_t;
use crate::sys::libzfs::zfs_handle_t;

/// A snapshot as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// Its whole name.
    pub name: SnapshotName,
    /// The same on every machine that has this snapshot.
    pub guid: u64,
    /// When it was made, in the pool's own count. Orders snapshots.
    pub createtxg: u64,
    /// When it was made, in seconds since 1970, on the machine that made it first.
    pub creation: u64,
    /// User properties, those inherited from the dataset included.
    pub user: Properties,
}

impl Dataset<'_> {
    /// The filesystems and volumes directly below.
    ///
    /// Corresponds to `zfs_iter_filesystems`.
    #[doc(alias = "zfs_iter_filesystems")]
    pub fn children(&self) -> Result<Vec<DatasetName>> {
        collect_names(self.handle, self.name(), |callback, data| {
            // SAFETY: the dataset's handle lives; the callback takes over each handle it is given and
            // `data` is what it expects.
            unsafe { self.functions().zfs_iter_filesystems(self.as_ptr(), callback, data) }
        })
    }

    /// The snapshots, oldest first.
    ///
    /// One ioctl for each. A snapshot that is made or destroyed meanwhile may be in the list or not.
    ///
    /// Corresponds to `zfs_iter_snapshots`.
    #[doc(alias = "zfs_iter_snapshots")]
    pub fn snapshots(&self) -> Result<Vec<SnapshotInfo>> {
        let full = boolean_t::B_FALSE;
        let mut snapshots = collect(self.handle, self.name(), read_snapshot, |callback, data| {
            // SAFETY: as in `children`; zeros mean no limits.
            unsafe {
                self.functions()
                    .zfs_iter_snapshots(self.as_ptr(), full, callback, data, 0, 0)
            }
        })?;
        snapshots.sort_by_key(|snapshot| snapshot.createtxg);
        Ok(snapshots)
    }
}

fn read_snapshot(snapshot: &Dataset<'_>) -> Result<SnapshotInfo> {
    let properties = snapshot.properties()?;
    let number = |name: &str| {
        let text = || format!("it has no {name}");
        properties
            .u64(name)
            .ok_or_else(|| Error::new(Op::ReadProperties, snapshot.name(), Kind::Other, text()))
    };
    Ok(SnapshotInfo {
        name: SnapshotName::new(snapshot.name())?,
        guid: number("guid")?,
        createtxg: number("createtxg")?,
        creation: number("creation")?,
        user: snapshot.user_properties()?,
    })
}

/// What C calls for each dataset, and the data that goes with it.
type Callback = Option<unsafe extern "C" fn(*mut zfs_handle_t, *mut c_void) -> c_int>;

/// The names of everything that `iterate` goes over.
pub(crate) fn collect_names(
    handle: &Handle,
    subject: &str,
    iterate: impl FnOnce(Callback, *mut c_void) -> c_int,
) -> Result<Vec<DatasetName>> {
    let read = |dataset: &Dataset<'_>| Ok(DatasetName::new(dataset.name())?);
    collect(handle, subject, read, iterate)
}

/// Reads everything that `iterate` goes over. The first failure ends it.
fn collect<T, R>(
    handle: &Handle,
    subject: &str,
    read: R,
    iterate: impl FnOnce(Callback, *mut c_void) -> c_int,
) -> Result<Vec<T>>
where
    R: FnMut(&Dataset<'_>) -> Result<T>,
{
    handle.forget_error();
    let mut visit = Visit {
        handle,
        read,
        items: Vec::new(),
        guard: Guard::default(),
    };
    let rc = iterate(Some(trampoline::<T, R>), (&raw mut visit).cast());
    let Visit { items, guard, .. } = visit;
    guard.finish()?;
    match rc {
        0 => Ok(items),
        _ => Err(handle.last_error(Op::List, subject)),
    }
}

/// What the trampoline works on.
struct Visit<'a, T, R> {
    handle: &'a Handle,
    read: R,
    items: Vec<T>,
    guard: Guard,
}

/// Gets each dataset from C and owns it: whatever happens, it is closed.
///
/// # Safety
///
/// `raw` is a handle that the callee has to close, made from the handle in the `Visit` of the same
/// types that `data` points to and that nobody else uses during the call.
unsafe extern "C" fn trampoline<T, R>(raw: *mut zfs_handle_t, data: *mut c_void) -> c_int
where
    R: FnMut(&Dataset<'_>) -> Result<T>,
{
    // SAFETY: what the caller promises.
    let visit = unsafe { &mut *data.cast::<Visit<'_, T, R>>() };
    let Visit {
        handle,
        read,
        items,
        guard,
    } = visit;
    let Some(raw) = NonNull::new(raw) else {
        return GO_ON;
    };
    guard.run(|| {
        // SAFETY: what the caller promises.
        let dataset = unsafe { Dataset::from_raw(handle, raw) };
        items.push(read(&dataset)?);
        Ok(())
    })
}
