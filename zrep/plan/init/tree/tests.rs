use super::*;
use crate::model::Below;
use crate::model::Origin;
use crate::model::notation::{me, request as sync_request, state};

fn request() -> Request {
    let sync = sync_request();
    Request {
        locking: sync.locking,
        now: sync.now,
        host: "localhost".into(),
        target: DatasetName::new("b/fs").unwrap(),
        savecount: 5,
        raw: false,
        recursive: true,
        preferences: sync.preferences,
        wishes: crate::plan::init::Wishes::default(),
    }
}

fn planned(source: &State, target: Option<&State>, below: &Below) -> Result<Vec<Vec<String>>, Refusal> {
    let parent = state("b", "").build();
    let observed = Observed {
        source,
        target,
        parent: Some(&parent),
        below,
    };
    Ok(plan(&me(), observed, &request())?.iter().map(Plan::lines).collect())
}

#[test]
fn the_top_becomes_master_when_everything_below_has_arrived() {
    let below = Below {
        source: vec![state("a/fs/x", "").build(), state("a/fs/x/y", "").build()],
        target: Vec::new(),
    };
    let lines = planned(&state("a/fs", "").build(), None, &below).unwrap();
    assert_eq!(
        lines[0][2..8],
        [
            "source: set zrep:src-fs=a/fs zrep:src-host=here zrep:dest-fs=b/fs zrep:dest-host=localhost zrep:savecount=5 zrep:recursive=yes on a/fs",
            "source: snapshot a/fs@zrep_000000",
            "send a/fs@zrep_000000 into b/fs, in full",
            "when a/fs/x, a/fs/x/y has arrived",
            "-- point of no return --",
            "target: set zrep:sent=1800000000 on b/fs@zrep_000000",
        ]
    );
    assert_eq!(
        lines[2],
        [
            "source: expect no zrep:lock-pid on a/fs",
            "source: snapshot a/fs/x/y@zrep_000000",
            "when a/fs, a/fs/x has arrived",
            "send a/fs/x/y@zrep_000000 into b/fs/x/y, in full",
        ]
    );
}

#[test]
fn a_child_with_a_pairing_of_its_own_stops_init() {
    let nested = state("a/fs/x", "").user("zrep:dest-fs", "c/x", Origin::Local).build();
    let below = Below {
        source: vec![nested],
        target: Vec::new(),
    };
    let refused = planned(&state("a/fs", "").build(), None, &below).unwrap_err();
    assert!(matches!(refused.why, Why::Nested { .. }), "{refused:?}");
}

#[test]
fn an_init_that_was_cut_off_sends_the_children_that_have_not_arrived() {
    let source = state("a/fs", "@zrep_000000=1").paired(Origin::Local).build();
    let target = state("b/fs", "@zrep_000000=1").replica().build();
    let below = Below {
        source: vec![
            state("a/fs/there", "@zrep_000000=2").build(),
            state("a/fs/young", "").build(),
            state("a/fs/missing", "@zrep_000000=3").build(),
        ],
        target: vec![state("b/fs/there", "@zrep_000000=2").build()],
    };
    let lines = planned(&source, Some(&target), &below).unwrap();
    let missing = [
        "when a/fs has arrived",
        "send a/fs/missing@zrep_000000 into b/fs/missing, in full",
    ];
    // What has no first snapshot is told, and comes with the first sync.
    assert_eq!(lines[1..], [&[][..], &missing[..]]);
    let foreign = Below {
        target: vec![state("b/fs/missing", "@zrep_000000=9").build()],
        ..below
    };
    assert!(matches!(
        planned(&source, Some(&target), &foreign),
        Err(Refusal {
            why: Why::TargetExists,
            ..
        })
    ));
}

#[test]
fn nothing_below_leaves_in_the_clear_where_raw_is_asked_for() {
    let raw = Request { raw: true, ..request() };
    let top = state("a/fs", "").with(|state| state.encrypted = true).build();
    let below = Below {
        source: vec![state("a/fs/clear", "").build()],
        target: Vec::new(),
    };
    let parent = state("b", "").build();
    let observed = Observed {
        source: &top,
        target: None,
        parent: Some(&parent),
        below: &below,
    };
    let refusal = plan(&me(), observed, &raw).unwrap_err();
    assert_eq!(refusal.dataset, "a/fs/clear");
    assert_eq!(refusal.why, Why::NotEncrypted);
}
