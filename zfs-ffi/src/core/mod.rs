//! `libzfs_core`: one call is one atomic ioctl.

mod bookmark;
mod dataset;
mod hold;
mod key;
mod program;
mod receive;
mod send;
mod snapshot;

use std::ffi::CString;
use std::io;
use std::ptr;
use std::sync::OnceLock;

pub use self::bookmark::Bookmark;
pub use self::dataset::DatasetKind;
pub use self::hold::CleanupFd;
pub use self::key::WrappingKey;
pub use self::program::Program;
pub use self::receive::{ReceiveOptions, Received};
pub use self::send::{ResumePoint, SendFlags, SendFrom, SendOptions};
pub use self::snapshot::Defer;

use crate::error::{Op, Result, check};
use crate::nvlist::{NvList, Value};
use crate::os;
use crate::sys::core as c;

/// Access to `libzfs_core`.
///
/// Thread-safe and as cheap as a copy: all of them share the one descriptor of `/dev/zfs` that the C
/// library keeps open for the life of the process.
///
/// Calls that change something wait until the change is on disk, which is at least one transaction
/// group; the text of each says how many. Those waits cannot be interrupted: a call into a suspended
/// pool returns when the pool is resumed, and not before.
#[derive(Clone, Debug)]
pub struct Core(());

impl Core {
    /// Opens `/dev/zfs` on the first call; later calls cost nothing.
    ///
    /// # Errors
    ///
    /// [`Kind::NoDevice`](crate::Kind::NoDevice) if the kernel module is not loaded (it is never
    /// loaded from here) or the device may not be opened. A later call tries again.
    ///
    /// Corresponds to `libzfs_core_init`.
    #[doc(alias = "libzfs_core_init")]
    pub fn open() -> Result<Self> {
        static READY: OnceLock<()> = OnceLock::new();
        if READY.get().is_none() {
            os::check_device()?;
            // SAFETY: the call has no preconditions and counts its callers under a lock. It is never
            // balanced by libzfs_core_fini, so the descriptor stays open for every `Core`.
            let rc = unsafe { c::libzfs_core_init() };
            if rc != 0 {
                return Err(os::no_device(os::DEVICE, &io::Error::from_raw_os_error(rc)));
            }
            READY.get_or_init(|| ());
        }
        Ok(Self(()))
    }

    /// True if there is such a filesystem, volume or snapshot. Not for bookmarks.
    ///
    /// Waits for nothing. A name that is no ZFS name at all does not exist. Neither does a dataset that
    /// this process may not see.
    ///
    /// Corresponds to `lzc_exists`.
    #[doc(alias = "lzc_exists")]
    pub fn exists(&self, name: impl AsRef<str>) -> bool {
        let Ok(name) = CString::new(name.as_ref()) else {
            return false;
        };
        // SAFETY: the library is initialised, as `self` shows; `name` is NUL terminated.
        let found = unsafe { c::lzc_exists(name.as_ptr()) };
        found != c::boolean_t::B_FALSE
    }

    /// Waits until everything written to the pool so far is on disk: three transaction groups.
    ///
    /// Corresponds to `lzc_sync`.
    #[doc(alias = "lzc_sync")]
    pub fn wait_synced(&self, pool: &str) -> Result<()> {
        let name = program::pool_name(Op::Sync, pool)?;
        let mut options = NvList::new();
        options.add("force", true)?;
        // SAFETY: the library is initialised; the name is NUL terminated; the options are only read;
        // the result is not filled by any release and may be null.
        let rc = unsafe { c::lzc_sync(name.as_ptr(), options.as_ptr(), ptr::null_mut()) };
        check(Op::Sync, pool, rc)
    }
}

/// `{name -> flag}` for calls on several items.
fn flag_list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Result<NvList> {
    let mut list = NvList::new();
    for name in names {
        list.add(name.as_ref(), Value::Flag)?;
    }
    Ok(list)
}

/// What an error about several items is about: `tank/a@1`, `tank/a@1 and 3 more`.
fn several<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [only] => only.as_ref().to_owned(),
        [first, rest @ ..] => format!("{} and {} more", first.as_ref(), rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::several;

    #[test]
    fn several_items_are_named_by_the_first() {
        assert_eq!(several::<&str>(&[]), "nothing");
        assert_eq!(several(&["tank/a@1"]), "tank/a@1");
        assert_eq!(several(&["tank/a@1", "tank/b@1", "tank/c@1"]), "tank/a@1 and 2 more");
    }
}
