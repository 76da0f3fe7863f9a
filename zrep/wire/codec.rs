//! Values as bytes. Integers are big-endian; a text is its length in 32 bits and its UTF-8; a list is its length in 32 bits and its items.
//!
//! What comes in was written by somebody else. Nothing is allocated for a length that the input cannot hold, and names of datasets are
//! checked before they become names.

use std::collections::BTreeMap;
use std::fmt;

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// It ends too early.
    Truncated,
    /// It goes on behind its end.
    TooLong {
        /// By so many bytes.
        by: usize,
    },
    /// A number that stands for nothing.
    Unknown {
        /// What it should have stood for.
        what: &'static str,
        /// The number.
        number: u64,
    },
    /// A text that is not UTF-8.
    NoText,
    /// A name that ZFS does not allow.
    BadName(String),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the message ends too early"),
            Self::TooLong { by } => write!(f, "{by} bytes too many in a message"),
            Self::Unknown { what, number } => write!(f, "{number} is no {what}"),
            Self::NoText => f.write_str("a text that is not UTF-8"),
            Self::BadName(error) => f.write_str(error),
        }
    }
}

impl std::error::Error for Malformed {}

/// What decoding gives.
pub type Decoded<T> = Result<T, Malformed>;

/// A value that can travel.
pub trait Wire: Sized {
    /// Appends the value.
    fn put(&self, out: &mut Vec<u8>);
    /// Takes the value from the front.
    fn get(input: &mut Input<'_>) -> Decoded<Self>;
}

/// What has not been decoded yet.
#[derive(Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// Decodes a value that `bytes` hold from their first to their last.
    pub fn whole<T: Wire>(bytes: &'a [u8]) -> Decoded<T> {
        let mut input = Self(bytes);
        let value = T::get(&mut input)?;
        match input.0.len() {
            0 => Ok(value),
            by => Err(Malformed::TooLong { by }),
        }
    }

    fn take(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| Malformed::Truncated)
    }

    /// A number of items, each of at least one byte.
    fn count(&mut self) -> Decoded<usize> {
        let count = usize::try_from(u32::get(self)?).map_err(|_| Malformed::Truncated)?;
        if count > self.0.len() {
            Err(Malformed::Truncated)
        } else {
            Ok(count)
        }
    }
}

fn put_count(count: usize, out: &mut Vec<u8>) {
    u32::try_from(count).unwrap_or(u32::MAX).put(out);
}

impl Wire for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        Ok(input.array::<1>()?[0])
    }
}

impl Wire for u16 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.to_be_bytes());
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        input.array().map(Self::from_be_bytes)
    }
}

impl Wire for u32 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.to_be_bytes());
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        input.array().map(Self::from_be_bytes)
    }
}

impl Wire for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.to_be_bytes());
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        input.array().map(Self::from_be_bytes)
    }
}

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        u8::from(*self).put(out);
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        match u8::get(input)? {
            0 => Ok(false),
            1 => Ok(true),
            number => Err(Malformed::Unknown {
                what: "yes or no",
                number: number.into(),
            }),
        }
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        out.extend(self.as_bytes());
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        let length = input.count()?;
        let bytes = input.take(length)?;
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| Malformed::NoText)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        if bool::get(input)? {
            T::get(input).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<T: Wire, E: Wire> Wire for Result<T, E> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_ok().put(out);
        match self {
            Ok(value) => value.put(out),
            Err(error) => error.put(out),
        }
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        if bool::get(input)? {
            T::get(input).map(Ok)
        } else {
            E::get(input).map(Err)
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        self.iter().for_each(|item| item.put(out));
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        let count = input.count()?;
        // N.B. not with_capacity: an item may take much more room here than the byte that its count stands for.
        let mut items = Self::new();
        for _ in 0..count {
            items.push(T::get(input)?);
        }
        Ok(items)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        Ok((A::get(input)?, B::get(input)?))
    }
}

impl<K: Wire + Ord, V: Wire> Wire for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(self.len(), out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        Ok(Vec::<(K, V)>::get(input)?.into_iter().collect())
    }
}

/// A structure is its fields in this order.
macro_rules! fields {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                $( self.$field.put(out); )*
            }

            fn get(input: &mut Input<'_>) -> Decoded<Self> {
                Ok(Self { $( $field: Wire::get(input)? ),* })
            }
        }
    };
}

/// A choice is a byte that says which, and the fields of that one in this order.
macro_rules! choice {
    ($type:ident, $what:literal { $( $number:literal => $variant:ident { $( $field:tt : $name:ident ),* } ),* $(,)? }) => {
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $( Self::$variant { $( $field: $name ),* } => {
                        out.push($number);
                        $( $name.put(out); )*
                    } )*
                }
            }

            fn get(input: &mut Input<'_>) -> Decoded<Self> {
                match u8::get(input)? {
                    $( $number => {
                        $( let $name = Wire::get(input)?; )*
                        Ok(Self::$variant { $( $field: $name ),* })
                    } )*
                    number => Err(Malformed::Unknown { what: $what, number: number.into() }),
                }
            }
        }
    };
}

pub(super) use {choice, fields};

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(value: &impl Wire) -> Vec<u8> {
        let mut out = Vec::new();
        value.put(&mut out);
        out
    }

    #[test]
    fn values_come_back_as_they_went() {
        let value = (
            Some(vec![("a".to_owned(), 7_u64), ("ü".to_owned(), u64::MAX)]),
            Ok::<bool, u16>(true),
        );
        assert_eq!(Input::whole(&bytes(&value)), Ok(value));
    }

    #[test]
    fn a_length_that_the_input_cannot_hold_costs_no_memory() {
        for bytes in [&[0xff; 4][..], &[0x7f, 0xff, 0xff, 0xff, 0], &[0, 0, 0, 9, b'a']] {
            assert_eq!(Input::whole::<String>(bytes), Err(Malformed::Truncated));
            assert_eq!(Input::whole::<Vec<u64>>(bytes), Err(Malformed::Truncated));
        }
    }

    #[test]
    fn what_follows_or_stands_for_nothing_is_refused() {
        assert_eq!(Input::whole::<u8>(&[1, 2]), Err(Malformed::TooLong { by: 1 }));
        assert!(Input::whole::<bool>(&[2]).is_err());
        assert_eq!(Input::whole::<String>(&[0, 0, 0, 1, 0xff]), Err(Malformed::NoText));
    }
}
