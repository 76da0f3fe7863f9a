//! `libzfs`: listing and properties.

use std::cell::Cell;
use std::ffi::{CStr, CString, c_int};
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::dataset::{Dataset, collect_names};
use crate::error::{Error, Kind, Op, Result};
use crate::library::{self, Library};
use crate::name::{DatasetName, SnapshotName};
use crate::nvlist::NvList;
use crate::os;
use crate::sys::boolean_t;
use crate::sys::core as c;
use crate::sys::libzfs::{Libzfs, libzfs_handle_t};
use crate::token::ResumeToken;

/// Marks a handle that holds no error. The C library offers no way to clear the last one.
const NO_ERROR: &CStr = c"zfs-ffi: no error";

/// Access to `libzfs`.
///
/// It remembers its last error and caches what it has read, without locks: so it may move between
/// threads, but be used by one at a time. Several handles in one process are fine; make one for each
/// thread.
///
/// What is read through a [`Dataset`] is as old as the dataset was opened or last refreshed.
#[derive(Debug)]
pub struct Handle {
    raw: NonNull<libzfs_handle_t>,
    library: &'static Library,
    /// What the library says when there is no error.
    no_description: String,
    // The C object changes behind shared references.
    not_sync: PhantomData<Cell<()>>,
}

// SAFETY: the C object has no tie to the thread that made it. Everything opened from it borrows the
// `Handle`, which is not `Sync`, so that all of it is used by one thread at a time.
unsafe impl Send for Handle {}

impl Handle {
    /// Loads `libzfs`, whichever version is installed, and opens a handle.
    ///
    /// # Errors
    ///
    /// [`NoDevice`](Kind::NoDevice) if the kernel module is not loaded (it is never loaded from here) or
    /// the device may not be opened; [`Unsupported`](Kind::Unsupported) if no usable library is found.
    ///
    /// Corresponds to `libzfs_init`.
    #[doc(alias = "libzfs_init")]
    pub fn open() -> Result<Self> {
        // libzfs_init would run modprobe and wait for the device.
        os::check_device()?;
        os::check_for_libzfs()?;
        let library = library::load()?;
        // SAFETY: the call has no preconditions.
        let raw = unsafe { library.functions.libzfs_init() };
        let Some(raw) = NonNull::new(raw) else {
            let why = std::io::Error::last_os_error();
            return Err(os::no_device(os::DEVICE, &why));
        };
        // SAFETY: the handle is new. With printing on, some errors would end the process.
        unsafe {
            library
                .functions
                .libzfs_print_on_error(raw.as_ptr(), boolean_t::B_FALSE)
        };
        let mut handle = Self {
            raw,
            library,
            no_description: String::new(),
            not_sync: PhantomData,
        };
        handle.forget_error();
        (_, _, handle.no_description) = handle.error_parts();
        Ok(handle)
    }

    /// Opens a filesystem or volume and reads its properties. Waits for nothing, but may have to wait
    /// for an import or export that is under way.
    ///
    /// # Errors
    ///
    /// [`NotFound`](Kind::NotFound): there is no such filesystem or volume.
    ///
    /// Corresponds to `zfs_open`.
    #[doc(alias = "zfs_open")]
    pub fn dataset(&self, name: &DatasetName) -> Result<Dataset<'_>> {
        self.open_type(name.as_c(), c::ZFS_TYPE_FILESYSTEM | c::ZFS_TYPE_VOLUME)
    }

    /// Opens a snapshot and reads its properties.
    ///
    /// # Errors
    ///
    /// [`NotFound`](Kind::NotFound): there is no such snapshot.
    ///
    /// Corresponds to `zfs_open`.
    #[doc(alias = "zfs_open")]
    pub fn snapshot(&self, name: &SnapshotName) -> Result<Dataset<'_>> {
        self.open_type(name.as_c(), c::ZFS_TYPE_SNAPSHOT)
    }

    fn open_type(&self, name: &CStr, types: u32) -> Result<Dataset<'_>> {
        let types = types as c_int;
        self.forget_error();
        // SAFETY: the handle lives; the name is NUL terminated and copied.
        let raw = unsafe { self.functions().zfs_open(self.as_ptr(), name.as_ptr(), types) };
        match NonNull::new(raw) {
            // SAFETY: the call gave a new handle away, made from `self`.
            Some(raw) => Ok(unsafe { Dataset::from_raw(self, raw) }),
            None => Err(self.last_error(Op::Open, name.to_string_lossy())),
        }
    }

    /// The root datasets of all imported pools.
    ///
    /// Corresponds to `zfs_iter_root`.
    #[doc(alias = "zfs_iter_root")]
    pub fn roots(&self) -> Result<Vec<DatasetName>> {
        collect_names(self, "pools", |callback, data| {
            // SAFETY: the handle lives; the callback takes over each handle it is given and `data` is
            // what it expects.
            unsafe { self.functions().zfs_iter_root(self.as_ptr(), callback, data) }
        })
    }

    /// Decodes the property `receive_resume_token`. Asks no kernel.
    ///
    /// # Errors
    ///
    /// [`BadStream`](Kind::BadStream): the token is damaged, or of a newer version.
    ///
    /// Corresponds to `zfs_send_resume_token_to_nvlist`.
    #[doc(alias = "zfs_send_resume_token_to_nvlist")]
    pub fn resume_token(&self, token: &str) -> Result<ResumeToken> {
        let shown = format!("{:?}", token.chars().take(24).collect::<String>());
        let text =
            CString::new(token).map_err(|_| Error::new(Op::DecodeToken, &*shown, Kind::BadStream, "a zero byte"))?;
        self.forget_error();
        // SAFETY: the handle lives; the text is NUL terminated; the list becomes ours.
        let list = unsafe {
            self.functions()
                .zfs_send_resume_token_to_nvlist(self.as_ptr(), text.as_ptr())
        };
        // SAFETY: the call gave the list away.
        match unsafe { NvList::from_raw(list) } {
            Some(list) => ResumeToken::from_list(list.borrow()),
            None => Err(self.last_error(Op::DecodeToken, shown).or_kind(Kind::BadStream)),
        }
    }

    pub(crate) fn functions(&self) -> &'static Libzfs {
        &self.library.functions
    }

    pub(crate) fn as_ptr(&self) -> *mut libzfs_handle_t {
        self.raw.as_ptr()
    }

    /// Puts a mark where the last error is kept.
    ///
    /// Some calls fail without saying why; without the mark their failure would be explained by an
    /// older one.
    pub(crate) fn forget_error(&self) {
        // SAFETY: the handle lives and does not print; the text is NUL terminated and copied.
        unsafe { self.functions().zfs_standard_error(self.as_ptr(), 0, NO_ERROR.as_ptr()) };
    }

    /// The error of the call that has just failed.
    pub(crate) fn last_error(&self, op: Op, subject: impl Into<String>) -> Error {
        // First of all, since any other call may change it.
        let os_error = std::io::Error::last_os_error();
        let (number, action, description) = self.error_parts();
        let kind = Kind::of_libzfs(number);
        if action.as_bytes() != NO_ERROR.to_bytes() {
            return Error::new(op, subject, kind, format!("{action}: {description}"));
        }
        // Some calls set nothing but the description, and some nothing at all.
        if description != self.no_description {
            return Error::new(op, subject, Kind::Other, description);
        }
        match os_error.raw_os_error() {
            None | Some(0) => Error::new(op, subject, Kind::Other, "libzfs gives no reason"),
            Some(errno) => Error::from_errno(op, subject, errno),
        }
    }

    fn error_parts(&self) -> (c_int, String, String) {
        let (functions, raw) = (self.functions(), self.as_ptr());
        // SAFETY: the handle lives.
        let number = unsafe { functions.libzfs_errno(raw) };
        // SAFETY: as above; the text is inside the handle.
        let action = unsafe { functions.libzfs_error_action(raw) };
        // SAFETY: as above; the text is inside the handle or static.
        let description = unsafe { functions.libzfs_error_description(raw) };
        // SAFETY: NUL terminated, and no call comes in between.
        let action = unsafe { library::text(action) };
        // SAFETY: as above.
        let description = unsafe { library::text(description) };
        (number, action, description)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: nothing made from the handle is left, since all of it borrows `self`.
        unsafe { self.functions().libzfs_fini(self.as_ptr()) };
    }
}
