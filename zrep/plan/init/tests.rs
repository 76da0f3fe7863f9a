use super::*;
use crate::model::notation::{me, state};
use crate::model::{Guid, Partial, ResumePoint};
use crate::plan::lock::{Holder, Seen};

fn request() -> Request {
    Request {
        locking: Locking::Take {
            holder: Holder {
                pid: 42,
                since: "20261122180000".into(),
            },
            seen: Seen::Free,
        },
        now: 1_800_000_000,
        host: "localhost".into(),
        target: DatasetName::new("b/fs").unwrap(),
        savecount: 5,
        raw: false,
        recursive: false,
        preferences: Preferences::default(),
        wishes: Wishes::default(),
    }
}

fn planned(source: &State, target: Option<&State>) -> Planned {
    let parent = state("b", "").build();
    plan(
        &me(),
        Observed {
            source,
            target,
            parent: Some(&parent),
            below: &Below::default(),
        },
        &request(),
    )
}

#[test]
fn init_marks_both_sides_and_makes_the_source_master_last() {
    let plan = planned(&state("a/fs", "").build(), None).unwrap();
    assert_eq!(
        plan.lines(),
        [
            "source: expect no zrep:lock-pid on a/fs",
            "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
            "source: set zrep:src-fs=a/fs zrep:src-host=here zrep:dest-fs=b/fs zrep:dest-host=localhost zrep:savecount=5 on a/fs",
            "source: snapshot a/fs@zrep_000000",
            "send a/fs@zrep_000000 into b/fs, in full",
            "-- point of no return --",
            "target: set zrep:sent=1800000000 on b/fs@zrep_000000",
            "source: set zrep:sent=1800000000 on a/fs@zrep_000000",
            "source: set zrep:master=yes on a/fs",
            "source: set zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
        ]
    );
}

#[test]
fn the_replica_takes_over_data_properties_and_nobody_elses_bookkeeping() {
    let source = state("a/fs", "")
        .user("uk:master", "yes", Origin::Local)
        .user("com.example:owner", "me", Origin::Local)
        .user("com.example:from-parent", "x", Origin::Inherited)
        .with(|state| _ = state.copied.insert("compression".into(), Native::Number(15)))
        .build();
    let creation = creation(&me(), &source, &request());
    let names: Vec<&str> = creation.received.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names[..2], ["compression", "com.example:owner"]);
    assert!(!names.contains(&"uk:master") && !names.contains(&"com.example:from-parent"));
    assert_eq!(creation.local, [("readonly".to_owned(), Native::Number(1))]);
}

#[test]
fn init_refuses_what_it_would_overwrite() {
    let source = state("a/fs", "@x=1").build();
    let why = |source: &State, target: Option<&State>| planned(source, target).unwrap_err().why;
    assert_eq!(why(&source, Some(&state("b/fs", "").build())), Why::TargetExists);
    assert_eq!(
        why(&source, Some(&state("b/fs", "@x=1 @y=2").build())),
        Why::TargetExists
    );
    assert!(matches!(
        why(&state("a/fs", "").master().build(), Some(&state("b/fs", "").build())),
        Why::AlreadyPaired { master: true, .. }
    ));
    let other = state("a/fs", "")
        .paired(Origin::Local)
        .user("zrep:dest-fs", "c/fs", Origin::Local)
        .build();
    assert!(matches!(why(&other, None), Why::AlreadyPaired { master: false, .. }));
}

#[test]
fn what_another_has_sent_to_the_target_is_left_alone() {
    let source = state("a/fs", "@by_hand=7").build();
    let copy = state("b/fs", "@by_hand=7").build();
    assert_eq!(planned(&source, Some(&copy)).unwrap_err().why, Why::TargetExists);
    let point = ResumePoint {
        object: 1,
        offset: 2,
        bytes: 3,
        stream: StreamFlags::plain(),
    };
    let theirs = Partial {
        to_guid: Guid(9),
        from_guid: None,
        to_name: "a/fs@theirs".into(),
        point,
    };
    let half = state("b/fs", "")
        .with(|state| (state.inconsistent, state.partial) = (true, Some(theirs)))
        .build();
    assert_eq!(planned(&source, Some(&half)).unwrap_err().why, Why::TargetExists);
}

#[test]
fn a_master_whose_target_is_gone_can_be_set_up_again() {
    let source = state("a/fs", "@zrep_000004=4!").master().build();
    let plan = planned(&source, None).unwrap();
    assert!(
        plan.lines()
            .contains(&"send a/fs@zrep_000005 into b/fs, in full".to_owned())
    );
    let on = Object::Dataset(source.name.clone());
    assert_eq!(
        plan.value_before(&on, "zrep:dest-fs").as_deref(),
        Some("b/fs"),
        "a failure must not end the old pairing"
    );
}

#[test]
fn source_and_target_may_not_contain_each_other() {
    let observe = |name: &str| {
        plan(
            &me(),
            Observed {
                source: &state(name, "").build(),
                target: None,
                parent: None,
                below: &Below::default(),
            },
            &request(),
        )
    };
    for (name, overlaps) in [("b/fs", true), ("b", true), ("b/fs/child", true), ("b/fs2", false)] {
        let found = matches!(observe(name).unwrap_err().why, Why::Overlap { .. });
        assert_eq!(found, overlaps, "{name}");
    }
}

#[test]
fn a_target_without_a_parent_is_refused() {
    let source = state("a/fs", "").build();
    let refusal = plan(
        &me(),
        Observed {
            source: &source,
            target: None,
            parent: None,
            below: &Below::default(),
        },
        &request(),
    )
    .unwrap_err();
    assert_eq!(
        refusal.why,
        Why::NoParent {
            parent: "b".into(),
            is_volume: false
        }
    );
}

#[test]
fn an_init_that_was_cut_off_in_its_stream_goes_on_there() {
    let source = state("a/fs", "@zrep_000000=7").paired(Origin::Local).build();
    let point = ResumePoint {
        object: 1,
        offset: 2,
        bytes: 3,
        stream: StreamFlags::plain(),
    };
    let partial = |guid| Partial {
        to_guid: Guid(guid),
        from_guid: None,
        to_name: "a/fs@zrep_000000".into(),
        point,
    };
    let half = |guid| {
        state("b/fs", "")
            .with(|state| (state.inconsistent, state.partial) = (true, Some(partial(guid))))
            .build()
    };
    let lines = planned(&source, Some(&half(7))).unwrap().lines();
    assert!(lines.contains(&"resume a/fs@zrep_000000 into b/fs after 3 bytes".to_owned()));
    assert!(lines.iter().all(|line| !line.contains("source: snapshot")));

    let lines = planned(&source, Some(&half(8))).unwrap().lines();
    assert!(lines.contains(&"target: destroy the half received b/fs".to_owned()));
    assert!(lines.contains(&"send a/fs@zrep_000000 into b/fs, in full".to_owned()));
}

#[test]
fn an_init_that_was_cut_off_at_its_end_only_sets_what_is_missing() {
    let source = state("a/fs", "@zrep_000000=7").paired(Origin::Local).build();
    let target = state("b/fs", "@zrep_000000=7").replica().build();
    let lines = planned(&source, Some(&target)).unwrap().lines();
    assert!(
        lines
            .iter()
            .all(|line| !line.starts_with("send") && !line.contains("snapshot a/fs"))
    );
    assert!(lines.contains(&"source: set zrep:master=yes on a/fs".to_owned()));
}

#[test]
fn this_host_by_its_name_is_localhost() {
    let again = |host: &str| {
        let source = state("a/fs", "@zrep_000000=1")
            .master()
            .user("zrep:dest-host", host, Origin::Local)
            .build();
        planned(&source, None)
    };
    assert!(again("localhost").is_ok());
    assert!(again("here").is_ok());
    assert!(matches!(again("far").unwrap_err().why, Why::AlreadyPaired { .. }));
}

#[test]
fn a_new_replica_knows_the_epoch_of_a_master_that_was_turned_before() {
    let source = state("a/fs", "@zrep_000000=1")
        .master()
        .user("zrep:epoch", "2", Origin::Local)
        .build();
    let lines = planned(&source, None).unwrap().lines();
    assert!(
        lines.contains(&"target: set zrep:epoch=2 on b/fs".to_owned()),
        "{lines:#?}"
    );
}

#[test]
fn only_an_encrypted_source_can_be_sent_raw() {
    let raw = Request { raw: true, ..request() };
    let plan_of = |encrypted| {
        let source = state("a/fs", "").with(|state| state.encrypted = encrypted).build();
        let parent = state("b", "").build();
        let observed = Observed {
            source: &source,
            target: None,
            parent: Some(&parent),
            below: &Below::default(),
        };
        plan(&me(), observed, &raw)
    };
    assert_eq!(plan_of(false).unwrap_err().why, Why::NotEncrypted);
    assert!(plan_of(true).is_ok());
}

#[test]
fn a_new_target_has_what_is_wished_and_stays_read_only() {
    let words = [("compression", "gzip"), ("mountpoint", "/elsewhere")];
    let wishes = || words.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let planned_for = |host: &str| {
        let request = Request {
            host: host.into(),
            wishes: wishes().into_iter().collect(),
            ..request()
        };
        let (source, parent) = (state("a/fs", "").build(), state("b", "").build());
        let observed = Observed {
            source: &source,
            target: None,
            parent: Some(&parent),
            below: &Below::default(),
        };
        plan(&me(), observed, &request).unwrap()
    };
    let (near, far) = (planned_for("localhost"), planned_for("beta"));
    for plan in [&near, &far] {
        let local = plan.stages.iter().find_map(|stage| match stage {
            Stage::Transfer(transfer) => Some(transfer.creation.clone().unwrap().local),
            Stage::Apply { .. } | Stage::Commit | Stage::Wait { .. } => None,
        });
        let expected = [("readonly", 1), ("compression", 10)].map(|(name, to)| (name.to_owned(), Native::Number(to)));
        assert_eq!(local.unwrap(), expected);
    }
    let set = "target: set mountpoint=/elsewhere on b/fs".to_owned();
    assert!(near.lines().contains(&set) && !far.lines().contains(&set));
    assert!(near.notes.is_empty() && far.notes[0].contains("mountpoint=/elsewhere"));
}
