//! Encryption keys.

use std::ffi::c_uint;
use std::fmt;
use std::ptr;

use super::Core;
use crate::error::{Op, Result, check};
use crate::name::DatasetName;
use crate::sys::{self, core as c};

/// The key that wraps a dataset's own keys: 32 bytes, as a raw or hex key has them, or as derived from
/// a passphrase.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappingKey([u8; 32]);

impl WrappingKey {
    /// Takes the bytes as they are.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappingKey(..)")
    }
}

impl Drop for WrappingKey {
    fn drop(&mut self) {
        for byte in &mut self.0 {
            // SAFETY: `byte` is a valid place for one byte. The write is volatile, so that it is not
            // left out although nobody reads it.
            unsafe { ptr::write_volatile(byte, 0) };
        }
    }
}

/// Start and length for C, which declares the bytes mutable and only reads them. Null if empty.
pub(super) fn raw(key: &[u8]) -> (*mut u8, c_uint) {
    match key {
        [] => (ptr::null_mut(), 0),
        key => (key.as_ptr().cast_mut(), key.len() as c_uint),
    }
}

impl Core {
    /// Loads the key of an encryption root. Nothing is mounted.
    ///
    /// Waits for nothing; the key stays in the kernel until it is unloaded.
    ///
    /// # Errors
    ///
    /// [`KeyUnavailable`](crate::Kind::KeyUnavailable): it is the wrong key.
    /// [`Exists`](crate::Kind::Exists): a key is loaded already.
    ///
    /// Corresponds to `lzc_load_key`.
    #[doc(alias = "lzc_load_key")]
    pub fn load_key(&self, dataset: &DatasetName, key: &WrappingKey) -> Result<()> {
        self.load(dataset, key, false)
    }

    /// Checks a key without loading it. Errors as for [`load_key`](Self::load_key).
    ///
    /// Corresponds to `lzc_load_key`.
    #[doc(alias = "lzc_load_key")]
    pub fn check_key(&self, dataset: &DatasetName, key: &WrappingKey) -> Result<()> {
        self.load(dataset, key, true)
    }

    fn load(&self, dataset: &DatasetName, key: &WrappingKey, only_check: bool) -> Result<()> {
        let (start, len) = raw(key.as_bytes());
        let only_check = sys::boolean(only_check);
        // SAFETY: the library is initialised; the name is NUL terminated; `len` bytes of the key are
        // read during the call.
        let rc = unsafe { c::lzc_load_key(dataset.as_c().as_ptr(), only_check, start, len) };
        check(Op::LoadKey, dataset, rc)
    }

    /// Forgets the key of an encryption root. Its datasets must not be mounted.
    ///
    /// # Errors
    ///
    /// [`KeyUnavailable`](crate::Kind::KeyUnavailable): no key is loaded.
    /// [`Busy`](crate::Kind::Busy): in use.
    ///
    /// Corresponds to `lzc_unload_key`.
    #[doc(alias = "lzc_unload_key")]
    pub fn unload_key(&self, dataset: &DatasetName) -> Result<()> {
        // SAFETY: the library is initialised; the name is NUL terminated.
        let rc = unsafe { c::lzc_unload_key(dataset.as_c().as_ptr()) };
        check(Op::UnloadKey, dataset, rc)
    }
}
