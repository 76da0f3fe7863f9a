//! Several streams as one, for a `zfs receive` that knows nothing of zrep: the package that `zfs send -I` writes.
//!
//! ```text
//!  begin record, of the kind "compound"    end record, with the checksum of the first
//!  one stream after the other              an end record without a checksum
//! ```
//!
//! All records are 312 bytes, in the byte order of the sender.

/// The length of a record.
const RECORD: usize = 312;
/// The type of a begin record is 0.
const END: u32 = 5;
const MAGIC: u64 = 0x2_f5ba_cbac;
/// The kind of the stream stands in the lowest two bits of the version.
const COMPOUND: u64 = 2;
/// Where the name of the last snapshot begins, and how long it may be with the zero behind it.
const NAME: (usize, usize) = (56, 256);

/// What stands before the first stream. `last` is the full name of the last stream's snapshot.
pub fn header(last: &str) -> Vec<u8> {
    let mut begin = vec![0; RECORD];
    begin[8..16].copy_from_slice(&MAGIC.to_ne_bytes());
    begin[16..24].copy_from_slice(&COMPOUND.to_ne_bytes());
    // N.B. a name that ZFS allows fits, with its zero.
    let length = last.len().min(NAME.1 - 1);
    begin[NAME.0..NAME.0 + length].copy_from_slice(&last.as_bytes()[..length]);
    let end = end(checksum(&begin));
    [begin, end].concat()
}

/// What stands behind the last stream.
pub fn trailer() -> Vec<u8> {
    end([0; 4])
}

fn end(checksum: [u64; 4]) -> Vec<u8> {
    let mut end = vec![0; RECORD];
    end[..4].copy_from_slice(&END.to_ne_bytes());
    for (index, word) in checksum.iter().enumerate() {
        let at = 8 + 8 * index;
        end[at..at + 8].copy_from_slice(&word.to_ne_bytes());
    }
    end
}

/// Fletcher's checksum of fourth order over words of 32 bits.
fn checksum(bytes: &[u8]) -> [u64; 4] {
    let [mut a, mut b, mut c, mut d] = [0_u64; 4];
    for word in bytes.chunks_exact(4) {
        let word = u32::from_ne_bytes([word[0], word[1], word[2], word[3]]);
        a = a.wrapping_add(u64::from(word));
        b = b.wrapping_add(a);
        c = c.wrapping_add(b);
        d = d.wrapping_add(c);
    }
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_weighs_each_word_by_its_place() {
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
        assert_eq!(checksum(&words(&[1])), [1, 1, 1, 1]);
        assert_eq!(checksum(&words(&[1, 0, 0])), [1, 3, 6, 10]);
        assert_eq!(checksum(&words(&[1, 2, 3])), [6, 10, 15, 21]);
    }

    #[test]
    fn a_header_is_a_begin_record_and_its_end() {
        let header = header("a/fs@zrep_000002");
        assert_eq!(header.len(), 2 * RECORD);
        let begin = zfs_ffi::BeginRecord::parse(header[..RECORD].try_into().unwrap()).unwrap();
        assert!(begin.is_compound());
        assert_eq!(begin.payload_len(), 0);
        assert_eq!(header[RECORD], 5);
        assert_ne!(header[RECORD + 8..RECORD + 40], [0; 32]);
        assert_eq!(trailer()[8..], [0; RECORD - 8]);
    }
}
