//! The host as a whole, over a `zfs` that is a script. What the true one says is checked where there is ZFS.

use std::io::{Read, Write, pipe};
use std::thread;
use std::time::{Duration, Instant};

use super::scene::{Scene, patience};
use crate::host::{Applied, Error, ErrorKind, Host, Received};
use crate::model::{Guid, Native, Origin, StreamFlags};
use crate::plan::{Action, Creation, IfHeld, Object, Transfer};
use zfs_ffi::{BeginFields, BeginRecord, DatasetName};

const GUID: u64 = 77;

fn dst() -> DatasetName {
    DatasetName::new("dst/f s").unwrap()
}

fn transfer(creation: Option<Creation>) -> Transfer {
    Transfer {
        snapshot: DatasetName::new("src/f s").unwrap().snapshot("a").unwrap(),
        guid: Some(Guid(GUID)),
        base: None,
        into: dst().snapshot("a").unwrap(),
        flags: StreamFlags::plain(),
        resume: None,
        creation,
    }
}

fn begin() -> Vec<u8> {
    let fields = BeginFields {
        to_guid: GUID,
        to_name: "src/f s@a".into(),
        ..BeginFields::default()
    };
    BeginRecord::from(fields).as_bytes().to_vec()
}

/// Receives a begin record and `len` bytes more.
fn receive(scene: &Scene, patience: Duration, transfer: &Transfer, len: usize) -> Result<Received, Error> {
    let (input, mut out) = pipe().unwrap();
    let sender = thread::spawn(move || {
        let _ = out.write_all(&begin()).and_then(|()| out.write_all(&vec![7; len]));
    });
    let received = scene.shell(patience).receive(transfer, input);
    sender.join().unwrap();
    received
}

fn set(name: &str, value: &str) -> Action {
    Action::Set {
        on: Object::Dataset(dst()),
        properties: vec![(name.into(), Some(value.into()))],
    }
}

#[test]
fn a_stream_arrives_as_it_is_and_with_its_properties() {
    let scene = Scene::new("receive").with_zfs("cat > $here/stream; echo received; echo 'odd thing' >&2");
    let received = vec![
        ("compression".into(), Native::Number(15)),
        ("zrep:x".into(), Native::Text("it's $x".into())),
        ("aclmode".into(), Native::Number(99)),
    ];
    let creation = Creation {
        received,
        local: vec![("readonly".into(), Native::Number(1))],
    };
    let received = receive(&scene, patience(), &transfer(Some(creation)), 3_000_000).unwrap();
    assert_eq!((received.guid, received.bytes), (Guid(GUID), 3_000_312));
    assert!(
        received.warnings[0].contains("aclmode") && received.warnings[1].contains("odd thing"),
        "{received:?}"
    );
    let stream = scene.read("stream");
    assert_eq!((stream.len(), &stream[..312]), (3_000_312, begin().as_slice()));
    assert_eq!(
        scene.log(),
        ["<receive><-s><-u><-o><compression=lz4><-o><zrep:x=it's $x><-o><readonly=on><dst/f s@a>"]
    );
}

#[test]
fn what_zfs_refuses_is_told_with_its_words() {
    let scene =
        Scene::new("refused").with_zfs("echo 'cannot receive: destination dst/f s has been modified' >&2; exit 1");
    let error = receive(&scene, patience(), &transfer(None), 3_000_000).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Modified);
    assert_eq!(
        error.text,
        "cannot receive: destination dst/f s has been modified (on host beta)"
    );
}

#[test]
fn another_stream_than_was_promised_is_not_passed_on() {
    let scene = Scene::new("promised").with_zfs("exit 0");
    let other = Transfer {
        guid: Some(Guid(1)),
        ..transfer(None)
    };
    assert_eq!(
        receive(&scene, patience(), &other, 10).unwrap_err().kind,
        ErrorKind::WrongBase
    );
    let (input, out) = pipe().unwrap();
    drop(out);
    let early = scene.shell(patience()).receive(&other, input).unwrap_err();
    assert_eq!((early.kind, scene.log()), (ErrorKind::Interrupted, Vec::new()));
}

#[test]
fn a_stream_that_stands_still_is_given_up() {
    let scene = Scene::new("stall").with_zfs("head -c 1000 > $here/stream; exec sleep 100");
    let begun = Instant::now();
    let error = receive(&scene, Duration::from_millis(500), &transfer(None), 8_000_000).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Interrupted);
    assert!(error.text.contains("no byte has moved"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_slow_sender_is_no_standstill() {
    let scene = Scene::new("slow").with_zfs("cat > $here/stream");
    let (input, mut out) = pipe().unwrap();
    let sender = thread::spawn(move || {
        out.write_all(&begin()).unwrap();
        thread::sleep(Duration::from_millis(1500));
        out.write_all(b"rest").unwrap();
    });
    let received = scene
        .shell(Duration::from_millis(300))
        .receive(&transfer(None), input)
        .unwrap();
    sender.join().unwrap();
    assert_eq!(received.bytes, 316);
}

#[test]
fn a_snapshot_that_has_arrived_needs_no_last_word() {
    let zfs = "case $1 in receive) cat > $here/stream; exec sleep 100 ;; get) echo 77 ;; esac";
    let scene = Scene::new("arrived").with_zfs(zfs);
    let received = receive(&scene, Duration::from_millis(500), &transfer(None), 100).unwrap();
    assert_eq!((received.guid, received.bytes), (Guid(GUID), 412));
}

#[test]
fn a_stream_comes_from_there_and_is_counted() {
    let scene = Scene::new("send").with_zfs("head -c 500000 /dev/zero");
    let (mut input, out) = pipe().unwrap();
    let reader = thread::spawn(move || {
        let mut stream = Vec::new();
        input.read_to_end(&mut stream).map(|_| stream.len()).unwrap()
    });
    scene
        .shell(patience())
        .send(&transfer(None), out, Some(&|bytes| assert!(bytes <= 500_000)))
        .unwrap();
    assert_eq!(reader.join().unwrap(), 500_000);
    assert_eq!(scene.log(), ["<send><-L><-c><src/f s@a>"]);
}

#[test]
fn a_sender_tells_a_reader_that_left_from_a_snapshot_that_is_gone() {
    let scene = Scene::new("reader-left").with_zfs("exec head -c 50000000 /dev/zero");
    let (input, out) = pipe().unwrap();
    drop(input);
    assert_eq!(
        scene
            .shell(patience())
            .send(&transfer(None), out, None)
            .unwrap_err()
            .kind,
        ErrorKind::Interrupted
    );
    let scene = Scene::new("gone").with_zfs("echo \"cannot open 'src/f s@a': dataset does not exist\" >&2; exit 1");
    let (_input, out) = pipe().unwrap();
    assert_eq!(
        scene
            .shell(patience())
            .send(&transfer(None), out, None)
            .unwrap_err()
            .kind,
        ErrorKind::NotFound
    );
}

#[test]
fn a_batch_ends_where_it_fails() {
    let zfs =
        r#"case "$*" in *zrep:bad*) echo "cannot set property for 'dst/f s': permission denied" >&2; exit 1 ;; esac"#;
    let scene = Scene::new("batch").with_zfs(zfs);
    let shell = scene.shell(patience());
    let newest = Action::ExpectNewest {
        dataset: dst(),
        snapshot: None,
    };
    let failed = shell
        .apply(&[newest.clone(), set("zrep:bad", "1"), set("zrep:b", "2")])
        .unwrap_err();
    assert_eq!(
        (failed.index, failed.begun, failed.error.kind),
        (1, false, ErrorKind::Permission)
    );
    let failed = shell
        .apply(&[newest, set("zrep:a", "1"), set("zrep:bad", "1")])
        .unwrap_err();
    assert_eq!((failed.index, failed.begun), (2, true));
    assert!(!scene.log().iter().any(|call| call.contains("zrep:b=2")));
}

#[test]
fn a_condition_that_does_not_hold_tells_what_was_found() {
    let scene = Scene::new("condition").with_zfs("printf 'local\\t%s\\n' 4711");
    let expect = |value: Option<&str>| Action::Expect {
        dataset: dst(),
        property: "zrep:lock-pid".into(),
        value: value.map(str::to_owned),
    };
    let shell = scene.shell(patience());
    assert_eq!(shell.apply(&[expect(Some("4711"))]).unwrap(), [Applied::Done]);
    let failed = shell.apply(&[expect(None), set("a:b", "c")]).unwrap_err();
    assert_eq!(
        (failed.index, failed.begun, failed.error.kind),
        (0, false, ErrorKind::Unexpected)
    );
    assert!(failed.error.text.contains("4711"), "{failed}");
    assert_eq!(scene.log().len(), 2, "nothing was set");
}

#[test]
fn a_snapshot_is_destroyed_by_its_guid_and_kept_if_it_is_held() {
    let zfs = "case $1 in get) echo 5 ;; destroy) echo 'cannot destroy: it is being held' >&2; exit 1 ;; esac";
    let scene = Scene::new("destroy").with_zfs(zfs);
    let destroy = |guid, if_held| Action::Destroy {
        snapshot: dst().snapshot("a").unwrap(),
        guid: Guid(guid),
        if_held,
    };
    let shell = scene.shell(patience());
    assert_eq!(
        shell.apply(&[destroy(6, IfHeld::Keep)]).unwrap_err().error.kind,
        ErrorKind::Unexpected
    );
    let kept = shell.apply(&[destroy(5, IfHeld::Keep)]).unwrap();
    assert_eq!(
        kept,
        [Applied::Kept {
            reason: "cannot destroy: it is being held".into()
        }]
    );
    assert_eq!(
        shell.apply(&[destroy(5, IfHeld::Fail)]).unwrap_err().error.kind,
        ErrorKind::Busy
    );
}

#[test]
fn a_lost_answer_leaves_open_whether_it_was_done() {
    let scene = Scene::new("lost").with_zfs("exec sleep 100");
    let failed = scene
        .shell(Duration::from_millis(300))
        .apply(&[set("a:b", "c")])
        .unwrap_err();
    assert_eq!(
        (failed.index, failed.begun, failed.error.kind),
        (0, true, ErrorKind::Lost)
    );
}

#[test]
fn a_machine_out_of_reach_has_done_nothing() {
    let scene = Scene::new("unreachable").with_ssh("echo 'ssh: no route' >&2; exit 255");
    let failed = scene.shell(patience()).apply(&[set("a:b", "c")]).unwrap_err();
    assert_eq!((failed.begun, failed.error.kind), (false, ErrorKind::Unreachable));
    assert!(
        failed.error.text.contains("no route") && failed.error.hint.is_some(),
        "{failed:?}"
    );
}

#[test]
fn a_session_that_has_died_is_replaced_by_the_next_call() {
    let scene =
        Scene::new("replaced").with_zfs("[ -e $here/once ] && exit 0; : > $here/once; kill -9 $(cat $here/pid)");
    let scene = scene.with_ssh("echo $$ > $(dirname \"$0\")/pid");
    let shell = scene.shell(patience());
    assert_eq!(shell.with_property("zrep:x").unwrap_err().kind, ErrorKind::Lost);
    assert_eq!(shell.with_property("zrep:x").unwrap(), []);
    assert_eq!(scene.log().len(), 2);
}

#[test]
fn a_dataset_is_observed_or_is_not_there() {
    let missing = Scene::new("missing").with_zfs("echo \"cannot open 'dst/f s': dataset does not exist\" >&2; exit 1");
    assert_eq!(missing.shell(patience()).observe(&dst()).unwrap(), None);
    assert_eq!(missing.shell(patience()).snapshots_since(&dst(), 0).unwrap(), []);
    let zfs = r#"case "$*" in
*inconsistent*) printf 'type\tfilesystem\t-\nguid\t9\t-\nreadonly\ton\tlocal\nencryption\toff\tdefault\nwritten\t0\t-\nreferenced\t5\t-\ninconsistent\t0\t-\n' ;;
*property,source*) printf 'atime\tlocal\nzrep:a\tlocal\nzrep:b\treceived\n' ;;
*property,value,source*) printf 'atime\toff\tlocal\nzrep:a\ttwo\nlines\tlocal\nzrep:b\tx\treceived\n' ;;
*zrep:a*) printf 'two\nlines\n' ;;
*zrep:b*) echo x ;;
*snapshot*) printf 'dst/f s@a\t77\t10\t1700000000\n' ;;
*receive_resume_token*) echo - ;;
esac"#;
    let scene = Scene::new("observe").with_zfs(zfs);
    let state = scene.shell(patience()).observe(&dst()).unwrap().unwrap();
    assert_eq!(
        (state.guid, state.readonly, state.readonly_origin),
        (Guid(9), true, Origin::Local)
    );
    assert_eq!(
        (state.user["zrep:a"].value.as_str(), state.user["zrep:b"].origin),
        ("two\nlines", Origin::Received)
    );
    assert_eq!(state.newest().map(|snapshot| snapshot.guid), Some(Guid(GUID)));
    assert_eq!(
        (state.copied.get("atime"), state.partial, state.inconsistent),
        (Some(&Native::Number(0)), None, false)
    );
}
