//! The out-pointer of a C call that may give a list away.

use std::mem::ManuallyDrop;
use std::ptr;

use super::NvList;
use crate::sys::nvlist_t;

/// Starts as null, which is what `libzfs_core` demands. Frees what C stored, also when the call
/// failed: on error a list may or may not be there.
#[derive(Debug)]
pub(crate) struct Out(*mut nvlist_t);

impl Out {
    pub(crate) fn new() -> Self {
        Self(ptr::null_mut())
    }

    /// For one C call, which may store a list that becomes ours.
    pub(crate) fn as_mut(&mut self) -> *mut *mut nvlist_t {
        &raw mut self.0
    }

    pub(crate) fn take(self) -> Option<NvList> {
        let out = ManuallyDrop::new(self);
        // SAFETY: C gave the list away, and `out` is neither dropped nor used again.
        unsafe { NvList::from_raw(out.0) }
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        // SAFETY: null is allowed; anything else is a list that nobody took.
        unsafe { nvpair_sys::nvlist_free(self.0) };
    }
}
