//! From C pairs to values.

use std::ffi::{CStr, c_char};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;

use nvpair_sys::data_type_t as t;
use nvpair_sys::nvpair_t;

use super::{NvRef, Value};

/// The pairs of a list. One whose name is not UTF-8 is left out; ZFS has no such names, except for the
/// tags of holds.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    list: NvRef<'a>,
    at: *mut nvpair_t,
    done: bool,
}

impl<'a> Iter<'a> {
    pub(crate) fn new(list: NvRef<'a>) -> Self {
        Self {
            list,
            at: ptr::null_mut(),
            done: false,
        }
    }

    fn next_pair(&mut self) -> Option<NonNull<nvpair_t>> {
        if self.done {
            return None;
        }
        // SAFETY: the list lives and is unchanged during `'a`; `at` is null, which asks for the first
        // pair, or a pair of this list.
        self.at = unsafe { nvpair_sys::nvlist_next_nvpair(self.list.as_ptr(), self.at) };
        self.done = self.at.is_null();
        NonNull::new(self.at)
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let pair = self.next_pair()?;
            // SAFETY: the pair is inside a list that is unchanged during `'a`.
            if let Some(name) = unsafe { name_of(pair) } {
                // SAFETY: as above.
                return Some((name, unsafe { value_of(pair) }));
            }
        }
    }
}

/// # Safety
///
/// The pair must be inside a list that is neither freed nor changed during `'a`.
unsafe fn name_of<'a>(pair: NonNull<nvpair_t>) -> Option<&'a str> {
    // SAFETY: the pair lives, as the caller promises; its name is inside it.
    let name = unsafe { nvpair_sys::nvpair_name(pair.as_ptr()) };
    // SAFETY: names are NUL terminated and live as long as the pair.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
}

/// Reads a scalar through `nvpair_value_*`.
macro_rules! scalar {
    ($pair:expr, $call:ident, $type:ty) => {{
        let mut value: $type = Default::default();
        // SAFETY: the caller of `value_of` promises that the pair lives; the call checks its type and
        // stores one value of that type.
        let rc = unsafe { nvpair_sys::$call($pair, &raw mut value) };
        (rc == 0).then_some(value)
    }};
}

/// Reads an array through `nvpair_value_*_array`, borrowed from the pair.
macro_rules! array {
    ($pair:expr, $call:ident, $type:ty) => {{
        let mut start: *mut $type = ptr::null_mut();
        let mut len = 0;
        // SAFETY: the caller of `value_of` promises that the pair lives; the call checks its type and
        // stores where the elements are, inside the pair, and how many.
        let rc = unsafe { nvpair_sys::$call($pair, &raw mut start, &raw mut len) };
        // SAFETY: there are `len` elements at `start`, in aligned memory of the pair.
        (rc == 0).then(|| unsafe { elements(start, len) })
    }};
}

/// # Safety
///
/// The pair must be inside a list that is neither freed nor changed during `'a`.
pub(super) unsafe fn value_of<'a>(pair: NonNull<nvpair_t>) -> Value<'a> {
    let p = pair.as_ptr();
    // SAFETY: the pair lives, as the caller promises.
    let kind = unsafe { nvpair_sys::nvpair_type(p) };
    let value = match kind {
        t::DATA_TYPE_BOOLEAN => Some(Value::Flag),
        t::DATA_TYPE_BOOLEAN_VALUE => scalar!(p, nvpair_value_boolean_value, u32).map(|value| Value::Bool(value != 0)),
        t::DATA_TYPE_BYTE => scalar!(p, nvpair_value_byte, u8).map(Value::Byte),
        t::DATA_TYPE_INT8 => scalar!(p, nvpair_value_int8, i8).map(Value::I8),
        t::DATA_TYPE_UINT8 => scalar!(p, nvpair_value_uint8, u8).map(Value::U8),
        t::DATA_TYPE_INT16 => scalar!(p, nvpair_value_int16, i16).map(Value::I16),
        t::DATA_TYPE_UINT16 => scalar!(p, nvpair_value_uint16, u16).map(Value::U16),
        t::DATA_TYPE_INT32 => scalar!(p, nvpair_value_int32, i32).map(Value::I32),
        t::DATA_TYPE_UINT32 => scalar!(p, nvpair_value_uint32, u32).map(Value::U32),
        t::DATA_TYPE_INT64 => scalar!(p, nvpair_value_int64, i64).map(Value::I64),
        t::DATA_TYPE_UINT64 => scalar!(p, nvpair_value_uint64, u64).map(Value::U64),
        t::DATA_TYPE_HRTIME => scalar!(p, nvpair_value_hrtime, i64).map(Value::HrTime),
        t::DATA_TYPE_DOUBLE => scalar!(p, nvpair_value_double, f64).map(Value::Double),
        t::DATA_TYPE_BYTE_ARRAY => array!(p, nvpair_value_byte_array, u8).map(Value::Bytes),
        t::DATA_TYPE_INT8_ARRAY => array!(p, nvpair_value_int8_array, i8).map(Value::I8s),
        t::DATA_TYPE_UINT8_ARRAY => array!(p, nvpair_value_uint8_array, u8).map(Value::U8s),
        t::DATA_TYPE_INT16_ARRAY => array!(p, nvpair_value_int16_array, i16).map(Value::I16s),
        t::DATA_TYPE_UINT16_ARRAY => array!(p, nvpair_value_uint16_array, u16).map(Value::U16s),
        t::DATA_TYPE_INT32_ARRAY => array!(p, nvpair_value_int32_array, i32).map(Value::I32s),
        t::DATA_TYPE_UINT32_ARRAY => array!(p, nvpair_value_uint32_array, u32).map(Value::U32s),
        t::DATA_TYPE_INT64_ARRAY => array!(p, nvpair_value_int64_array, i64).map(Value::I64s),
        t::DATA_TYPE_UINT64_ARRAY => array!(p, nvpair_value_uint64_array, u64).map(Value::U64s),
        t::DATA_TYPE_BOOLEAN_ARRAY => array!(p, nvpair_value_boolean_array, u32)
            .map(|values| Value::Bools(values.iter().map(|value| *value != 0).collect())),
        // SAFETY: the caller's promise is passed on.
        t::DATA_TYPE_STRING => unsafe { string(pair) },
        // SAFETY: as above.
        t::DATA_TYPE_STRING_ARRAY => unsafe { strings(pair) },
        // SAFETY: as above.
        t::DATA_TYPE_NVLIST => unsafe { list(pair) },
        // SAFETY: as above.
        t::DATA_TYPE_NVLIST_ARRAY => unsafe { lists(pair) },
        _ => None,
    };
    value.unwrap_or(Value::Unknown(kind))
}

/// # Safety
///
/// As for [`value_of`].
unsafe fn string<'a>(pair: NonNull<nvpair_t>) -> Option<Value<'a>> {
    let mut text: *mut c_char = ptr::null_mut();
    // SAFETY: the pair lives; the call stores where the string is, inside the pair.
    let rc = unsafe { nvpair_sys::nvpair_value_string(pair.as_ptr(), &raw mut text) };
    if rc != 0 {
        return None;
    }
    // SAFETY: the string is NUL terminated and lives as long as the pair.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_str().map_or(Value::NotUtf8(text.to_bytes()), Value::Str))
}

/// # Safety
///
/// As for [`value_of`].
unsafe fn strings<'a>(pair: NonNull<nvpair_t>) -> Option<Value<'a>> {
    let texts = array!(pair.as_ptr(), nvpair_value_string_array, *mut c_char)?;
    let texts = texts.iter().map(|text| {
        // SAFETY: each element is NUL terminated and lives as long as the pair.
        unsafe { CStr::from_ptr(*text) }.to_string_lossy()
    });
    Some(Value::Strs(texts.collect()))
}

/// # Safety
///
/// As for [`value_of`].
unsafe fn list<'a>(pair: NonNull<nvpair_t>) -> Option<Value<'a>> {
    let mut list = ptr::null_mut();
    // SAFETY: the pair lives; the call stores a pointer to the list inside the pair.
    let rc = unsafe { nvpair_sys::nvpair_value_nvlist(pair.as_ptr(), &raw mut list) };
    let list = NonNull::new(list).filter(|_| rc == 0)?;
    Some(Value::List(NvRef {
        list,
        life: PhantomData,
    }))
}

/// # Safety
///
/// As for [`value_of`].
unsafe fn lists<'a>(pair: NonNull<nvpair_t>) -> Option<Value<'a>> {
    let lists = array!(pair.as_ptr(), nvpair_value_nvlist_array, *mut nvpair_sys::nvlist_t)?;
    let lists = lists.iter().filter_map(|list| NonNull::new(*list));
    Some(Value::Lists(
        lists
            .map(|list| NvRef {
                list,
                life: PhantomData,
            })
            .collect(),
    ))
}

/// An empty array may come with a null pointer, which a slice must not have.
///
/// # Safety
///
/// Unless `len` is 0, there are `len` elements at `start` that live and stay unchanged during `'a`.
unsafe fn elements<'a, T>(start: *const T, len: u32) -> &'a [T] {
    if len == 0 || start.is_null() {
        return &[];
    }
    // SAFETY: what the caller promises.
    unsafe { slice::from_raw_parts(start, len as usize) }
}
