//! Between bytes and fields.

use super::{BeginFields, BeginFlags, BeginRecord, Bytes, RECORD_SIZE, StreamFeatures, bad};
use crate::core::DatasetKind;
use crate::error::{Kind, Result};

const MAGIC: u64 = 0x0002_f5ba_cbac;
const NAME_AT: usize = 56;

/// Types of stream, in the lowest two bits of the version.
const SUBSTREAM: u64 = 1;
const COMPOUND: u64 = 2;

/// Encodes what a sender would write. A name longer than 255 bytes is cut.
impl From<BeginFields> for BeginRecord {
    fn from(mut fields: BeginFields) -> Self {
        while fields.to_name.len() >= RECORD_SIZE - NAME_AT {
            fields.to_name.pop();
        }
        // In the record 0 is how "no base" is written.
        fields.from_guid = fields.from_guid.filter(|guid| *guid != 0);
        Self {
            bytes: encode(&fields),
            fields,
        }
    }
}

fn encode(fields: &BeginFields) -> Bytes {
    let header = if fields.compound { COMPOUND } else { SUBSTREAM };
    let mut out = Encoder {
        bytes: [0; RECORD_SIZE],
        byteswapped: fields.byteswapped,
    };
    out.u32(4, fields.payload_len);
    out.u64(8, MAGIC);
    out.u64(16, fields.features.bits() << 2 | header);
    out.u64(24, fields.creation);
    out.u32(32, fields.kind.map_or(0, kind_number));
    out.u32(36, fields.flags.bits());
    out.u64(40, fields.to_guid);
    out.u64(48, fields.from_guid.unwrap_or_default());
    out.bytes[NAME_AT..][..fields.to_name.len()].copy_from_slice(fields.to_name.as_bytes());
    Bytes(out.bytes)
}

/// Writes fields in one byte order or the other.
struct Encoder {
    bytes: [u8; RECORD_SIZE],
    byteswapped: bool,
}

impl Encoder {
    fn u32(&mut self, at: usize, value: u32) {
        let value = if self.byteswapped { value.swap_bytes() } else { value };
        self.bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
    }

    fn u64(&mut self, at: usize, value: u64) {
        let value = if self.byteswapped { value.swap_bytes() } else { value };
        self.bytes[at..at + 8].copy_from_slice(&value.to_ne_bytes());
    }
}

/// Reads fields in the byte order that the magic number shows.
pub(super) struct Decoder<'a> {
    bytes: &'a [u8; RECORD_SIZE],
    byteswapped: bool,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8; RECORD_SIZE]) -> Result<Self> {
        let magic = Self {
            bytes,
            byteswapped: false,
        }
        .u64(8);
        let byteswapped = match magic {
            MAGIC => false,
            magic if magic.swap_bytes() == MAGIC => true,
            _ => return Err(bad(Kind::BadStream, "not a ZFS stream: wrong magic number")),
        };
        Ok(Self { bytes, byteswapped })
    }

    pub(super) fn fields(&self) -> Result<BeginFields> {
        if self.u32(0) != 0 {
            return Err(bad(Kind::BadStream, "the first record is no begin record"));
        }
        let version = self.u64(16);
        let compound = match version & 3 {
            SUBSTREAM => false,
            COMPOUND => true,
            _ => return Err(bad(Kind::BadStream, "unknown type of stream")),
        };
        Ok(BeginFields {
            to_guid: self.u64(40),
            from_guid: Some(self.u64(48)).filter(|guid| *guid != 0),
            to_name: self.name()?,
            kind: kind_of(self.u32(32)),
            creation: self.u64(24),
            flags: BeginFlags::from_bits(self.u32(36)),
            features: StreamFeatures::from_bits(version >> 2),
            payload_len: self.u32(4),
            byteswapped: self.byteswapped,
            compound,
        })
    }

    fn name(&self) -> Result<String> {
        let field = &self.bytes[NAME_AT..];
        let Some(end) = field.iter().position(|byte| *byte == 0) else {
            return Err(bad(Kind::BadStream, "the snapshot's name has no end"));
        };
        Ok(String::from_utf8_lossy(&field[..end]).into_owned())
    }

    fn u32(&self, at: usize) -> u32 {
        let mut word = [0; 4];
        word.copy_from_slice(&self.bytes[at..at + 4]);
        let value = u32::from_ne_bytes(word);
        if self.byteswapped { value.swap_bytes() } else { value }
    }

    fn u64(&self, at: usize) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(&self.bytes[at..at + 8]);
        let value = u64::from_ne_bytes(word);
        if self.byteswapped { value.swap_bytes() } else { value }
    }
}

fn kind_of(number: u32) -> Option<DatasetKind> {
    match number {
        2 => Some(DatasetKind::Filesystem),
        3 => Some(DatasetKind::Volume),
        _ => None,
    }
}

fn kind_number(kind: DatasetKind) -> u32 {
    match kind {
        DatasetKind::Filesystem => 2,
        DatasetKind::Volume => 3,
    }
}
