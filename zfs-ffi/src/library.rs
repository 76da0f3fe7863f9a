//! `libzfs`, loaded at run time.
//!
//! Its soname changes with almost every release (4, 6, 7), so a program that is linked with it dies
//! at the next upgrade of the system. Only functions are used that have the same signature in all of
//! OpenZFS 2.1 to 2.4.

use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

use crate::error::{Error, Kind, Op, Result};
use crate::os;
use crate::sys::libzfs::Libzfs;

/// The loaded library, and the name under which it was found.
pub(crate) struct Library {
    pub(crate) functions: Libzfs,
    pub(crate) soname: &'static str,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { functions: _, soname } = self;
        f.debug_struct("Library")
            .field("soname", soname)
            .finish_non_exhaustive()
    }
}

static LOADED: OnceLock<Library> = OnceLock::new();

/// The library, if some [`Handle`](crate::Handle) has loaded it.
pub(crate) fn loaded() -> Option<&'static Library> {
    LOADED.get()
}

/// The library, loaded on the first call. It stays for the life of the process: C code that has
/// registered itself somewhere must not be unmapped.
pub(crate) fn load() -> Result<&'static Library> {
    if let Some(library) = LOADED.get() {
        return Ok(library);
    }
    let library = open_first(os::LIBZFS_SONAMES)?;
    Ok(LOADED.get_or_init(|| library))
}

fn open_first(sonames: &'static [&'static str]) -> Result<Library> {
    let mut why = String::from("no name to look for");
    for soname in sonames {
        // SAFETY: loading runs the library's initialisers; libzfs has none with preconditions. The
        // prototypes are those of its header and the same in all the releases named.
        match unsafe { Libzfs::new(soname) } {
            Ok(functions) => {
                require_all(&functions, soname)?;
                return Ok(Library { functions, soname });
            }
            Err(error) => why = error.to_string(),
        }
    }
    let text = format!("not found under any of {}: {why}", sonames.join(", "));
    Err(Error::new(Op::LoadLibrary, "libzfs", Kind::Unsupported, text))
}

/// Looks once whether everything is there that is called without asking, because a call to a
/// function that is not there would be a panic.
fn require_all(functions: &Libzfs, soname: &str) -> Result<()> {
    macro_rules! missing {
        ($($name:ident)*) => {
            [$((stringify!($name), functions.$name.is_err())),*]
        };
    }
    let missing = missing! {
        libzfs_init libzfs_fini libzfs_errno libzfs_error_action libzfs_error_description
        libzfs_print_on_error zfs_standard_error
        zfs_open zfs_close zfs_get_name zfs_get_type zfs_refresh_properties
        zfs_get_all_props zfs_get_user_props zfs_get_recvd_props
        zfs_name_to_prop zfs_prop_get zfs_prop_get_written_int zfs_prop_set_list zfs_prop_inherit
        zfs_iter_root zfs_iter_filesystems zfs_iter_snapshots
        zfs_mount zfs_unmount zfs_is_mounted
        zfs_send_resume_token_to_nvlist
    };
    let missing: Vec<_> = missing
        .iter()
        .filter(|(_, missing)| *missing)
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!("it lacks {}", missing.join(", "));
    Err(Error::new(Op::LoadLibrary, soname, Kind::Unsupported, text))
}

/// A copy of a text that C keeps.
///
/// # Safety
///
/// `text` is null or NUL terminated and stays unchanged during the call.
pub(crate) unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: what the caller promises.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_unsupported_and_names_what_was_tried() {
        let error = open_first(&["libzfs.so.none", "libzfs.so.nil"]).expect_err("no such file");
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.to_string().contains("libzfs.so.none, libzfs.so.nil"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn another_library_is_refused_with_what_it_lacks() {
        let error = open_first(&["libnvpair.so.3"]).expect_err("not libzfs");
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.to_string().contains("zfs_open"), "{error}");
    }

    #[test]
    fn the_installed_library_has_every_function() {
        let library = load().expect("libzfs is installed");
        assert!(library.functions.zfs_send_progress.is_ok());
        assert!(os::LIBZFS_SONAMES.contains(&library.soname));
    }
}
