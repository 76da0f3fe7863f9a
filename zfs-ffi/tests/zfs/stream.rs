//! Sending and receiving.

use std::os::fd::{AsFd, AsRawFd};
use std::slice;

use zfs_ffi::{
    BeginRecord, DatasetKind, DatasetName, Defer, Kind, NvList, ReceiveOptions, SendFlags, SendFrom, SendOptions,
    SnapshotName, Source, Value,
};

use crate::lab::{Lab, failed, props, snap};

const BIG: usize = 2 << 20;

fn from(snapshot: &SnapshotName) -> SendOptions {
    SendOptions {
        from: Some(snapshot.clone().into()),
        ..plain()
    }
}

fn plain() -> SendOptions {
    SendOptions {
        flags: SendFlags::LARGE_BLOCK | SendFlags::COMPRESS,
        ..SendOptions::default()
    }
}

fn resumable() -> ReceiveOptions<'static> {
    ReceiveOptions {
        resumable: true,
        ..ReceiveOptions::default()
    }
}

fn begin_of(stream: &[u8]) -> BeginRecord {
    BeginRecord::read(&mut &stream[..]).expect("a stream begins with a begin record")
}

/// A source with two snapshots, noise in both, and a target that has the first.
fn source_and_target(lab: &Lab) -> (SnapshotName, SnapshotName, DatasetName) {
    let source = lab.filesystem("source s");
    lab.write(&source, "one", BIG);
    let one = lab.snapshot(&source, "1");
    lab.write(&source, "two", BIG);
    let two = lab.snapshot(&source, "2");
    let target = lab.name("target t");
    let stream = lab.stream(&one, &plain());
    let received = lab.received(&snap(&target, "1"), &stream, &resumable());
    assert_eq!(received, stream.len() as u64);
    (one, two, target)
}

#[test]
fn full_and_incremental_streams_arrive() {
    let Some(lab) = Lab::new("streams") else { return };
    let (one, two, target) = source_and_target(&lab);
    assert_eq!(lab.guid(&snap(&target, "1")), lab.guid(&one));

    let stream = lab.stream(&two, &from(&one));
    let begin = begin_of(&stream);
    assert_eq!(begin.to_guid(), lab.guid(&two));
    assert_eq!(begin.from_guid(), Some(lab.guid(&one)));
    assert_eq!(begin.to_name(), two.as_str());
    assert_eq!(begin.kind(), Some(DatasetKind::Filesystem));
    assert!(!begin.is_raw() && !begin.is_resuming() && !begin.is_compound());
    let estimate = lab.core.send_space(&two, &from(&one)).expect("estimate");
    assert!(estimate > BIG as u64 / 2 && estimate < BIG as u64 * 2, "{estimate}");

    lab.received(&snap(&target, "2"), &stream, &ReceiveOptions::default());
    assert_eq!(lab.guid(&snap(&target, "2")), lab.guid(&two));
    let again = failed(lab.receive(&snap(&target, "2"), &stream, &resumable()));
    assert!(
        matches!(again.kind(), Kind::Exists | Kind::Modified | Kind::WrongBase),
        "{again}"
    );
}

#[test]
fn an_increment_starts_from_a_bookmark() {
    let Some(lab) = Lab::new("from bookmark") else { return };
    let (one, two, target) = source_and_target(&lab);
    let mark = one.dataset().bookmark("m").expect("a valid name");
    lab.core
        .bookmark(&[(mark.clone(), one.clone().into())])
        .expect("bookmark");
    lab.core
        .destroy_snapshots(slice::from_ref(&one), Defer::No)
        .expect("destroy");
    let options = SendOptions {
        from: Some(SendFrom::Bookmark(mark)),
        ..plain()
    };
    let stream = lab.stream(&two, &options);
    lab.received(&snap(&target, "2"), &stream, &resumable());
    assert_eq!(lab.guid(&snap(&target, "2")), lab.guid(&two));
}

#[test]
fn a_stream_that_does_not_fit_is_refused_with_a_reason() {
    let Some(lab) = Lab::new("refused") else { return };
    let (one, two, target) = source_and_target(&lab);
    let increment = lab.stream(&two, &from(&one));

    let other = lab.filesystem("other");
    let error = failed(lab.receive(&snap(&other, "2"), &increment, &resumable()));
    assert_eq!(error.kind(), Kind::WrongBase);
    let error = failed(lab.receive(&snap(&lab.name("none"), "2"), &increment, &resumable()));
    assert_eq!(error.kind(), Kind::NotFound);

    lab.write(&target, "local change", 1000);
    let error = failed(lab.receive(&snap(&target, "2"), &increment, &resumable()));
    assert_eq!(error.kind(), Kind::Modified);
    lab.core.rollback_to(&snap(&target, "1")).expect("rollback");
    lab.received(&snap(&target, "2"), &increment, &resumable());
}

#[test]
fn what_cannot_be_sent_is_refused_with_a_reason() {
    let Some(lab) = Lab::new("unsendable") else { return };
    let a = lab.snapshot(&lab.filesystem("a"), "1");
    let b = lab.snapshot(&lab.filesystem("b"), "1");
    let (_reader, writer) = std::io::pipe().expect("a pipe");
    let error = failed(lab.core.send(&b, &from(&a), writer.as_fd()));
    assert_eq!(error.kind(), Kind::NotAncestor);
    let missing = snap(&a.dataset(), "missing");
    let error = failed(lab.core.send(&missing, &plain(), writer.as_fd()));
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(failed(lab.core.send_space(&missing, &plain())).kind(), Kind::NotFound);
}

#[test]
fn a_lost_reader_is_told_from_other_causes() {
    let Some(lab) = Lab::new("no reader") else { return };
    let source = lab.filesystem("a");
    lab.write(&source, "file", BIG);
    let one = lab.snapshot(&source, "1");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let error = failed(lab.core.send(&one, &plain(), writer.as_fd()));
    assert_eq!(error.kind(), Kind::ReaderGone);

    let (reader, writer) = std::io::pipe().expect("a pipe");
    let core = lab.core.clone();
    let sender = std::thread::spawn(move || core.send(&one, &plain(), writer.as_fd()));
    BeginRecord::read_fd(reader.as_fd()).expect("the stream begins");
    drop(reader);
    let error = failed(sender.join().expect("no panic"));
    assert_eq!(error.kind(), Kind::ReaderGone);
}

#[test]
fn bytes_behind_the_stream_are_left_alone() {
    let Some(lab) = Lab::new("behind") else { return };
    let one = lab.snapshot(&lab.filesystem("a"), "1");
    let mut stream = lab.stream(&one, &plain());
    let len = stream.len() as u64;
    stream.extend(b"the next message");
    let received = lab.received(&snap(&lab.name("b"), "1"), &stream, &resumable());
    assert_eq!(received, len);
}

#[test]
fn an_interrupted_stream_is_resumed() {
    let Some(lab) = Lab::new("resume") else { return };
    let (one, two, target) = source_and_target(&lab);
    let stream = lab.stream(&two, &from(&one));
    let half = &stream[..stream.len() / 2];
    let error = failed(lab.receive(&snap(&target, "2"), half, &resumable()));
    assert_eq!(error.kind(), Kind::Truncated);
    let error = failed(lab.receive(&snap(&target, "2"), &stream, &resumable()));
    assert_eq!(error.kind(), Kind::Busy, "the partial receive is in the way");

    let open = lab.handle.dataset(&target).expect("open");
    let properties = open.properties().expect("read");
    let token = properties
        .str("receive_resume_token")
        .expect("a partial receive has a token");
    let token = lab.handle.resume_token(token).expect("decode");
    eprintln!("{token:?}");
    assert_eq!(token.to_guid, lab.guid(&two));
    assert_eq!(token.from_guid, Some(lab.guid(&one)));
    assert_eq!(token.to_name, two.as_str());
    // Large blocks are in the token only if there are any.
    assert!(token.flags.contains(SendFlags::COMPRESS), "{:?}", token.flags);
    assert!(plain().flags.contains(token.flags), "{:?}", token.flags);
    assert!(token.bytes > 0 && !token.redacted);

    let rest = SendOptions {
        flags: token.flags,
        resume: Some(token.resume_point()),
        ..from(&one)
    };
    let rest = lab.stream(&two, &rest);
    assert!(rest.len() < stream.len());
    assert!(begin_of(&rest).is_resuming());
    assert!(begin_of(&rest).payload_len() > 0);
    lab.received(&snap(&target, "2"), &rest, &resumable());
    assert_eq!(lab.guid(&snap(&target, "2")), lab.guid(&two));
    failed(lab.handle.resume_token("1-none of this-is-a token"));
}

#[test]
fn what_an_interrupted_stream_left_is_discarded() {
    let Some(lab) = Lab::new("discard") else { return };
    let (one, two, target) = source_and_target(&lab);
    let stream = lab.stream(&two, &from(&one));
    let half = &stream[..stream.len() / 2];
    assert_eq!(failed(lab.core.discard_partial_receive(&target)).kind(), Kind::NotFound);
    failed(lab.receive(&snap(&target, "2"), half, &resumable()));
    lab.core.discard_partial_receive(&target).expect("discard");
    assert_eq!(failed(lab.core.discard_partial_receive(&target)).kind(), Kind::NotFound);
    lab.received(&snap(&target, "2"), &stream, &resumable());
}

#[test]
fn a_stream_that_is_not_resumable_leaves_nothing() {
    let Some(lab) = Lab::new("not resumable") else { return };
    let (one, two, target) = source_and_target(&lab);
    let stream = lab.stream(&two, &from(&one));
    let half = &stream[..stream.len() / 2];
    let error = failed(lab.receive(&snap(&target, "2"), half, &ReceiveOptions::default()));
    assert_eq!(error.kind(), Kind::Truncated);
    assert_eq!(failed(lab.core.discard_partial_receive(&target)).kind(), Kind::NotFound);
    lab.received(&snap(&target, "2"), &stream, &resumable());
}

#[test]
fn a_damaged_stream_is_a_bad_stream() {
    let Some(lab) = Lab::new("damaged") else { return };
    let (one, two, target) = source_and_target(&lab);
    let mut stream = lab.stream(&two, &from(&one));
    let middle = stream.len() / 2;
    stream[middle] ^= 0xff;
    let error = failed(lab.receive(&snap(&target, "2"), &stream, &ReceiveOptions::default()));
    assert_eq!(error.kind(), Kind::BadStream);
}

#[test]
fn properties_are_overridden_excluded_and_received() {
    let Some(lab) = Lab::new("overrides") else { return };
    let source = lab.filesystem("a");
    let stream = lab.stream(&lab.snapshot(&source, "1"), &plain());

    let target = lab.name("b b");
    let mut overrides = props(&[("x:local", "v 1")]);
    overrides.add("readonly", 1_u64).expect("a valid pair");
    overrides.add("x:excluded", Value::Flag).expect("a valid pair");
    let received = props(&[("x:received", "v 2"), ("x:excluded", "v 3")]);
    let options = ReceiveOptions {
        overrides,
        received: Some(&received),
        ..resumable()
    };
    lab.received(&snap(&target, "1"), &stream, &options);

    let open = lab.handle.dataset(&target).expect("open");
    let all = open.properties().expect("read");
    assert_eq!(all.u64("readonly"), Some(1));
    assert_eq!(all.get("readonly").expect("it is set").source, Source::Local);
    assert_eq!(all.str("x:local"), Some("v 1"));
    assert_eq!(all.get("x:received").expect("it is set").source, Source::Received);
    assert_eq!(all.get("x:excluded"), None);
    let kept = open.received_properties().expect("read").expect("some were received");
    assert_eq!(kept.str("x:received"), Some("v 2"));
    assert_eq!(kept.str("x:excluded"), Some("v 3"));
    let never = lab
        .handle
        .dataset(&source)
        .expect("open")
        .received_properties()
        .expect("read");
    assert!(never.is_none_or(|properties| properties.is_empty()));
}

#[test]
fn a_clone_is_received_with_its_origin() {
    let Some(lab) = Lab::new("clone stream") else { return };
    let (one, _, target) = source_and_target(&lab);
    let clone = lab.name("clone");
    lab.core.clone_snapshot(&one, &clone, &NvList::new()).expect("clone");
    let of_clone = lab.snapshot(&clone, "c");
    let stream = lab.stream(&of_clone, &from(&one));
    assert!(begin_of(&stream).flags().contains(zfs_ffi::BeginFlags::CLONE));
    let new = lab.name("new");
    let options = ReceiveOptions {
        origin: Some(snap(&target, "1")),
        ..resumable()
    };
    lab.received(&snap(&new, "c"), &stream, &options);
    let open = lab.handle.dataset(&new).expect("open");
    assert_eq!(
        open.properties().expect("read").str("origin"),
        Some(snap(&target, "1").as_str())
    );
}

#[test]
fn progress_is_told_while_a_send_runs() {
    let Some(lab) = Lab::new("progress") else { return };
    let source = lab.filesystem("a");
    lab.write(&source, "file", BIG);
    let one = lab.snapshot(&source, "1");
    let open = lab.handle.snapshot(&one).expect("open");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    assert_eq!(
        open.send_progress(writer.as_raw_fd()).expect("ask"),
        None,
        "not started"
    );
    std::thread::scope(|scope| {
        let (core, name) = (lab.core.clone(), &one);
        let fd = writer.as_fd();
        let number = fd.as_raw_fd();
        let sender = scope.spawn(move || core.send(name, &plain(), fd));
        // The pipe is much smaller than the stream: the sender waits for somebody to read.
        BeginRecord::read_fd(reader.as_fd()).expect("the stream begins");
        let progress = open.send_progress(number).expect("ask").expect("it is running");
        assert!(progress.bytes >= 312, "{progress:?}");
        drop(reader);
        failed(sender.join().expect("no panic"));
    });
    assert_eq!(open.send_progress(writer.as_raw_fd()).expect("ask"), None, "finished");
}
