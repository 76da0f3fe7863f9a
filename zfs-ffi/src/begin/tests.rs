use std::io::{Read, Write};
use std::os::fd::AsFd;

use super::*;

fn sample() -> BeginFields {
    BeginFields {
        to_guid: 0x1122_3344_5566_7788,
        from_guid: Some(u64::MAX),
        to_name: "tank/a b@2".to_owned(),
        kind: Some(DatasetKind::Filesystem),
        creation: 1_700_000_000,
        flags: BeginFlags::FREERECORDS | BeginFlags::SPILL_BLOCK,
        features: StreamFeatures::LARGE_BLOCKS | StreamFeatures::COMPRESSED,
        payload_len: 96,
        byteswapped: false,
        compound: false,
    }
}

fn parse_error(bytes: [u8; RECORD_SIZE]) -> Kind {
    BeginRecord::parse(bytes).expect_err("no begin record").kind()
}

#[test]
fn fields_round_trip() {
    let cases = [
        sample(),
        BeginFields {
            from_guid: None,
            payload_len: 0,
            ..sample()
        },
        BeginFields {
            kind: Some(DatasetKind::Volume),
            ..sample()
        },
        BeginFields {
            kind: None,
            compound: true,
            ..sample()
        },
        BeginFields {
            byteswapped: true,
            ..sample()
        },
        BeginFields {
            to_name: "n".repeat(255),
            ..sample()
        },
        BeginFields {
            features: StreamFeatures::from_bits(u64::MAX >> 2),
            ..sample()
        },
    ];
    for fields in cases {
        let record = BeginRecord::from(fields.clone());
        let parsed = BeginRecord::parse(*record.as_bytes()).expect("just encoded");
        assert_eq!(parsed.fields(), &fields);
        assert_eq!(parsed, record);
    }
}

#[test]
fn the_layout_is_that_of_the_stream() {
    let bytes = *BeginRecord::from(sample()).as_bytes();
    assert_eq!(bytes[0..4], 0_u32.to_ne_bytes());
    assert_eq!(bytes[4..8], 96_u32.to_ne_bytes());
    assert_eq!(bytes[8..16], 0x0002_f5ba_cbac_u64.to_ne_bytes());
    let version = ((1 << 19 | 1 << 22) << 2 | 1_u64).to_ne_bytes();
    assert_eq!(bytes[16..24], version);
    assert_eq!(bytes[24..32], 1_700_000_000_u64.to_ne_bytes());
    assert_eq!(bytes[32..36], 2_u32.to_ne_bytes());
    assert_eq!(bytes[36..40], 0b1100_u32.to_ne_bytes());
    assert_eq!(bytes[40..48], 0x1122_3344_5566_7788_u64.to_ne_bytes());
    assert_eq!(bytes[48..56], u64::MAX.to_ne_bytes());
    assert_eq!(&bytes[56..67], b"tank/a b@2\0");
    assert_eq!(bytes[67..], [0; 312 - 67]);
}

#[test]
fn the_other_byte_order_is_recognised() {
    let bytes = *BeginRecord::from(BeginFields {
        byteswapped: true,
        ..sample()
    })
    .as_bytes();
    let mut guid = 0x1122_3344_5566_7788_u64.to_ne_bytes();
    guid.reverse();
    assert_eq!(bytes[40..48], guid);
    let record = BeginRecord::parse(bytes).expect("a valid record");
    assert!(record.byteswapped());
    assert_eq!(record.to_guid(), 0x1122_3344_5566_7788);
    assert_eq!(record.to_name(), "tank/a b@2");
    assert_eq!(record.as_bytes(), &bytes, "C gets the bytes as they came");
}

#[test]
fn the_view_of_a_record() {
    let record = BeginRecord::from(BeginFields {
        features: StreamFeatures::RAW | StreamFeatures::RESUMING,
        from_guid: None,
        ..sample()
    });
    assert!(record.is_raw());
    assert!(record.is_resuming());
    assert!(!record.is_compound());
    assert_eq!(record.from_guid(), None);
    assert_eq!(record.kind(), Some(DatasetKind::Filesystem));
    assert_eq!(record.payload_len(), 96);
    assert!(record.flags().contains(BeginFlags::FREERECORDS));
    assert!(!record.flags().contains(BeginFlags::CLONE));
    assert_eq!(format!("{:?}", record.features()), "StreamFeatures(RESUMING | RAW)");
}

#[test]
fn garbage_is_refused() {
    assert_eq!(parse_error([0; RECORD_SIZE]), Kind::BadStream);
    assert_eq!(parse_error([0xff; RECORD_SIZE]), Kind::BadStream);
    let mut text = [b' '; RECORD_SIZE];
    text[..23].copy_from_slice(b"internal error: no such");
    assert_eq!(parse_error(text), Kind::BadStream);
}

#[test]
fn another_record_is_refused() {
    let mut bytes = *BeginRecord::from(sample()).as_bytes();
    bytes[0..4].copy_from_slice(&5_u32.to_ne_bytes());
    assert_eq!(parse_error(bytes), Kind::BadStream);
}

#[test]
fn an_unknown_type_of_stream_is_refused() {
    for header in [0, 3] {
        let mut bytes = *BeginRecord::from(sample()).as_bytes();
        bytes[16..24].copy_from_slice(&u64::to_ne_bytes(header));
        assert_eq!(parse_error(bytes), Kind::BadStream);
    }
}

#[test]
fn a_name_without_an_end_is_refused() {
    let mut bytes = *BeginRecord::from(sample()).as_bytes();
    bytes[56..].fill(b'a');
    assert_eq!(parse_error(bytes), Kind::BadStream);
}

#[test]
fn a_long_name_is_cut_between_characters() {
    let to_name = format!("{}ü", "n".repeat(254));
    let record = BeginRecord::from(BeginFields { to_name, ..sample() });
    assert_eq!(record.to_name(), "n".repeat(254));
}

#[test]
fn a_short_stream_is_truncated_at_every_length() {
    let bytes = *BeginRecord::from(sample()).as_bytes();
    for len in 0..RECORD_SIZE {
        let error = BeginRecord::read(&mut &bytes[..len]).expect_err("too short");
        assert_eq!(error.kind(), Kind::Truncated, "{len} bytes");
    }
}

#[test]
fn exactly_one_record_is_read() {
    let record = BeginRecord::from(sample());
    let mut stream = record.as_bytes().to_vec();
    stream.extend(b"rest");
    let mut input = &stream[..];
    assert_eq!(BeginRecord::read(&mut input).expect("a valid record"), record);
    assert_eq!(input, b"rest");
}

#[test]
fn a_descriptor_is_left_behind_the_record() {
    let record = BeginRecord::from(sample());
    let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(record.as_bytes()).expect("it fits into the pipe");
    writer.write_all(b"rest").expect("it fits into the pipe");
    drop(writer);
    assert_eq!(BeginRecord::read_fd(reader.as_fd()).expect("a valid record"), record);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "rest");
}

#[test]
fn a_record_is_aligned_for_c() {
    let record = BeginRecord::from(sample());
    assert_eq!(record.as_ptr().align_offset(8), 0);
    assert_eq!(size_of::<Bytes>(), RECORD_SIZE);
}
