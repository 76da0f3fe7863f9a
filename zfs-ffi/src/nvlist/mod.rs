//! Name-value lists, the argument and result format of every ZFS ioctl.
//!
//! [`NvList`] owns a list, [`NvRef`] borrows one, [`Value`] is what a pair holds. Building uses the
//! calls of `libnvpair` that report failures; none of its aborting `fnvlist_*` calls is used.

mod out;
mod read;
mod value;
mod write;

use std::alloc::Layout;
use std::ffi::{CString, c_char, c_int};
use std::fmt;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use crate::error::{Error, Kind, Op, Result, check};
use crate::sys::nvlist_t;

pub(crate) use self::out::Out;
pub use self::read::Iter;
pub use self::value::Value;

/// An owned list.
///
/// It can move to another thread, but it is not `Sync`: looking at the pairs moves a cursor inside the
/// C object.
pub struct NvList(NonNull<nvlist_t>);

// SAFETY: a list is plain heap memory with no tie to the thread that made it, and is reached only
// through this owner.
unsafe impl Send for NvList {}

impl NvList {
    /// An empty list in which each name occurs once; adding a name again replaces its value.
    pub fn new() -> Self {
        Self::alloc(nvpair_sys::NV_UNIQUE_NAME)
    }

    /// An empty list in which a name may occur several times.
    pub fn non_unique() -> Self {
        Self::alloc(0)
    }

    fn alloc(flags: u32) -> Self {
        let mut list = ptr::null_mut();
        // SAFETY: nvlist_alloc wants a place for a pointer and valid flags, and stores either nothing or
        // a new list that the caller owns.
        unsafe { nvpair_sys::nvlist_alloc(&raw mut list, flags, 0) };
        match NonNull::new(list) {
            Some(list) => Self(list),
            // The flags are valid, so it can only be memory.
            None => std::alloc::handle_alloc_error(Layout::new::<nvlist_t>()),
        }
    }

    /// Takes over a list that C gave away.
    ///
    /// # Safety
    ///
    /// Nobody else may free `list` or use it afterwards.
    pub(crate) unsafe fn from_raw(list: *mut nvlist_t) -> Option<Self> {
        NonNull::new(list).map(Self)
    }

    /// For C calls that read the list, or copy it, during the call.
    pub(crate) fn as_ptr(&self) -> *mut nvlist_t {
        self.0.as_ptr()
    }

    /// A borrow of the whole list.
    pub fn borrow(&self) -> NvRef<'_> {
        NvRef {
            list: self.0,
            life: PhantomData,
        }
    }

    /// The value under `name`, the first one if there are several.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.borrow().get(name)
    }

    /// All pairs in the order they were added.
    pub fn iter(&self) -> Iter<'_> {
        self.borrow().iter()
    }

    /// True if there is no pair.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The list as bytes, in the XDR encoding that every machine reads.
    ///
    /// # Errors
    ///
    /// The list holds a type that has no encoding.
    pub fn pack(&self) -> Result<Vec<u8>> {
        self.borrow().pack()
    }

    /// A list from bytes, XDR or native; the bytes say which.
    ///
    /// # Errors
    ///
    /// The bytes are no packed list.
    pub fn unpack(bytes: &[u8]) -> Result<Self> {
        let mut copy = bytes.to_vec();
        let start = copy.as_mut_ptr().cast::<c_char>();
        let mut out = Out::new();
        // SAFETY: nvlist_unpack reads at most `len` bytes from `start`, which `copy` holds; it copies
        // what it keeps and stores a new list, owned by `out`.
        let rc = unsafe { nvpair_sys::nvlist_unpack(start, copy.len() as _, out.as_mut(), 0) };
        check(Op::NvList, "unpack", rc)?;
        out.take()
            .ok_or_else(|| Error::new(Op::NvList, "unpack", Kind::Invalid, "no list"))
    }
}

impl Drop for NvList {
    fn drop(&mut self) {
        // SAFETY: nvlist_free wants a list that is not used afterwards; this is the only owner.
        unsafe { nvpair_sys::nvlist_free(self.as_ptr()) };
    }
}

impl Default for NvList {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for NvList {
    fn clone(&self) -> Self {
        self.borrow().to_owned()
    }
}

impl fmt::Debug for NvList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrow().fmt(f)
    }
}

impl PartialEq for NvList {
    fn eq(&self, other: &Self) -> bool {
        self.borrow() == other.borrow()
    }
}

impl<'a> IntoIterator for &'a NvList {
    type IntoIter = Iter<'a>;
    type Item = (&'a str, Value<'a>);

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// A borrowed list: one inside another, or one that a C handle owns.
#[derive(Clone, Copy)]
pub struct NvRef<'a> {
    list: NonNull<nvlist_t>,
    life: PhantomData<&'a NvList>,
}

impl<'a> NvRef<'a> {
    /// Borrows a list that C keeps.
    ///
    /// # Safety
    ///
    /// `list` is null or a list that is neither freed nor changed during `'a`.
    pub(crate) unsafe fn from_raw(list: *mut nvlist_t) -> Option<Self> {
        Some(Self {
            list: NonNull::new(list)?,
            life: PhantomData,
        })
    }

    pub(crate) fn as_ptr(&self) -> *mut nvlist_t {
        self.list.as_ptr()
    }

    /// All pairs in the order they were added.
    pub fn iter(&self) -> Iter<'a> {
        Iter::new(*self)
    }

    /// The value under `name`, the first one if there are several.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        let c_name = CString::new(name).ok()?;
        let mut pair = ptr::null_mut();
        // SAFETY: the list lives during `'a` and the name is NUL terminated; the call stores a pointer
        // to a pair inside the list, or leaves `pair` alone.
        let rc = unsafe { nvpair_sys::nvlist_lookup_nvpair(self.as_ptr(), c_name.as_ptr(), &raw mut pair) };
        if rc == libc::ENOTSUP {
            // A list in which names may repeat has no index.
            return self.iter().find(|(found, _)| *found == name).map(|(_, value)| value);
        }
        let pair = NonNull::new(pair).filter(|_| rc == 0)?;
        // SAFETY: the pair is inside a list that is unchanged during `'a`.
        Some(unsafe { read::value_of(pair) })
    }

    /// A copy that lives on its own.
    #[must_use]
    pub fn to_owned(&self) -> NvList {
        let mut out = Out::new();
        // SAFETY: the list lives; nvlist_dup stores a new list, owned by `out`.
        unsafe { nvpair_sys::nvlist_dup(self.as_ptr(), out.as_mut(), 0) };
        // A well-formed list can be copied unless memory is out.
        out.take()
            .unwrap_or_else(|| std::alloc::handle_alloc_error(Layout::new::<nvlist_t>()))
    }

    /// See [`NvList::pack`].
    ///
    /// # Errors
    ///
    /// The list holds a type that has no encoding.
    pub fn pack(&self) -> Result<Vec<u8>> {
        const ENCODING: c_int = nvpair_sys::NV_ENCODE_XDR;
        let mut size = 0;
        // SAFETY: the list lives; the call stores the number of bytes that packing will need.
        let rc = unsafe { nvpair_sys::nvlist_size(self.as_ptr(), &raw mut size, ENCODING) };
        check(Op::NvList, "pack", rc)?;
        let mut bytes = vec![0_u8; usize::try_from(size).unwrap_or(usize::MAX)];
        let mut start = bytes.as_mut_ptr().cast::<c_char>();
        // SAFETY: `start` is not null, so the call writes there, at most `size` bytes, which is what
        // `bytes` has room for.
        let rc = unsafe { nvpair_sys::nvlist_pack(self.as_ptr(), &raw mut start, &raw mut size, ENCODING, 0) };
        check(Op::NvList, "pack", rc)?;
        bytes.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(bytes)
    }
}

impl fmt::Debug for NvRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Equal if the same names have equal values; the order of different names does not count.
impl PartialEq for NvRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        sorted(*self) == sorted(*other)
    }
}

/// Pairs by name. The sort is stable: values under one name stay in their order.
fn sorted<'a>(list: NvRef<'a>) -> Vec<(&'a str, Value<'a>)> {
    let mut pairs: Vec<_> = list.iter().collect();
    pairs.sort_by_key(|(name, _)| *name);
    pairs
}

impl<'a> IntoIterator for NvRef<'a> {
    type IntoIter = Iter<'a>;
    type Item = (&'a str, Value<'a>);

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

#[cfg(test)]
mod tests;
