//! From values to C pairs.

use std::borrow::Cow;
use std::ffi::{CString, c_char, c_int, c_uint};

use super::{NvList, NvRef, Value};
use crate::error::{Error, Kind, Op, Result, check};

impl NvList {
    /// Adds a pair. In a list with unique names it replaces the one of that name.
    ///
    /// # Errors
    ///
    /// The name or a string has a zero byte, an array is too long, or the value is
    /// [`Value::Unknown`].
    pub fn add<'v>(&mut self, name: &str, value: impl Into<Value<'v>>) -> Result<()> {
        let rc = self.add_value(&c_string(name)?, &value.into())?;
        check(Op::NvList, format_args!("add {name:?}"), rc)
    }

    /// Adds a pair without a value.
    ///
    /// # Errors
    ///
    /// The name has a zero byte.
    pub fn add_flag(&mut self, name: &str) -> Result<()> {
        self.add(name, Value::Flag)
    }

    fn add_value(&mut self, name: &CString, value: &Value<'_>) -> Result<c_int> {
        /// The common part of all calls. Each copies the value it is given.
        macro_rules! add {
            ($call:ident $(, $arg:expr)*) => {
                // SAFETY: the list lives and is borrowed mutably; `name` is NUL terminated; pointers
                // among the arguments are valid during the call, with as many elements as is said.
                unsafe { nvpair_sys::$call(self.as_ptr(), name.as_ptr() $(, $arg)*) }
            };
        }
        /// C declares the elements mutable and only reads them.
        macro_rules! add_array {
            ($call:ident, $values:expr) => {
                add!($call, $values.as_ptr().cast_mut(), count($values.len())?)
            };
        }
        Ok(match value {
            Value::Flag => add!(nvlist_add_boolean),
            Value::Bool(value) => add!(nvlist_add_boolean_value, c_uint::from(*value)),
            Value::Byte(value) => add!(nvlist_add_byte, *value),
            Value::I8(value) => add!(nvlist_add_int8, *value),
            Value::U8(value) => add!(nvlist_add_uint8, *value),
            Value::I16(value) => add!(nvlist_add_int16, *value),
            Value::U16(value) => add!(nvlist_add_uint16, *value),
            Value::I32(value) => add!(nvlist_add_int32, *value),
            Value::U32(value) => add!(nvlist_add_uint32, *value),
            Value::I64(value) => add!(nvlist_add_int64, *value),
            Value::U64(value) => add!(nvlist_add_uint64, *value),
            Value::HrTime(value) => add!(nvlist_add_hrtime, *value),
            Value::Double(value) => add!(nvlist_add_double, *value),
            Value::Str(text) => add!(nvlist_add_string, c_string(text)?.as_ptr()),
            Value::NotUtf8(text) => add!(nvlist_add_string, c_string(*text)?.as_ptr()),
            Value::List(list) => add!(nvlist_add_nvlist, list.as_ptr()),
            Value::Bools(values) => {
                let values: Vec<c_uint> = values.iter().copied().map(c_uint::from).collect();
                add_array!(nvlist_add_boolean_array, values)
            }
            Value::Bytes(values) => add_array!(nvlist_add_byte_array, values),
            Value::I8s(values) => add_array!(nvlist_add_int8_array, values),
            Value::U8s(values) => add_array!(nvlist_add_uint8_array, values),
            Value::I16s(values) => add_array!(nvlist_add_int16_array, values),
            Value::U16s(values) => add_array!(nvlist_add_uint16_array, values),
            Value::I32s(values) => add_array!(nvlist_add_int32_array, values),
            Value::U32s(values) => add_array!(nvlist_add_uint32_array, values),
            Value::I64s(values) => add_array!(nvlist_add_int64_array, values),
            Value::U64s(values) => add_array!(nvlist_add_uint64_array, values),
            Value::Strs(texts) => {
                let texts = c_strings(texts)?;
                let starts: Vec<*mut c_char> = texts.iter().map(|text| text.as_ptr().cast_mut()).collect();
                add!(nvlist_add_string_array, starts.as_ptr(), count(starts.len())?)
            }
            Value::Lists(lists) => {
                let lists: Vec<_> = lists.iter().map(NvRef::as_ptr).collect();
                add_array!(nvlist_add_nvlist_array, lists)
            }
            Value::Unknown(kind) => {
                let text = format!("type {kind} is not known");
                return Err(Error::new(Op::NvList, "add", Kind::Invalid, text));
            }
        })
    }
}

fn c_strings(texts: &[Cow<'_, str>]) -> Result<Vec<CString>> {
    texts.iter().map(|text| c_string(text.as_bytes())).collect()
}

fn c_string(text: impl AsRef<[u8]>) -> Result<CString> {
    let text = text.as_ref();
    CString::new(text).map_err(|_| {
        let subject = format!("add {:?}", String::from_utf8_lossy(text));
        Error::new(Op::NvList, subject, Kind::Invalid, "a zero byte in a string")
    })
}

fn count(len: usize) -> Result<c_uint> {
    c_uint::try_from(len).map_err(|_| Error::new(Op::NvList, "add", Kind::TooLong, "too many elements"))
}
