//! What the rules allow.

use super::*;
use crate::model::Guid;

fn tag() -> Tag {
    Tag::new("zrep").unwrap()
}

fn only(grants: &[&str]) -> Policy {
    let grants = grants.iter().map(|text| Grant::parse(text).unwrap()).collect();
    Policy::Only {
        source: "--allow".into(),
        grants,
    }
}

fn name(text: &str) -> DatasetName {
    DatasetName::new(text).unwrap()
}

fn set(on: &str, property: &str) -> Action {
    Action::Set {
        on: Object::Dataset(name(on)),
        properties: vec![(property.into(), Some("x".into()))],
    }
}

fn destroy(snapshot: &str, if_held: IfHeld) -> Action {
    Action::Destroy {
        snapshot: SnapshotName::new(snapshot).unwrap(),
        guid: Guid(1),
        if_held,
    }
}

#[test]
fn rights_stand_behind_the_name_even_if_that_has_colons() {
    for (text, tree, rights) in [
        ("dst/backup", "dst/backup", vec![Right::Receive]),
        ("dst/a:b", "dst/a:b", vec![Right::Receive]),
        ("dst/a:b:send:control", "dst/a:b", vec![Right::Control, Right::Send]),
    ] {
        assert_eq!(
            Grant::parse(text),
            Ok(Grant {
                tree: name(tree),
                rights
            }),
            "{text}"
        );
    }
    assert!(Grant::parse("../x:receive").is_err());
}

#[test]
fn a_grant_covers_its_tree_and_nothing_beside_it() {
    let policy = only(&["dst/backup"]);
    for inside in ["dst/backup", "dst/backup/a b"] {
        assert_eq!(policy.require(Right::Receive, &name(inside)), Ok(()));
    }
    for outside in ["dst", "dst/backup2", "dst/other", "src"] {
        assert!(policy.require_any(&name(outside)).is_err(), "{outside}");
    }
    assert!(
        policy
            .require(Right::Send, &name("dst/backup"))
            .unwrap_err()
            .hint
            .contains("dst/backup:send")
    );
    assert!(policy.is_above(&name("dst")) && !policy.is_above(&name("src")));
}

#[test]
fn no_rules_allow_nothing() {
    assert!(only(&[]).require_any(&name("dst")).is_err());
}

#[test]
fn what_no_peer_may_do_is_not_even_roots() {
    for policy in [Policy::User, only(&["dst:receive:send:control"])] {
        for action in [
            set("dst/a", "mountpoint"),
            set("dst/a", "com.example:x"),
            set("dst/a", "other:master"),
        ] {
            assert!(policy.judge(&tag(), &action).is_err(), "{action}");
        }
        assert!(
            policy
                .judge(&tag(), &Action::Snapshot(SnapshotName::new("dst/a@mine").unwrap()))
                .is_err()
        );
        assert!(policy.judge(&tag(), &destroy("dst/a@mine", IfHeld::Keep)).is_err());
    }
}

#[test]
fn a_role_takes_control_and_a_destroy_is_looked_at_twice() {
    let policy = only(&["dst:receive"]);
    for action in [
        set("dst/a", "zrep:master"),
        set("dst/a", "readonly"),
        set("dst/a", "zrep:lock-pid"),
        Action::Mount(name("dst/a")),
    ] {
        assert!(policy.judge(&tag(), &action).is_err(), "{action}");
    }
    assert_eq!(
        policy.judge(&tag(), &destroy("dst/a@zrep_000001", IfHeld::Keep)),
        Ok(Verdict::IfExpired)
    );
    assert_eq!(
        policy.judge(&tag(), &destroy("dst/a@zrep_000001", IfHeld::Fail)),
        Ok(Verdict::IfMadeHere)
    );
    assert!(policy.judge(&tag(), &destroy("dst/a@mine", IfHeld::Fail)).is_err());
}

#[test]
fn a_change_of_nothing_takes_a_right_and_is_none() {
    let empty = |on: &str| Action::Set {
        on: Object::Dataset(name(on)),
        properties: Vec::new(),
    };
    let policy = only(&["dst:receive"]);
    let beside = policy.judge(&tag(), &empty("rpool")).unwrap_err();
    assert!(beside.text.contains("not covered"), "{beside:?}");
    assert!(policy.judge(&tag(), &empty("dst/a")).is_err());
}
