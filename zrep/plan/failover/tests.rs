use super::*;
use crate::model::Kind;
use crate::model::notation::{me, state};

fn request() -> Request {
    Request {
        sync: crate::model::notation::request(),
        unmount: false,
        tried: 0,
    }
}

#[test]
fn the_target_becomes_writable_only_behind_the_point_of_no_return_and_after_the_last_sync() {
    let source = state("a/fs", "@zrep_000001=1!").master().build();
    let target = state("b/fs", "@zrep_000001=1!").replica().build();
    assert_eq!(
        plan(&me(), &source, &target, &request()).unwrap().lines(),
        [
            "source: expect no file of a/fs to be mapped for writing",
            "source: apply the intent log of a/fs",
            "source: expect no zrep:lock-pid on a/fs",
            "source: expect zrep:master=yes on a/fs",
            "source: expect a/fs@zrep_000001 to be the newest",
            "source: expect no zrep:epoch on a/fs",
            "source: expect no zrep:intent on a/fs",
            "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
            "source: set readonly=on zrep:intent=failover 1 - 42-20261122180000-1800000000 on a/fs",
            "source: snapshot a/fs@zrep_000002",
            "target: expect no zrep:master on b/fs",
            "target: expect no zrep:epoch on b/fs",
            "send a/fs@zrep_000002 into b/fs, incremental from a/fs@zrep_000001",
            "source: set zrep:sent=1800000000 on a/fs@zrep_000002",
            "target: expect no zrep:master on b/fs",
            "target: expect no zrep:epoch on b/fs",
            "target: expect no zrep:intent on b/fs",
            "target: set zrep:sent=1800000000 on b/fs@zrep_000002",
            "target: set zrep:intent=prepared 1 42-20261122180000-1800000000 on b/fs",
            "source: expect no file of a/fs to be mapped for writing",
            "source: expect a/fs@zrep_000002 to be the newest",
            "source: expect nothing written to a/fs since its newest snapshot",
            "source: expect zrep:intent=failover 1 - 42-20261122180000-1800000000 on a/fs",
            "-- point of no return --",
            "target: expect no zrep:master on b/fs",
            "target: expect no zrep:epoch on b/fs",
            "target: expect zrep:intent=prepared 1 42-20261122180000-1800000000 on b/fs",
            "target: set zrep:master=yes zrep:epoch=1 zrep:dest-host=here zrep:dest-fs=a/fs zrep:src-host=here zrep:src-fs=b/fs on b/fs",
            "target: set zrep:intent inherited zrep:fenced inherited on b/fs",
            "target: set readonly inherited on b/fs",
            "target: mount b/fs",
            "source: set zrep:master inherited zrep:intent inherited zrep:fenced inherited zrep:lock-time inherited zrep:lock-pid inherited zrep:epoch=1 zrep:src-fs=b/fs zrep:src-host=localhost zrep:dest-fs=a/fs zrep:dest-host=here on a/fs",
        ]
    );
}

#[test]
fn a_failover_that_was_cut_off_is_completed_without_another_sync() {
    let source = state("a/fs", "@zrep_000001=1!")
        .master()
        .with(|s| (s.readonly, s.readonly_origin) = (true, Origin::Local))
        .build();
    let target = state("b/fs", "@zrep_000001=1!")
        .master()
        .user("zrep:src-fs", "b/fs", Origin::Local)
        .user("zrep:dest-fs", "a/fs", Origin::Local)
        .with(|s| (s.readonly, s.readonly_origin) = (true, Origin::Local))
        .build();
    let lines = plan(&me(), &source, &target, &request()).unwrap().lines();
    assert_eq!(lines[0], "-- point of no return --");
    assert!(
        lines
            .iter()
            .all(|line| !line.starts_with("source: snapshot") && !line.starts_with("send"))
    );
    assert!(lines.contains(&"target: set readonly inherited on b/fs".to_owned()));
}

#[test]
fn nothing_expires_and_the_lock_stays_until_the_role_is_gone() {
    let source = state(
        "a/fs",
        "@zrep_000001=1! @zrep_000002=2! @zrep_000003=3! @zrep_000004=4!",
    )
    .master()
    .build();
    let target = state(
        "b/fs",
        "@zrep_000001=1! @zrep_000002=2! @zrep_000003=3! @zrep_000004=4!",
    )
    .replica()
    .build();
    let lines = plan(&me(), &source, &target, &request()).unwrap().lines();
    assert!(lines.iter().all(|line| !line.contains("destroy")));
    let release = lines
        .iter()
        .position(|line| line.contains("lock-pid inherited"))
        .unwrap();
    let commit = lines.iter().position(|line| line.contains("no return")).unwrap();
    assert!(release > commit);
}

#[test]
fn a_target_that_belongs_to_another_source_is_refused() {
    let source = state("a/fs", "@zrep_000001=1!").master().build();
    let target = state("b/fs", "@zrep_000001=1!")
        .replica()
        .user("zrep:src-fs", "c/fs", Origin::Received)
        .build();
    assert!(matches!(
        plan(&me(), &source, &target, &request()).unwrap_err().why,
        Why::NotMutual { .. }
    ));
    let source = state("a/fs", "@zrep_000001=1!")
        .master()
        .user("zrep:dest-fs", "c/fs", Origin::Local)
        .build();
    let target = state("b/fs", "@zrep_000001=1!").replica().build();
    let refusal = plan(&me(), &source, &target, &request()).unwrap_err();
    assert_eq!(refusal.to_string(), "source a/fs: does not name b/fs as its other side");
}

#[test]
fn a_volume_is_not_mounted() {
    let volume = |s: &mut State| s.kind = Kind::Volume;
    let source = state("a/fs", "@zrep_000001=1!").master().with(volume).build();
    let target = state("b/fs", "@zrep_000001=1!").replica().with(volume).build();
    assert!(
        plan(&me(), &source, &target, &request())
            .unwrap()
            .lines()
            .iter()
            .all(|line| !line.contains("mount") && !line.contains("intent log"))
    );
}

#[test]
fn an_attempt_that_was_cut_off_is_made_harmless_before_a_new_one_and_keeps_what_readonly_was() {
    let source = state("a/fs", "@zrep_000001=1!")
        .master()
        .user("zrep:intent", "failover 1 off 7-1", Origin::Local)
        .with(|s| (s.readonly, s.readonly_origin) = (true, Origin::Local))
        .build();
    let target = state("b/fs", "@zrep_000001=1!")
        .replica()
        .user("zrep:intent", "prepared 1 7-1", Origin::Local)
        .build();
    let planned = plan(&me(), &source, &target, &request()).unwrap();
    let lines = planned.lines();
    let at = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap();
    assert!(at("zrep:intent=aborted 7-1") < at("readonly=on zrep:intent=failover 1 off 42-"));
    assert!(lines.contains(&"target: expect zrep:intent=aborted 7-1 on b/fs".to_owned()));
    assert_eq!(
        planned.value_before(&Object::Dataset(source.name), "readonly"),
        Some("off".to_owned())
    );
}

#[test]
fn two_attempts_of_one_process_within_a_second_are_told_apart() {
    let again = Request { tried: 1, ..request() };
    assert_ne!(nonce(&request()), nonce(&again));
}

#[test]
fn an_old_master_whose_pair_is_swapped_in_part_is_lowered_for_good() {
    let source = state("a/fs", "@zrep_000001=1!")
        .replica()
        .user("zrep:src-fs", "b/fs", Origin::Local)
        .user("zrep:dest-fs", "b/fs", Origin::Local)
        .with(|state| (state.readonly, state.readonly_origin) = (true, Origin::Local))
        .build();
    let target = state("b/fs", "@zrep_000001=1!")
        .master()
        .user("zrep:src-fs", "b/fs", Origin::Local)
        .user("zrep:dest-fs", "a/fs", Origin::Local)
        .user("zrep:epoch", "1", Origin::Local)
        .build();
    let lines = plan(&me(), &source, &target, &request()).unwrap().lines();
    assert!(lines.last().unwrap().contains("zrep:dest-fs=a/fs"), "{lines:?}");
}

fn tree() -> Below {
    let of_source = state("a/fs/x", "@zrep_000001=10").with(|state| {
        (state.readonly, state.readonly_origin) = (false, Origin::Local);
    });
    Below {
        source: vec![of_source.build()],
        target: vec![state("b/fs/x", "@zrep_000001=10").build()],
    }
}

#[test]
fn the_children_of_a_tree_follow_their_tops() {
    let source = state("a/fs", "@zrep_000001=1!").master().build();
    let target = state("b/fs", "@zrep_000001=1!").replica().build();
    let plans = plan_all(&me(), (&source, &target), Some(&tree()), &request()).unwrap();
    let lines = plans[0].lines();
    let at = |text: &str| {
        let found = lines.iter().position(|line| line == text);
        found.unwrap_or_else(|| panic!("{text} in {lines:#?}"))
    };
    let in_order = [
        "source: expect no file of a/fs/x to be mapped for writing",
        "source: set readonly inherited on a/fs/x",
        "source: set readonly=on zrep:intent=failover 1 - 42-20261122180000-1800000000 on a/fs",
        "source: snapshot a/fs@zrep_000002",
        "when a/fs/x has arrived",
        "target: set zrep:intent=prepared 1 42-20261122180000-1800000000 on b/fs",
        "source: expect a/fs/x@zrep_000002 to be the newest",
        "source: expect nothing written to a/fs/x since its newest snapshot",
        "-- point of no return --",
        "target: mount b/fs",
        "target: mount b/fs/x",
    ]
    .map(at);
    assert!(in_order.is_sorted(), "{lines:#?}");
    assert_eq!(
        plans[0].value_before(&Object::Dataset(tree().source[0].name.clone()), "readonly"),
        Some("off".into())
    );
    assert_eq!(plans[1].lines()[0], "together with the snapshot of a/fs");
    assert!(plans[1].lines().iter().all(|line| !line.contains("destroy")));
}

#[test]
fn what_completes_a_turn_of_trees_mounts_what_is_below() {
    let source = state("a/fs", "@zrep_000001=1!")
        .master()
        .with(|s| (s.readonly, s.readonly_origin) = (true, Origin::Local))
        .build();
    let target = state("b/fs", "@zrep_000001=1!")
        .master()
        .user("zrep:src-fs", "b/fs", Origin::Local)
        .user("zrep:dest-fs", "a/fs", Origin::Local)
        .build();
    let plans = plan_all(&me(), (&source, &target), Some(&tree()), &request()).unwrap();
    let lines = plans[0].lines();
    assert_eq!(
        lines[lines.len() - 2..],
        ["source: set readonly inherited on a/fs/x", "target: mount b/fs/x"]
    );
}
