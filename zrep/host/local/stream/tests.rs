//! What is looked at before the kernel gets a stream.

use super::*;
use crate::model::StreamFlags;
use std::io::{Write, pipe};
use std::time::Instant;
use zfs_ffi::BeginFields;

fn transfer() -> Transfer {
    let name = |text: &str| SnapshotName::new(text).unwrap();
    Transfer {
        snapshot: name("src/a@zrep_000000"),
        guid: None,
        base: None,
        into: name("dst/a@zrep_000000"),
        flags: StreamFlags::plain(),
        resume: None,
        creation: None,
    }
}

fn begin(payload_len: u32) -> BeginRecord {
    BeginRecord::from(BeginFields {
        to_guid: 7,
        to_name: "src/a@zrep_000000".into(),
        payload_len,
        ..BeginFields::default()
    })
}

#[test]
fn the_kernel_takes_no_memory_for_what_a_peer_announces() {
    assert!(require_promised(&transfer(), &begin(LONGEST_PAYLOAD)).is_ok());
    let error = require_promised(&transfer(), &begin(0x0fff_ffff)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadStream);
}

#[test]
fn a_stream_that_drips_is_given_up() {
    let (input, mut out) = pipe().unwrap();
    let feeder = thread::spawn(move || {
        while out.write_all(&[0]).is_ok() {
            thread::sleep(Duration::from_millis(10));
        }
    });
    let since = Instant::now();
    let error = read_begin(&transfer().into, &input, Some(Duration::from_millis(100))).unwrap_err();
    assert!(error.text.contains("had not begun"), "{error}");
    assert!(since.elapsed() < Duration::from_secs(2));
    drop(input);
    feeder.join().unwrap();
}
