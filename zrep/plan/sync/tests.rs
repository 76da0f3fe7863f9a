use super::*;
use crate::model::notation::{Builder, me, request, state};
use crate::model::{Guid, Partial, StreamFlags};
use crate::model::{Origin, ResumePoint};
use crate::plan::preferences::Others;

fn master(line: &str) -> State {
    state("a/fs", line).master().build()
}

fn replica(line: &str) -> State {
    state("b/fs", line).replica().build()
}

/// The plan's lines without those that only deal with the lock.
fn lines(planned: Planned) -> Vec<String> {
    planned
        .unwrap()
        .lines()
        .into_iter()
        .filter(|line| !line.contains("lock-") && !line.contains("expect"))
        .collect()
}

#[test]
fn a_sync_snapshots_sends_marks_and_expires_under_the_lock() {
    let source = master("@zrep_000001=1! @zrep_000002=2! @zrep_000003=3!");
    let target = replica("@zrep_000001=1! @zrep_000002=2! @zrep_000003=3!");
    assert_eq!(
        plan(&me(), &source, &target, &request()).unwrap().lines(),
        [
            "source: expect no zrep:lock-pid on a/fs",
            "source: expect zrep:master=yes on a/fs",
            "source: expect a/fs@zrep_000003 to be the newest",
            "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
            "source: snapshot a/fs@zrep_000004",
            "target: expect no zrep:master on b/fs",
            "target: expect no zrep:epoch on b/fs",
            "send a/fs@zrep_000004 into b/fs, incremental from a/fs@zrep_000003",
            "source: set zrep:sent=1800000000 on a/fs@zrep_000004",
            "source: destroy snapshot a/fs@zrep_000001",
            "source: set zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
            "target: set zrep:sent=1800000000 on b/fs@zrep_000004",
            "target: destroy snapshot b/fs@zrep_000001",
        ]
    );
}

#[test]
fn a_snapshot_of_somebody_else_travels_along_with_the_default_tag_only() {
    let source = [
        ("uk:master", "yes"),
        ("uk:src-fs", "a/fs"),
        ("uk:src-host", "here"),
        ("uk:dest-fs", "b/fs"),
        ("uk:dest-host", "localhost"),
    ]
    .into_iter()
    .fold(
        state("a/fs", "@zrep_000001=1! @daily=7 @zrep_000002_unsent=8").master(),
        |state, (name, value)| state.user(name, value, Origin::Local),
    )
    .build();
    let target = replica("@zrep_000001=1!");
    let sent = |me: &Identity| {
        let planned = plan(me, &source, &target, &request());
        lines(planned)
            .into_iter()
            .filter(|line| line.starts_with("send"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sent(&me()),
        [
            "send a/fs@daily into b/fs, incremental from a/fs@zrep_000001",
            "send a/fs@zrep_000002_unsent into b/fs, incremental from a/fs@daily",
            "send a/fs@zrep_000003 into b/fs, incremental from a/fs@zrep_000002_unsent",
        ]
    );
    let uk = Identity {
        tag: Tag::new("uk").unwrap(),
        ..me()
    };
    assert_eq!(
        sent(&uk),
        ["send a/fs@uk_000000 into b/fs, incremental from a/fs@zrep_000001"]
    );
}

#[test]
fn a_number_that_only_the_target_has_is_not_used_again() {
    let source = master("@zrep_000001=1!");
    let target = state("b/fs", "@zrep_000001=1! @zrep_000002.keep=9").replica().build();
    let forced = Request {
        force: true,
        ..request()
    };
    assert!(lines(plan(&me(), &source, &target, &forced)).contains(&"source: snapshot a/fs@zrep_000003".to_owned()));
}

#[test]
fn a_target_with_snapshots_of_its_own_is_refused_and_named() {
    let refusal = plan(
        &me(),
        &master("@zrep_000001=1!"),
        &replica("@zrep_000001=1! @mine=9"),
        &request(),
    )
    .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "target b/fs: has 1 snapshot that a/fs does not have"
    );
    assert_eq!(refusal.telling().found, "newer than that: mine");
}

#[test]
fn force_says_what_it_discards_and_destroys_just_that() {
    let target = state("b/fs", "@zrep_000001=1! @mine=9")
        .replica()
        .with(|state| state.written = 4096)
        .build();
    let planned = plan(
        &me(),
        &master("@zrep_000001=1!"),
        &target,
        &Request {
            force: true,
            ..request()
        },
    )
    .unwrap();
    assert_eq!(
        planned.notes,
        [
            "b/fs: rolling back to @zrep_000001. This discards 1 snapshot (mine) and whatever was written to it since (4096 bytes are known of)."
        ]
    );
    let target_lines: Vec<String> = planned
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("target:") && !line.contains("expect"))
        .collect();
    assert_eq!(
        target_lines[..2],
        [
            "target: destroy snapshot b/fs@mine",
            "target: roll back to b/fs@zrep_000001"
        ]
    );
}

/// A replica that has a snapshot of the tag `uk`, which its source does not have.
fn behind_another_tag(change: impl FnOnce(Builder) -> Builder) -> Planned {
    let paired = |builder: Builder, name: &str| builder.user("uk:src-fs", name, Origin::Local);
    let source = paired(state("a/fs", "@zrep_000001=1!").master(), "a/fs").build();
    let target = state("b/fs", "@zrep_000001=1! @uk_00000c=9").replica();
    let target = target.with(|state| state.readonly = true);
    plan(&me(), &source, &change(target).build(), &request())
}

#[test]
fn what_another_tag_has_given_up_on_the_source_stops_nothing() {
    let lines = lines(behind_another_tag(|target| target));
    let prepared: Vec<&String> = lines
        .iter()
        .filter(|line| line.starts_with("target:"))
        .take(2)
        .collect();
    assert_eq!(
        prepared,
        [
            "target: destroy snapshot b/fs@uk_00000c",
            "target: roll back to b/fs@zrep_000001"
        ]
    );
}

#[test]
fn what_another_tag_has_made_on_the_target_is_its_own() {
    let sent_on = |target: Builder| target.user("uk:src-fs", "b/fs", Origin::Local);
    let written = |target: Builder| target.with(|state| state.written = 1);
    let writable = |target: Builder| target.with(|state| state.readonly = false);
    let changes: [fn(Builder) -> Builder; 3] = [sent_on, written, writable];
    for change in changes {
        let refused = behind_another_tag(change).unwrap_err();
        assert!(matches!(refused.why, Why::Diverged { .. }), "{refused}");
    }
    let of_no_pair = plan(
        &me(),
        &master("@zrep_000001=1!"),
        &replica("@zrep_000001=1! @uk_00000c=9"),
        &request(),
    );
    assert!(of_no_pair.is_err());
}

#[test]
fn force_rolls_back_also_what_is_not_known_of_yet() {
    let planned = plan(
        &me(),
        &master("@zrep_000001=1!"),
        &replica("@zrep_000001=1!"),
        &Request {
            force: true,
            ..request()
        },
    );
    // N.B. `written` is of the last transaction group on disk: what was written a moment ago is not in it.
    assert!(lines(planned).contains(&"target: roll back to b/fs@zrep_000001".to_owned()));
}

#[test]
fn only_with_changed_only_is_an_unchanged_source_left_alone() {
    let (source, target) = (master("@zrep_000001=1!"), replica("@zrep_000001=1!"));
    let request = Request {
        changed_only: true,
        ..request()
    };
    assert_eq!(plan(&me(), &source, &target, &request).unwrap(), Plan::default());
    let written = state("a/fs", "@zrep_000001=1!")
        .master()
        .with(|state| state.written = 1)
        .build();
    assert!(!plan(&me(), &written, &target, &request).unwrap().stages.is_empty());
    let unsent = master("@zrep_000001=1! @zrep_000002=2");
    assert!(!plan(&me(), &unsent, &target, &request).unwrap().stages.is_empty());
}

fn interrupted(to: u64, to_name: &str) -> State {
    let stream = StreamFlags::plain();
    let point = ResumePoint {
        object: 3,
        offset: 0,
        bytes: 512,
        stream,
    };
    let partial = Partial {
        to_guid: Guid(to),
        from_guid: Some(Guid(1)),
        to_name: to_name.into(),
        point,
    };
    state("b/fs", "@zrep_000001=1!")
        .replica()
        .with(|state| state.partial = Some(partial))
        .build()
}

#[test]
fn an_interrupted_receive_goes_on_by_guid_and_the_new_snapshot_follows() {
    let source = master("@zrep_000001=1! @renamed_since=2");
    let sends: Vec<String> = lines(plan(&me(), &source, &interrupted(2, "a/fs@zrep_000002"), &request()));
    assert_eq!(sends[1], "resume a/fs@renamed_since into b/fs after 512 bytes");
    assert_eq!(
        sends[2],
        "send a/fs@zrep_000002 into b/fs, incremental from a/fs@renamed_since"
    );
}

#[test]
fn an_interrupted_receive_whose_snapshot_is_gone_is_dropped_and_said() {
    let planned = plan(
        &me(),
        &master("@zrep_000001=1!"),
        &interrupted(2, "a/fs@zrep_000002"),
        &request(),
    )
    .unwrap();
    assert!(planned.notes[0].contains("dropping the interrupted receive"));
    assert!(
        planned
            .lines()
            .contains(&"target: discard the interrupted receive of b/fs".to_owned())
    );
}

#[test]
fn an_interrupted_receive_of_another_sender_is_left_alone() {
    let refusal = plan(
        &me(),
        &master("@zrep_000001=1!"),
        &interrupted(2, "other/fs@x"),
        &request(),
    )
    .unwrap_err();
    assert!(matches!(refusal.why, Why::ForeignPartial { .. }));
}

#[test]
fn a_savecount_that_is_no_number_stops_the_sync_before_it_begins() {
    for (side, source, target) in [("source a/fs", "x", "3"), ("target b/fs", "3", "0")] {
        let source = state("a/fs", "@a=1")
            .master()
            .user("zrep:savecount", source, Origin::Local)
            .build();
        let target = state("b/fs", "@a=1")
            .replica()
            .user("zrep:savecount", target, Origin::Local)
            .build();
        let refusal = plan(&me(), &source, &target, &request()).unwrap_err();
        assert!(refusal.to_string().starts_with(side), "{refusal}");
    }
}

#[test]
fn a_savecount_of_one_keeps_just_the_new_base() {
    let one = |state: Builder| state.user("zrep:savecount", "1", Origin::Local).build();
    let source = one(state("a/fs", "@zrep_000001=1!").master());
    let target = one(state("b/fs", "@zrep_000001=1!").replica());
    let lines = lines(plan(&me(), &source, &target, &request()));
    assert_eq!(lines.iter().filter(|line| line.contains("destroy")).count(), 2);
    let send = lines.iter().position(|line| line.starts_with("send")).unwrap();
    assert!(
        lines[..send].iter().all(|line| !line.contains("destroy")),
        "the base must live until it has served"
    );
}

#[test]
fn a_replica_knows_the_epoch_before_it_gets_any_data_and_only_as_a_replica() {
    let source = state("a/fs", "@zrep_000001=1!")
        .master()
        .user("zrep:epoch", "3", Origin::Local)
        .build();
    let target = state("b/fs", "@zrep_000001=1!")
        .replica()
        .user("zrep:epoch", "1", Origin::Local)
        .build();
    let plan = plan(&me(), &source, &target, &request()).unwrap();
    let Some(Stage::Apply { target, .. }) = plan.stages.first() else {
        panic!("{:?}", plan.lines())
    };
    let told: Vec<String> = target.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "expect no zrep:master on b/fs",
            "expect zrep:epoch=1 on b/fs",
            "set zrep:epoch=3 on b/fs"
        ]
    );
}

/// A sync of an administrator with these wishes.
fn wishing(preferences: Preferences) -> Request {
    Request {
        preferences,
        ..request()
    }
}

#[test]
fn the_administrator_decides_whether_the_snapshots_of_others_travel() {
    let source = master("@zrep_000001=1! @daily=2");
    let target = replica("@zrep_000001=1!");
    for (others, expected) in [(Others::Travel, 2), (Others::StayBehind, 1)] {
        let request = wishing(Preferences {
            others: Some(others),
            ..Preferences::default()
        });
        let lines = plan(&me(), &source, &target, &request).unwrap().lines();
        assert_eq!(lines.iter().filter(|line| line.starts_with("send")).count(), expected);
        let looks = lines.iter().any(|line| line.ends_with("to be the newest"));
        assert_eq!(looks, others == Others::Travel, "{lines:?}");
    }
}

#[test]
fn nothing_expires_where_that_is_wished() {
    let line = "@zrep_000001=1! @zrep_000002=2! @zrep_000003=3! @zrep_000004=4!";
    let destroys = |request: &Request| {
        let lines = lines(plan(&me(), &master(line), &replica(line), request));
        lines.iter().filter(|line| line.contains("destroy")).count()
    };
    assert!(destroys(&request()) > 1);
    let keeping = wishing(Preferences {
        keeps_all: true,
        ..Preferences::default()
    });
    assert_eq!(destroys(&keeping), 0);
}

#[test]
fn embedded_blocks_are_sent_if_wished_and_the_rest_stays_as_it_is() {
    let (source, target) = (master("@zrep_000001=1!"), replica("@zrep_000001=1!"));
    let wished = wishing(Preferences {
        embedded: true,
        ..Preferences::default()
    });
    let flags = |request: &Request| {
        let plan = plan(&me(), &source, &target, request).unwrap();
        plan.stages.iter().find_map(|stage| match stage {
            Stage::Transfer(transfer) => Some(transfer.flags),
            Stage::Apply { .. } | Stage::Commit | Stage::Wait { .. } => None,
        })
    };
    let usual = StreamFlags::plain();
    assert_eq!(flags(&request()), Some(usual));
    assert_eq!(
        flags(&wished),
        Some(StreamFlags {
            embedded: true,
            ..usual
        })
    );
}
