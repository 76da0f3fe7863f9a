//! What is looked at before the kernel gets a stream.

use super::*;
use crate::model::StreamFlags;
use zfs_ffi::{BeginFields, SnapshotName};

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
