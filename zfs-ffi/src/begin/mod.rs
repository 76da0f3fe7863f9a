//! The first record of a stream.
//!
//! It says what the stream is, so that most failures can be foreseen before the kernel sees it.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | record type, 0 |
//! | 4 | 4 | length of the payload behind the record |
//! | 8 | 8 | magic number |
//! | 16 | 8 | header type in bits 0 and 1, features above |
//! | 24 | 8 | creation time |
//! | 32 | 4 | 2 = filesystem, 3 = volume |
//! | 36 | 4 | flags |
//! | 40 | 8 | guid of the snapshot |
//! | 48 | 8 | guid of the base, 0 if none |
//! | 56 | 256 | name of the snapshot at the sender |

mod codec;

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::BorrowedFd;

use self::codec::Decoder;
use crate::core::DatasetKind;
use crate::error::{Error, Kind, Op, Result};
use crate::flags::flags;

/// The size of a record in bytes.
pub const RECORD_SIZE: usize = 312;

flags! {
    /// Properties of a stream, from its begin record.
    BeginFlags: u32 {
        /// The snapshot's dataset is a clone, and the base its origin.
        CLONE = 1,
        /// The dataset's names ignore case.
        CASE_INSENSITIVE = 1 << 1,
        /// The stream tells what has been freed.
        FREERECORDS = 1 << 2,
        /// Spill blocks are marked.
        SPILL_BLOCK = 1 << 3,
    }
}

flags! {
    /// What a receiver must understand.
    StreamFeatures: u64 {
        /// Duplicate blocks are sent once. No longer made.
        DEDUP = 1,
        /// Spill blocks of system attributes.
        SA_SPILL = 1 << 2,
        /// Blocks inside their pointers.
        EMBED_DATA = 1 << 16,
        /// Blocks compressed with lz4.
        LZ4 = 1 << 17,
        /// Blocks larger than 128 KiB.
        LARGE_BLOCKS = 1 << 19,
        /// The stream goes on where another ended.
        RESUMING = 1 << 20,
        /// Parts are left out on purpose.
        REDACTED = 1 << 21,
        /// Blocks are compressed.
        COMPRESSED = 1 << 22,
        /// Large dnodes.
        LARGE_DNODE = 1 << 23,
        /// Encrypted blocks.
        RAW = 1 << 24,
        /// Blocks compressed with zstd.
        ZSTD = 1 << 25,
        /// Holds are in the stream.
        HOLDS = 1 << 26,
        /// The stream may switch to large blocks.
        SWITCH_TO_LARGE_BLOCKS = 1 << 27,
        /// Names longer than 255 bytes in directories.
        LONGNAME = 1 << 28,
        /// Large microzaps.
        LARGE_MICROZAP = 1 << 29,
    }
}

/// What a begin record says. Encode it with [`BeginRecord::from`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BeginFields {
    /// The guid of the snapshot in the stream.
    pub to_guid: u64,
    /// The guid of the base, if the stream is an increment.
    pub from_guid: Option<u64>,
    /// The name of the snapshot at the sender.
    pub to_name: String,
    /// What the dataset holds, if the record says it; a package of streams does not.
    pub kind: Option<DatasetKind>,
    /// When the snapshot was made, in seconds since 1970.
    pub creation: u64,
    /// Properties of the stream.
    pub flags: BeginFlags,
    /// What the receiver must understand.
    pub features: StreamFeatures,
    /// How many bytes follow before the next record.
    pub payload_len: u32,
    /// The record came from a machine of the other byte order.
    pub byteswapped: bool,
    /// A package of several streams, which only `libzfs` can receive.
    pub compound: bool,
}

/// The first record of a stream: the bytes as they came, and what they say.
#[derive(Clone, PartialEq, Eq)]
pub struct BeginRecord {
    bytes: Bytes,
    fields: BeginFields,
}

/// Aligned as the C structure is.
#[derive(Clone, PartialEq, Eq)]
#[repr(C, align(8))]
struct Bytes([u8; RECORD_SIZE]);

impl BeginRecord {
    /// Reads the record, exactly 312 bytes.
    ///
    /// # Errors
    ///
    /// [`Truncated`](Kind::Truncated): there is less. [`BadStream`](Kind::BadStream): it is no begin
    /// record.
    pub fn read(input: &mut impl Read) -> Result<Self> {
        let mut bytes = [0; RECORD_SIZE];
        input.read_exact(&mut bytes).map_err(|why| match why.kind() {
            ErrorKind::UnexpectedEof => bad(Kind::Truncated, "the stream ended early"),
            _ => Error::from_io(Op::ReadBegin, "stream", &why),
        })?;
        Self::parse(bytes)
    }

    /// Reads the record from a descriptor, which is afterwards ready for
    /// [`Core::receive`](crate::Core::receive).
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    pub fn read_fd(input: BorrowedFd<'_>) -> Result<Self> {
        let copy = input
            .try_clone_to_owned()
            .map_err(|why| Error::from_io(Op::ReadBegin, "stream", &why))?;
        // Reads without a buffer of its own, so nothing behind the record is lost.
        Self::read(&mut File::from(copy))
    }

    /// Takes bytes that have been read already.
    ///
    /// # Errors
    ///
    /// [`BadStream`](Kind::BadStream): it is no begin record.
    pub fn parse(bytes: [u8; RECORD_SIZE]) -> Result<Self> {
        let decoder = Decoder::new(&bytes)?;
        let fields = decoder.fields()?;
        Ok(Self {
            bytes: Bytes(bytes),
            fields,
        })
    }

    /// The bytes as they came.
    pub fn as_bytes(&self) -> &[u8; RECORD_SIZE] {
        &self.bytes.0
    }

    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.bytes.0.as_ptr()
    }

    /// All that the record says.
    pub fn fields(&self) -> &BeginFields {
        &self.fields
    }

    /// The guid of the snapshot in the stream.
    pub fn to_guid(&self) -> u64 {
        self.fields.to_guid
    }

    /// The guid of the base, if the stream is an increment.
    pub fn from_guid(&self) -> Option<u64> {
        self.fields.from_guid
    }

    /// The name of the snapshot at the sender.
    pub fn to_name(&self) -> &str {
        &self.fields.to_name
    }

    /// What the dataset holds; a package of streams does not say.
    pub fn kind(&self) -> Option<DatasetKind> {
        self.fields.kind
    }

    /// Properties of the stream.
    pub fn flags(&self) -> BeginFlags {
        self.fields.flags
    }

    /// What the receiver must understand.
    pub fn features(&self) -> StreamFeatures {
        self.fields.features
    }

    /// How many bytes follow before the next record.
    pub fn payload_len(&self) -> u32 {
        self.fields.payload_len
    }

    /// True if the record came from a machine of the other byte order. The kernel copes with it.
    pub fn byteswapped(&self) -> bool {
        self.fields.byteswapped
    }

    /// True for a package of several streams (`zfs send -R`), which only `libzfs` can receive.
    pub fn is_compound(&self) -> bool {
        self.fields.compound
    }

    /// True if the stream holds encrypted blocks as they are.
    pub fn is_raw(&self) -> bool {
        self.features().contains(StreamFeatures::RAW)
    }

    /// True if the stream goes on where another ended.
    pub fn is_resuming(&self) -> bool {
        self.features().contains(StreamFeatures::RESUMING)
    }
}

impl fmt::Debug for BeginRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes: _, fields } = self;
        f.debug_tuple("BeginRecord").field(fields).finish()
    }
}

fn bad(kind: Kind, text: &str) -> Error {
    Error::new(Op::ReadBegin, "stream", kind, text)
}

#[cfg(test)]
mod tests;
