//! Sessions of a peer that means harm, on a machine in memory.

use super::*;
use crate::host::Applied;
use crate::host::fake::Fake;
use crate::model::{Kind, Native, StreamFlags};
use crate::plan::{Action, Base, BaseName, Creation, IfHeld, Object, Transfer};
use crate::policy::Grant;
use crate::settings::Machine;
use zfs_ffi::SnapshotName;

fn name(text: &str) -> DatasetName {
    DatasetName::new(text).unwrap()
}

fn snapshot(text: &str) -> SnapshotName {
    SnapshotName::new(text).unwrap()
}

fn session(fake: &Arc<Fake>, rules: &[&str]) -> Session {
    let machine = Machine {
        nodename: "beta".into(),
        is_root: true,
    };
    let policy = Policy::Only {
        source: "--allow".into(),
        grants: rules.iter().map(|rule| Grant::parse(rule).unwrap()).collect(),
    };
    Session {
        server: Server {
            host: Arc::clone(fake) as Arc<dyn Host>,
            policy,
            settings: Settings::new(None, &machine, |_| None).unwrap(),
            zfs: "fake".into(),
        },
        tag: Tag::new("zrep").unwrap(),
        pulse: None,
        made: Vec::new(),
    }
}

fn set(on: &str, properties: &[(&str, &str)]) -> Action {
    Action::Set {
        on: Object::Dataset(name(on)),
        properties: properties
            .iter()
            .map(|(property, value)| ((*property).to_owned(), Some((*value).to_owned())))
            .collect(),
    }
}

/// A machine with the replica `dst/a` of `alpha:src/a`.
fn replica() -> Arc<Fake> {
    let fake = Arc::new(Fake::new(&["dst"]));
    fake.create("dst/a", Kind::Filesystem);
    let pair = set(
        "dst/a",
        &[
            ("zrep:src-host", "alpha"),
            ("zrep:src-fs", "src/a"),
            ("zrep:dest-host", "beta"),
            ("zrep:dest-fs", "dst/a"),
            ("zrep:savecount", "5"),
        ],
    );
    fake.apply(&[pair]).unwrap();
    fake
}

fn full(into: &str, creation: Option<Creation>) -> Transfer {
    Transfer {
        snapshot: snapshot("src/a@zrep_000000"),
        guid: None,
        base: None,
        into: snapshot(into),
        flags: StreamFlags::plain(),
        resume: None,
        creation,
    }
}

#[test]
fn properties_come_with_the_first_stream_only() {
    let fake = replica();
    let wished = Creation {
        received: vec![("zrep:savecount".into(), Native::Text("1".into()))],
        local: Vec::new(),
    };
    let mut transfer = full("dst/a@zrep_000001", Some(wished.clone()));
    session(&fake, &["dst"]).require_receivable(&mut transfer).unwrap();
    assert_eq!(transfer.creation, None, "a replica keeps its own");
    let mut transfer = full("dst/new@zrep_000001", Some(wished.clone()));
    session(&fake, &["dst"]).require_receivable(&mut transfer).unwrap();
    assert_eq!(transfer.creation.unwrap().received, wished.received);
}

#[test]
fn what_is_new_is_read_only_whatever_the_peer_wishes() {
    for wished in [
        None,
        Some(Creation {
            received: Vec::new(),
            local: Vec::new(),
        }),
    ] {
        let mut transfer = full("dst/new@zrep_000001", wished);
        session(&replica(), &["dst"]).require_receivable(&mut transfer).unwrap();
        assert_eq!(
            transfer.creation.unwrap().local,
            [("readonly".to_owned(), Native::Number(1))]
        );
    }
}

#[test]
fn the_rules_hold_for_one_tag() {
    let server = session(&replica(), &["dst"]).server;
    let hello = |tag: &str| Hello {
        oldest: VERSION,
        newest: VERSION,
        zrep: "test".into(),
        host: "alpha".into(),
        tag: tag.into(),
        patience: 20,
    };
    assert!(server.accept(&hello("zrep")).is_ok());
    let refused = server.accept(&hello("daily")).unwrap_err();
    assert!(
        refused.text.contains("tag daily") && refused.text.contains("--allow"),
        "{refused:?}"
    );
}

/// Snapshots of a dataset, and what comes of a peer's wish to destroy the oldest.
fn oldest_goes(fake: &Arc<Fake>, dataset: &str, count: usize) -> bool {
    let names: Vec<Action> = (0..count)
        .map(|number| Action::Snapshot(snapshot(&format!("{dataset}@zrep_{number:06x}"))))
        .collect();
    fake.apply(&names).unwrap();
    let state = fake.observe(&name(dataset)).unwrap().unwrap();
    let oldest = Action::Destroy {
        snapshot: snapshot(&format!("{dataset}@zrep_000000")),
        guid: state.snapshots[0].guid,
        if_held: IfHeld::Keep,
    };
    let applied = session(fake, &["dst"]).apply(&[oldest]).unwrap();
    !matches!(applied[0], Applied::Kept { .. })
}

#[test]
fn nothing_expires_that_nobody_here_has_counted() {
    assert!(oldest_goes(&replica(), "dst/a", 6));
    let fake = replica();
    fake.create("dst/alone", Kind::Filesystem);
    assert!(!oldest_goes(&fake, "dst/alone", 6), "it has no pair");
    let uncounted = Action::Set {
        on: Object::Dataset(name("dst/a")),
        properties: vec![("zrep:savecount".into(), None)],
    };
    fake.apply(&[uncounted]).unwrap();
    assert!(!oldest_goes(&fake, "dst/a", 6), "it has no count");
}

#[test]
fn a_stream_that_was_announced_does_not_get_into_a_master() {
    let fake = replica();
    fake.apply(&[Action::Snapshot(snapshot("dst/a@zrep_000000"))]).unwrap();
    let newest = fake.observe(&name("dst/a")).unwrap().unwrap().snapshots[0].guid;
    let mut transfer = Transfer {
        base: Some(Base {
            name: BaseName::Snapshot(snapshot("src/a@zrep_000000")),
            guid: newest,
        }),
        ..full("dst/a@zrep_000001", None)
    };
    let session = session(&fake, &["dst"]);
    session.require_receivable(&mut transfer).unwrap();
    session.require_unchanged(&transfer).unwrap();
    fake.apply(&[Action::Snapshot(snapshot("dst/a@manual"))]).unwrap();
    let error = session.require_unchanged(&transfer).unwrap_err();
    assert_eq!(error.kind, ErrorKind::WrongBase, "{error}");
    fake.apply(&[set("dst/a", &[("zrep:master", "yes")])]).unwrap();
    let error = session.require_unchanged(&transfer).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied, "{error}");
}

#[test]
fn an_epoch_is_told_to_a_replica_and_never_falls() {
    let fake = replica();
    let tell = |epoch: &str| session(&fake, &["dst"]).apply(&[set("dst/a", &[("zrep:epoch", epoch)])]);
    tell("3").unwrap();
    for refused in ["2", "x", "18446744073709551615", "9223372036854775808"] {
        assert!(tell(refused).is_err(), "{refused}");
    }
    let none = Action::Set {
        on: Object::Dataset(name("dst/a")),
        properties: vec![("zrep:epoch".into(), None)],
    };
    assert!(session(&fake, &["dst"]).apply(&[none]).is_err());
    fake.apply(&[set("dst/a", &[("zrep:master", "yes")])]).unwrap();
    assert!(tell("4").is_err(), "a master");
    let with_control = session(&fake, &["dst:receive:control"]).apply(&[set("dst/a", &[("zrep:epoch", "4")])]);
    assert!(with_control.is_ok());
}

#[test]
fn a_master_keeps_what_its_own_replica_has() {
    let fake = replica();
    fake.apply(&[set("dst/a", &[("zrep:master", "yes")])]).unwrap();
    assert!(!oldest_goes(&fake, "dst/a", 9), "nothing was sent");
    let state = fake.observe(&name("dst/a")).unwrap().unwrap();
    let mark = |short: &str| Action::Set {
        on: Object::Snapshot(snapshot(&format!("dst/a@{short}"))),
        properties: vec![("zrep:sent".into(), Some("1700000000".into()))],
    };
    fake.apply(&[mark("zrep_000007")]).unwrap();
    let destroy = |number: usize| Action::Destroy {
        snapshot: snapshot(&format!("dst/a@{}", state.snapshots[number].name)),
        guid: state.snapshots[number].guid,
        if_held: IfHeld::Keep,
    };
    let wishes = [destroy(0), destroy(7)];
    let kept = |rules: &[&str]| {
        let judged = session(&fake, rules).judge(&wishes).unwrap();
        judged.iter().map(Option::is_some).collect::<Vec<_>>()
    };
    assert_eq!(kept(&["dst:receive"]), [true, true]);
    assert_eq!(kept(&["dst:send"]), [false, true]);
    assert!(session(&fake, &["dst:receive"]).judge(&[mark("zrep_000008")]).is_err());
    assert!(session(&fake, &["dst:send"]).judge(&[mark("zrep_000008")]).is_ok());
}

#[test]
fn somebody_elses_receive_is_not_dropped() {
    let fake = replica();
    fake.create("dst/alone", Kind::Filesystem);
    let judge = |action: Action| session(&fake, &["dst:receive"]).judge(&[action]).map(drop);
    assert!(judge(Action::DiscardPartial(name("dst/a"))).is_ok());
    assert!(judge(Action::DiscardPartial(name("dst/alone"))).is_err());
    fake.apply(&[set("dst/a", &[("zrep:master", "yes")])]).unwrap();
    assert!(judge(Action::DiscardPartial(name("dst/a"))).is_err());
}

#[test]
fn a_half_received_dataset_goes_only_if_zrep_began_it() {
    for (short, is_ours) in [("zrep_000000", true), ("manual", false)] {
        let fake = Arc::new(Fake::new(&["src", "dst"]));
        fake.create("src/a", Kind::Filesystem);
        fake.write("src/a", &[7; 9000]);
        let from = snapshot(&format!("src/a@{short}"));
        fake.apply(&[Action::Snapshot(from.clone())]).unwrap();
        let transfer = Transfer {
            snapshot: from,
            ..full("dst/half@x", None)
        };
        fake.limit("dst", 10);
        let (input, out) = std::io::pipe().unwrap();
        fake.send(&transfer, out, None).unwrap();
        fake.receive(&transfer, input).unwrap_err();
        let judged = session(&fake, &["dst"]).judge(&[Action::DestroyUnreceived(name("dst/half"))]);
        assert_eq!(judged.is_ok(), is_ours, "{short}");
    }
}

#[test]
fn a_renamed_replica_takes_no_streams() {
    let fake = replica();
    fake.apply(&[set("dst/a", &[("zrep:dest-fs", "dst/before")])]).unwrap();
    let mut transfer = full("dst/a@zrep_000001", None);
    let error = session(&fake, &["dst"]).require_receivable(&mut transfer).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
}

#[test]
fn a_base_lies_in_the_tree() {
    let session = session(&replica(), &["dst:send"]);
    let from = |base: &str| Transfer {
        snapshot: snapshot("dst/a@zrep_000001"),
        base: Some(Base {
            name: BaseName::Snapshot(snapshot(base)),
            guid: Guid(1),
        }),
        ..full("src/a@zrep_000001", None)
    };
    assert!(session.require_source(&from("dst/a@zrep_000000")).is_ok());
    assert!(session.require_source(&from("secret/x@y")).is_err());
}

#[test]
fn a_batch_is_not_longer_in_memory_than_on_the_wire() {
    let session = session(&replica(), &["dst"]);
    let long = set("dst/a", &[("zrep:lastsent", "x"); 65]);
    let error = session.judge(&[long]).unwrap_err().error;
    assert!(error.text.contains("65 properties on dst/a"), "{error}");
    let many = vec![Action::ExpectUnwritten(name("dst/a")); 16_385];
    assert!(session.judge(&many).is_err());
    assert!(session.judge(&many[1..]).is_ok());
}

/// The same replica, of a tree, and something beside it.
fn replica_of_a_tree() -> Arc<Fake> {
    let fake = replica();
    for name in ["dst/a/x", "dst/other"] {
        fake.create(name, Kind::Filesystem);
    }
    let recursive = set("dst/a", &[("zrep:recursive", "yes"), ("readonly", "on")]);
    fake.apply(&[recursive]).unwrap();
    fake
}

#[test]
fn only_a_child_of_a_recursive_replica_is_renamed_and_only_within_its_tree() {
    let rename = |fake: &Arc<Fake>, from: &str, to: &str| {
        let (from, to) = (name(from), name(to));
        let applied = session(fake, &["dst"]).apply(&[Action::Rename { from, to }]);
        applied.map(drop).map_err(|failed| failed.error.kind)
    };
    for (from, to) in [
        ("dst/a", "dst/b"),
        ("dst/a/x", "dst/x"),
        ("dst/other", "dst/a/other"),
        ("dst/other", "dst/new"),
    ] {
        assert_eq!(
            rename(&replica_of_a_tree(), from, to),
            Err(ErrorKind::Denied),
            "{from} {to}"
        );
    }
    assert_eq!(rename(&replica_of_a_tree(), "dst/a/x", "dst/a/y"), Ok(()));
    let single = replica();
    single.create("dst/a/x", Kind::Filesystem);
    assert_eq!(rename(&single, "dst/a/x", "dst/a/y"), Err(ErrorKind::Denied));
    let master = replica_of_a_tree();
    master.apply(&[set("dst/a", &[("zrep:master", "yes")])]).unwrap();
    assert_eq!(rename(&master, "dst/a/x", "dst/a/y"), Err(ErrorKind::Denied));
}

#[test]
fn a_child_has_the_role_of_its_top() {
    let fake = replica_of_a_tree();
    for into in ["dst/a/x@zrep_000001", "dst/a/new@zrep_000001"] {
        let mut transfer = full(into, None);
        session(&fake, &["dst"]).require_receivable(&mut transfer).unwrap();
    }
    let mut transfer = full("dst/a/new@zrep_000001", None);
    session(&fake, &["dst"]).require_receivable(&mut transfer).unwrap();
    assert_eq!(transfer.creation.unwrap().local, [], "it inherits that it is read-only");
    fake.apply(&[set("dst/a", &[("zrep:master", "yes")])]).unwrap();
    for into in ["dst/a/x@zrep_000001", "dst/a/new@zrep_000001"] {
        let refused = session(&fake, &["dst"]).require_receivable(&mut full(into, None));
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Denied, "{into}");
    }
}
