use super::*;
use crate::model::Below;
use crate::model::notation::{me, request, state};

fn master() -> State {
    state("a/fs", "@zrep_000001=1!").master().build()
}

fn replica() -> State {
    state("b/fs", "@zrep_000001=1!").replica().build()
}

fn planned(below: &Below, request: &Request, purpose: Purpose) -> Result<TreePlan, Refusal> {
    let (source, target) = (master(), replica());
    plan(
        &me(),
        Trees {
            source: &source,
            target: &target,
            below,
        },
        request,
        purpose,
    )
}

fn two() -> Below {
    Below {
        source: vec![
            state("a/fs/old", "@zrep_000001=10").build(),
            state("a/fs/new", "").build(),
        ],
        target: vec![state("b/fs/was", "@zrep_000001=10").build()],
    }
}

#[test]
fn all_snapshots_stand_in_the_first_batch_and_the_top_ends_when_all_have_arrived() {
    let TreePlan { plans, refused, .. } = planned(&two(), &request(), Purpose::Sync).unwrap();
    assert_eq!(refused, []);
    let lines: Vec<Vec<String>> = plans.iter().map(Plan::lines).collect();
    assert_eq!(
        lines[0],
        [
            "source: expect no zrep:lock-pid on a/fs",
            "source: expect zrep:master=yes on a/fs",
            "source: expect a/fs@zrep_000001 to be the newest",
            "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
            "source: snapshot a/fs@zrep_000002",
            "target: expect no zrep:master on b/fs",
            "target: expect no zrep:epoch on b/fs",
            "send a/fs@zrep_000002 into b/fs, incremental from a/fs@zrep_000001",
            "when a/fs/new, a/fs/old has arrived",
            "source: set zrep:sent=1800000000 on a/fs@zrep_000002",
            "source: set zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
            "target: set zrep:sent=1800000000 on b/fs@zrep_000002",
        ]
    );
    assert_eq!(
        lines[1],
        [
            "together with the snapshot of a/fs",
            "source: expect no zrep:lock-pid on a/fs",
            "source: expect zrep:master=yes on a/fs",
            "source: expect no snapshot of a/fs/new",
            "source: snapshot a/fs/new@zrep_000002",
            "target: expect no zrep:master on b/fs",
            "target: expect no zrep:epoch on b/fs",
            "send a/fs/new@zrep_000002 into b/fs/new, in full",
        ]
    );
    assert_eq!(
        lines[2][4..],
        [
            "source: snapshot a/fs/old@zrep_000002",
            "target: expect no zrep:master on b/fs",
            "target: expect no zrep:epoch on b/fs",
            "target: rename b/fs/was to b/fs/old",
            "target: expect no zrep:master on b/fs",
            "target: expect no zrep:epoch on b/fs",
            "send a/fs/old@zrep_000002 into b/fs/old, incremental from a/fs/old@zrep_000001",
        ]
    );
}

#[test]
fn one_name_is_free_in_the_whole_tree() {
    let mut below = two();
    below.target.push(state("b/fs/left", "@zrep_00000a=99").build());
    let TreePlan { plans, left, .. } = planned(&below, &request(), Purpose::Sync).unwrap();
    assert_eq!(left.iter().map(DatasetName::as_str).collect::<Vec<_>>(), ["b/fs/left"]);
    for plan in plans {
        assert_eq!(super::super::made(&plan).map(SnapshotName::short), Some("zrep_00000b"));
    }
}

#[test]
fn a_child_that_is_refused_gets_no_snapshot_and_stops_a_turn() {
    let mut below = two();
    below.target[0] = state("b/fs/old", "@zrep_000001=10 @mine=11").build();
    let TreePlan { plans, refused, .. } = planned(&below, &request(), Purpose::Sync).unwrap();
    assert!(
        matches!(
            refused.as_slice(),
            [Refusal {
                why: Why::Diverged { .. },
                ..
            }]
        ),
        "{refused:?}"
    );
    assert!(
        plans
            .iter()
            .flat_map(Plan::lines)
            .all(|line| !line.contains("a/fs/old")),
        "{plans:?}"
    );
    assert!(matches!(
        planned(&below, &request(), Purpose::Turn),
        Err(Refusal {
            why: Why::Diverged { .. },
            ..
        })
    ));
}

#[test]
fn nothing_is_sent_of_a_tree_in_which_nothing_was_written() {
    let changed_only = Request {
        changed_only: true,
        ..request()
    };
    let still = Below {
        source: vec![state("a/fs/x", "@zrep_000001=10").build()],
        target: vec![state("b/fs/x", "@zrep_000001=10").build()],
    };
    assert_eq!(
        planned(&still, &changed_only, Purpose::Sync).unwrap().plans,
        [Plan::default()]
    );
    assert_eq!(planned(&two(), &changed_only, Purpose::Sync).unwrap().plans.len(), 3);
}

#[test]
fn who_adopts_says_so_on_both_tops_before_anything_is_sent() {
    let TreePlan { plans, .. } = planned(&two(), &request(), Purpose::Adopt).unwrap();
    let lines = plans[0].lines();
    let at = |text: &str| lines.iter().position(|line| line == text).expect(text);
    assert!(at("source: set zrep:recursive=yes on a/fs") < at("source: snapshot a/fs@zrep_000002"));
    assert!(
        at("target: set zrep:recursive=yes on b/fs")
            < at("send a/fs@zrep_000002 into b/fs, incremental from a/fs@zrep_000001")
    );
}
