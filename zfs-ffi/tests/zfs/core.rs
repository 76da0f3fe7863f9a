//! `Core`, but for streams.

use std::slice;

use zfs_ffi::{
    CleanupFd, Core, DatasetKind, Defer, Handle, HistoryPoint, Kind, NvList, Program, Value, Versions, WrappingKey,
};

use crate::lab::{Lab, failed, props, snap};

#[test]
fn without_the_module_open_says_so() {
    if std::path::Path::new("/dev/zfs").exists() {
        eprintln!("skipped: without the module: it is loaded");
        return;
    }
    for error in [failed(Core::open()), failed(Handle::open()), failed(CleanupFd::open())] {
        assert_eq!(error.kind(), Kind::NoDevice);
        assert!(error.to_string().contains("/dev/zfs does not exist"), "{error}");
    }
    assert_eq!(Versions::detect().kernel, None);
}

#[test]
fn versions_are_told() {
    let Some(lab) = Lab::new("versions") else { return };
    let versions = Versions::detect();
    eprintln!("{versions:?} on {}", lab.root.pool());
    assert!(versions.kernel.is_some());
    assert!(versions.userland.is_some_and(|name| name.starts_with("libzfs.so.")));
}

#[test]
fn datasets_are_created_renamed_and_destroyed() {
    let Some(lab) = Lab::new("datasets") else { return };
    let (one, two) = (lab.name("one"), lab.name("two 2"));
    assert!(!lab.core.exists(&one));
    lab.core
        .create(&one, DatasetKind::Filesystem, &props(&[("a:b", "c d")]))
        .expect("create");
    assert!(lab.core.exists(&one));
    let again = failed(lab.core.create(&one, DatasetKind::Filesystem, &NvList::new()));
    assert_eq!(again.kind(), Kind::Exists);
    lab.core.rename(&one, &two).expect("rename");
    assert!(!lab.core.exists(&one) && lab.core.exists(&two));
    assert_eq!(failed(lab.core.rename(&one, &two)).kind(), Kind::NotFound);
    lab.core.destroy(&two).expect("destroy");
    assert!(!lab.core.exists(&two));
    assert_eq!(failed(lab.core.destroy(&two)).kind(), Kind::NotFound);
}

#[test]
fn a_volume_is_created() {
    let Some(lab) = Lab::new("volume") else { return };
    let name = lab.name("volume");
    let mut size = NvList::new();
    size.add("volsize", 8_u64 << 20).expect("a valid pair");
    lab.core.create(&name, DatasetKind::Volume, &size).expect("create");
    let below = name.child("x").expect("a valid name");
    let error = failed(lab.core.create(&below, DatasetKind::Filesystem, &NvList::new()));
    assert_eq!(error.kind(), Kind::Invalid, "a volume has nothing below it");
}

#[test]
fn snapshots_are_made_at_once_or_not_at_all() {
    let Some(lab) = Lab::new("snapshots") else { return };
    let (a, b) = (lab.filesystem("a"), lab.filesystem("b b"));
    let both = [snap(&a, "s 1"), snap(&b, "s 1")];
    lab.core.snapshot(&both, &[("x:y", "some text")]).expect("snapshot");
    let made: Vec<_> = [&a, &b]
        .map(|name| lab.handle.dataset(name).expect("open").snapshots().expect("list"))
        .concat();
    assert_eq!(made.len(), 2);
    assert_eq!(made[0].createtxg, made[1].createtxg, "one transaction group");
    assert!(
        made.iter()
            .all(|snapshot| snapshot.user.str("x:y") == Some("some text"))
    );

    let error = failed(lab.core.snapshot(&[snap(&a, "s 2"), snap(&b, "s 1")], &[]));
    assert_eq!(error.kind(), Kind::Exists);
    assert_eq!(error.items()[0].name, snap(&b, "s 1").as_str());
    assert!(!lab.core.exists(snap(&a, "s 2")), "all or none");

    let error = failed(lab.core.snapshot(&[snap(&a, "x"), snap(&a, "y")], &[]));
    assert_eq!(error.kind(), Kind::Invalid);
    let error = failed(lab.core.snapshot(&[snap(&lab.name("none"), "x")], &[]));
    assert_eq!(error.kind(), Kind::NotFound);
    let error = failed(lab.core.snapshot(&[snap(&a, "x")], &[("readonly", "on")]));
    assert_eq!(error.kind(), Kind::Invalid);
    lab.core.snapshot(&[], &[]).expect("nothing to do");
}

#[test]
fn snapshots_are_renamed_and_destroyed() {
    let Some(lab) = Lab::new("destroy") else { return };
    let a = lab.filesystem("a");
    let one = lab.snapshot(&a, "1");
    lab.core.rename_snapshot(&one, "one 1").expect("rename");
    assert!(!lab.core.exists(&one));
    let renamed = snap(&a, "one 1");
    lab.core
        .destroy_snapshots(&[renamed.clone(), one], Defer::No)
        .expect("missing is ignored");
    assert!(!lab.core.exists(&renamed));
}

#[test]
fn a_held_snapshot_is_not_destroyed() {
    let Some(lab) = Lab::new("holds") else { return };
    let a = lab.filesystem("a");
    let one = lab.snapshot(&a, "1");
    let two = lab.snapshot(&a, "2");
    let holds = [(one.clone(), "tag x"), (one.clone(), "tag y"), (two.clone(), "tag x")];
    lab.core.hold(&holds, None).expect("hold");
    let tags: Vec<_> = lab
        .core
        .holds(&one)
        .expect("list")
        .into_iter()
        .map(|(tag, _)| tag)
        .collect();
    assert_eq!(tags.len(), 2);
    assert!(tags.contains(&"tag x".to_owned()) && tags.contains(&"tag y".to_owned()));

    assert_eq!(failed(lab.core.hold(&holds[..1], None)).kind(), Kind::Exists);
    let error = failed(lab.core.destroy_snapshots(slice::from_ref(&one), Defer::No));
    assert_eq!(error.kind(), Kind::Busy);
    lab.core.release(&holds[1..]).expect("release");
    lab.core
        .destroy_snapshots(slice::from_ref(&one), Defer::Yes)
        .expect("deferred");
    assert!(lab.core.exists(&one), "still held");
    lab.core.release(&holds[..1]).expect("release");
    assert!(!lab.core.exists(&one), "gone with its last hold");
    assert_eq!(failed(lab.core.release(&[(two, "none")])).kind(), Kind::NotFound);
}

#[test]
fn a_hold_on_a_missing_snapshot_is_an_error_although_others_are_held() {
    let Some(lab) = Lab::new("missing hold") else { return };
    let a = lab.filesystem("a");
    let one = lab.snapshot(&a, "1");
    let missing = snap(&a, "missing");
    let error = failed(lab.core.hold(&[(one.clone(), "t"), (missing.clone(), "t")], None));
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(error.items()[0].name, missing.as_str());
    assert_eq!(lab.core.holds(&one).expect("list").len(), 1);
}

#[test]
fn a_temporary_hold_goes_with_its_descriptor() {
    let Some(lab) = Lab::new("temporary") else { return };
    let a = lab.filesystem("a");
    let one = lab.snapshot(&a, "1");
    let cleanup = CleanupFd::open().expect("the device can be opened twice");
    lab.core.hold(&[(one.clone(), "lock")], Some(&cleanup)).expect("hold");
    let error = failed(lab.core.hold(&[(one.clone(), "lock")], Some(&cleanup)));
    assert_eq!(error.kind(), Kind::Exists);
    assert_eq!(lab.core.holds(&one).expect("list").len(), 1);
    drop(cleanup);
    assert_eq!(lab.core.holds(&one).expect("list"), []);
}

#[test]
fn rollback_goes_to_the_latest_snapshot_only() {
    let Some(lab) = Lab::new("rollback") else { return };
    let a = lab.filesystem("a");
    assert_eq!(failed(lab.core.rollback(&a)).kind(), Kind::NotFound);
    let one = lab.snapshot(&a, "1");
    let two = lab.snapshot(&a, "2 2");
    assert_eq!(lab.core.rollback(&a).expect("rollback"), two);
    assert_eq!(failed(lab.core.rollback_to(&one)).kind(), Kind::Exists);
    assert_eq!(failed(lab.core.rollback_to(&snap(&a, "x"))).kind(), Kind::NotFound);
    lab.core.rollback_to(&two).expect("rollback");
}

#[test]
fn a_clone_is_promoted_unless_names_conflict() {
    let Some(lab) = Lab::new("clone") else { return };
    let a = lab.filesystem("a");
    let b = lab.name("b b");
    let one = lab.snapshot(&a, "1");
    lab.core.clone_snapshot(&one, &b, &NvList::new()).expect("clone");
    let error = failed(lab.core.destroy_snapshots(slice::from_ref(&one), Defer::No));
    assert_eq!(error.kind(), Kind::Exists);
    lab.snapshot(&b, "1");
    let error = failed(lab.core.promote(&b));
    assert_eq!(error.kind(), Kind::Exists);
    assert!(error.to_string().contains('1'), "it names the snapshot");
    lab.core
        .destroy_snapshots(&[snap(&b, "1")], Defer::No)
        .expect("destroy");
    lab.core.promote(&b).expect("promote");
    assert!(lab.core.exists(snap(&b, "1")) && !lab.core.exists(&one));
}

#[test]
fn bookmarks_are_made_listed_and_destroyed() {
    let Some(lab) = Lab::new("bookmarks") else { return };
    let a = lab.filesystem("a");
    let one = lab.snapshot(&a, "1");
    let two = lab.snapshot(&a, "2");
    let (mark, copy) = (a.bookmark("m 1").expect("valid"), a.bookmark("copy").expect("valid"));
    lab.core
        .bookmark(&[(mark.clone(), one.clone().into())])
        .expect("bookmark");
    let again = failed(lab.core.bookmark(&[(mark.clone(), one.clone().into())]));
    assert_eq!(again.kind(), Kind::Exists);
    let of_two = a.bookmark("z").expect("valid");
    let more = [
        (of_two.clone(), HistoryPoint::from(two.clone())),
        (copy.clone(), HistoryPoint::from(mark.clone())),
    ];
    lab.core.bookmark(&more).expect("from a snapshot and from a bookmark");

    let listed = lab.core.bookmarks(&a).expect("list");
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[2].name, of_two, "oldest first");
    let found = listed
        .iter()
        .find(|bookmark| bookmark.name == mark)
        .expect("it is listed");
    assert_eq!(found.guid, lab.guid(&one));
    assert!(found.createtxg < listed[2].createtxg && found.creation > 1_600_000_000);

    lab.core
        .destroy_bookmarks(&[mark.clone(), copy, of_two])
        .expect("destroy");
    lab.core.destroy_bookmarks(&[mark]).expect("missing is ignored");
    assert_eq!(lab.core.bookmarks(&a).expect("list"), []);
    assert_eq!(failed(lab.core.bookmarks(&lab.name("none"))).kind(), Kind::NotFound);
}

#[test]
fn programs_return_values_and_say_what_went_wrong() {
    let Some(lab) = Lab::new("program") else { return };
    let a = lab.filesystem("a");
    let pool = lab.root.pool();
    let args = props(&[("fs", a.as_str())]);

    let look = Program::new("local a = ...; return { fs = a.fs, there = zfs.exists(a.fs), n = -1 }");
    for result in [
        lab.core.program(pool, &look, &args),
        lab.core.program_readonly(pool, &look, &args),
    ] {
        let result = result.expect("root may run programs");
        let value = result.get("return").as_ref().and_then(Value::as_list).expect("a table");
        assert_eq!(value.get("fs"), Some(Value::Str(a.as_str())));
        assert_eq!(value.get("there"), Some(Value::Bool(true)));
        assert_eq!(value.get("n"), Some(Value::I64(-1)));
    }

    let make = Program::new("local a = ...; return zfs.sync.snapshot(a.fs .. '@made')");
    lab.core.program(pool, &make, &args).expect("it may change things");
    assert!(lab.core.exists(snap(&a, "made")));

    let error = failed(lab.core.program(pool, &Program::new("error('boom')"), &args));
    assert!(error.to_string().contains("boom"), "{error}");
    let error = failed(lab.core.program(pool, &Program::new("this is no Lua"), &args));
    assert_eq!(error.kind(), Kind::Invalid);
    let endless = Program {
        instruction_limit: 10_000,
        ..Program::new("while true do end")
    };
    failed(lab.core.program(pool, &endless, &args));
    let error = failed(lab.core.program("no such pool", &look, &args));
    assert_eq!(error.kind(), Kind::NotFound);
}

#[test]
fn a_pool_is_synced() {
    let Some(lab) = Lab::new("sync") else { return };
    lab.core.wait_synced(lab.root.pool()).expect("sync");
    assert_eq!(failed(lab.core.wait_synced("no such pool")).kind(), Kind::NotFound);
}

#[test]
fn keys_are_loaded_and_unloaded() {
    let Some(lab) = Lab::new("keys") else { return };
    let secret = lab.name("secret");
    let key = WrappingKey::new([7; 32]);
    let mut options = props(&[("keylocation", "prompt")]);
    options.add("encryption", 1_u64).expect("a valid pair");
    options.add("keyformat", 1_u64).expect("a valid pair");
    lab.core
        .create_encrypted(&secret, DatasetKind::Filesystem, &options, &key)
        .expect("create");

    assert_eq!(failed(lab.core.load_key(&secret, &key)).kind(), Kind::Exists);
    lab.core.unload_key(&secret).expect("it is not mounted");
    assert_eq!(failed(lab.core.unload_key(&secret)).kind(), Kind::KeyUnavailable);
    let below = secret.child("x").expect("a valid name");
    let error = failed(lab.core.create(&below, DatasetKind::Filesystem, &NvList::new()));
    assert_eq!(error.kind(), Kind::KeyUnavailable);
    let wrong = WrappingKey::new([8; 32]);
    assert_eq!(failed(lab.core.check_key(&secret, &wrong)).kind(), Kind::KeyUnavailable);
    lab.core.check_key(&secret, &key).expect("the right key");
    lab.core.load_key(&secret, &key).expect("load");
    lab.core
        .create(&below, DatasetKind::Filesystem, &NvList::new())
        .expect("create");
}
