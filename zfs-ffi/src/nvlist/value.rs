//! What a pair holds.

use std::borrow::Cow;

use super::{NvList, NvRef};

/// The value of a pair, with all types that ZFS uses.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Present, without a value (`DATA_TYPE_BOOLEAN`).
    Flag,
    /// True or false (`DATA_TYPE_BOOLEAN_VALUE`).
    Bool(bool),
    /// One byte.
    Byte(u8),
    /// Signed, 8 bits.
    I8(i8),
    /// Unsigned, 8 bits.
    U8(u8),
    /// Signed, 16 bits.
    I16(i16),
    /// Unsigned, 16 bits.
    U16(u16),
    /// Signed, 32 bits.
    I32(i32),
    /// Unsigned, 32 bits.
    U32(u32),
    /// Signed, 64 bits.
    I64(i64),
    /// Unsigned, 64 bits.
    U64(u64),
    /// Nanoseconds.
    HrTime(i64),
    /// A floating point number; the kernel has none.
    Double(f64),
    /// A string.
    Str(&'a str),
    /// A string that is not UTF-8, without its terminating zero. User properties can hold such.
    NotUtf8(&'a [u8]),
    /// A list in the list.
    List(NvRef<'a>),
    /// True or false, several.
    Bools(Vec<bool>),
    /// Bytes (`DATA_TYPE_BYTE_ARRAY`).
    Bytes(&'a [u8]),
    /// Signed, 8 bits, several.
    I8s(&'a [i8]),
    /// Unsigned, 8 bits, several (`DATA_TYPE_UINT8_ARRAY`, which is not the same as bytes).
    U8s(&'a [u8]),
    /// Signed, 16 bits, several.
    I16s(&'a [i16]),
    /// Unsigned, 16 bits, several.
    U16s(&'a [u16]),
    /// Signed, 32 bits, several.
    I32s(&'a [i32]),
    /// Unsigned, 32 bits, several.
    U32s(&'a [u32]),
    /// Signed, 64 bits, several.
    I64s(&'a [i64]),
    /// Unsigned, 64 bits, several.
    U64s(&'a [u64]),
    /// Strings. One that is not UTF-8 has its bad bytes replaced.
    Strs(Vec<Cow<'a, str>>),
    /// Lists.
    Lists(Vec<NvRef<'a>>),
    /// A type this crate does not know, by its number. It cannot be added to a list.
    Unknown(i32),
}

impl<'a> Value<'a> {
    /// The string, if it is one and is UTF-8.
    pub fn as_str(&self) -> Option<&'a str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is an unsigned one of 64 bits.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::U64(number) => Some(*number),
            _ => None,
        }
    }

    /// The number, if it is a signed one of 64 bits, which is what channel programs return.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::I64(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<NvRef<'a>> {
        match self {
            Self::List(list) => Some(*list),
            _ => None,
        }
    }
}

/// `impl From<$type> for Value` for each pair.
macro_rules! from {
    ($($type:ty => $variant:ident,)*) => {$(
        impl<'a> From<$type> for Value<'a> {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        }
    )*};
}

from! {
    bool => Bool,
    i8 => I8,
    u8 => U8,
    i16 => I16,
    u16 => U16,
    i32 => I32,
    u32 => U32,
    i64 => I64,
    u64 => U64,
    f64 => Double,
    &'a str => Str,
    NvRef<'a> => List,
    Vec<bool> => Bools,
    &'a [i8] => I8s,
    &'a [i16] => I16s,
    &'a [u16] => U16s,
    &'a [i32] => I32s,
    &'a [u32] => U32s,
    &'a [i64] => I64s,
    &'a [u64] => U64s,
    Vec<NvRef<'a>> => Lists,
}

/// `&[u8]` has no `From`: say whether it is [`Value::Bytes`] or [`Value::U8s`].
impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Str(value)
    }
}

impl<'a> From<&'a NvList> for Value<'a> {
    fn from(value: &'a NvList) -> Self {
        Self::List(value.borrow())
    }
}

impl<'a> From<&[&'a str]> for Value<'a> {
    fn from(value: &[&'a str]) -> Self {
        Self::Strs(value.iter().map(|text| Cow::Borrowed(*text)).collect())
    }
}
