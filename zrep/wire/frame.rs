//! The envelope of every message: sixteen bytes that say what follows, and how much of it.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | `zrep` |
//! | 4 | 1 | version of the protocol |
//! | 5 | 1 | type of the message |
//! | 6 | 2 | 0 |
//! | 8 | 4 | number of the request that it is, or answers |
//! | 12 | 4 | length of the message in bytes |

use std::fmt;

/// The size of a header in bytes.
pub const HEADER: usize = 16;

/// What every frame begins with.
pub const MAGIC: [u8; 4] = *b"zrep";

/// The version of the protocol that this program speaks, and the oldest that it understands.
pub const VERSION: u8 = 1;

/// The longest request. A server has to hold one.
pub const LONGEST_REQUEST: u32 = 1 << 20;

/// The longest answer: that of a dataset with some ten thousand snapshots, with all that is on them.
pub const LONGEST_ANSWER: u32 = 16 << 20;

/// What a frame says about its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The type of the message.
    pub kind: u8,
    /// The number of the request that it is, or answers.
    pub request: u32,
    /// The length of the message in bytes.
    pub length: u32,
}

/// Why sixteen bytes are no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadHeader {
    /// Somebody else is speaking.
    Magic([u8; HEADER]),
    /// Another version of the protocol.
    Version(u8),
    /// Bytes that should be 0 are not.
    Reserved,
    /// Longer than this side takes.
    TooLong {
        /// What was announced.
        length: u32,
        /// The most that is taken.
        most: u32,
    },
}

impl fmt::Display for BadHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic(bytes) => write!(f, "no frame of zrep's: {:?}", String::from_utf8_lossy(bytes)),
            Self::Version(version) => write!(f, "version {version} of the protocol; this zrep speaks {VERSION}"),
            Self::Reserved => f.write_str("a frame with reserved bytes that are not 0"),
            Self::TooLong { length, most } => write!(f, "a message of {length} bytes; at most {most} are taken"),
        }
    }
}

impl std::error::Error for BadHeader {}

impl Header {
    /// The header as bytes.
    pub fn encode(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = self.kind;
        bytes[8..12].copy_from_slice(&self.request.to_be_bytes());
        bytes[12..].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    /// Reads a header, and looks whether its message may be as long as it says.
    pub fn decode(bytes: [u8; HEADER], most: u32) -> Result<Self, BadHeader> {
        let [a, b, c, d, version, kind, r1, r2, q0, q1, q2, q3, l0, l1, l2, l3] = bytes;
        if [a, b, c, d] != MAGIC {
            return Err(BadHeader::Magic(bytes));
        }
        if version != VERSION {
            return Err(BadHeader::Version(version));
        }
        if [r1, r2] != [0, 0] {
            return Err(BadHeader::Reserved);
        }
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        if length > most {
            return Err(BadHeader::TooLong { length, most });
        }
        let request = u32::from_be_bytes([q0, q1, q2, q3]);
        Ok(Self { kind, request, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_as_it_went() {
        let header = Header {
            kind: 0x83,
            request: 0x0102_0304,
            length: 0x0fff,
        };
        assert_eq!(Header::decode(header.encode(), 0x0fff), Ok(header));
        assert_eq!(header.encode(), *b"zrep\x01\x83\0\0\x01\x02\x03\x04\0\0\x0f\xff");
    }

    #[test]
    fn each_part_that_is_wrong_has_its_own_reason() {
        let good = Header {
            kind: 1,
            request: 1,
            length: 10,
        }
        .encode();
        let with = |at: usize, byte: u8| {
            let mut bytes = good;
            bytes[at] = byte;
            Header::decode(bytes, 10)
        };
        assert!(matches!(with(0, b'Z'), Err(BadHeader::Magic(_))));
        assert_eq!(with(4, 9), Err(BadHeader::Version(9)));
        assert_eq!(with(7, 1), Err(BadHeader::Reserved));
        assert_eq!(with(15, 11), Err(BadHeader::TooLong { length: 11, most: 10 }));
    }
}
