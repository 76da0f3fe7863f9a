//! What a `Host` promises: one body over the fake and over real pools.
//!
//! The real pools are named by `ZREP_TEST_POOLS=SOURCE:TARGET`; without it that half says that it was skipped. The laboratory runs it.

mod scene;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod worlds;

use std::sync::Arc;

use zfs_ffi::{DatasetName, SnapshotName};
use zrep::host::fake::Fake;
use zrep::host::{Applied, ErrorKind, Host};
use zrep::model::{Guid, Origin};
use zrep::plan::{Action, IfHeld, Object};

use scene::{A, B, Scene, destroy, expect, set};
use worlds::{FakeWorld, FarWorld, RealWorld, World};

fn what_is_not_there_is_none(scene: &Scene<'_>) {
    assert_eq!(scene.host().observe(&scene.target).unwrap(), None);
    assert_eq!(scene.host().snapshots_since(&scene.target, 0).unwrap(), []);
}

fn a_snapshot_is_observed_as_it_was_told(scene: &Scene<'_>) {
    let (_, first) = scene.snapshot(&scene.source, A);
    let (_, second) = scene.snapshot(&scene.source, B);
    let state = scene.observe(&scene.source);
    let seen: Vec<(&str, Guid)> = state.snapshots.iter().map(|s| (s.name.as_str(), s.guid)).collect();
    assert_eq!(seen, [(A, first), (B, second)]);
    let since = scene
        .host()
        .snapshots_since(&scene.source, state.snapshots[0].createtxg)
        .unwrap();
    assert_eq!(since.iter().map(|s| s.guid).collect::<Vec<_>>(), [second]);
}

fn a_batch_that_is_impossible_is_not_begun(scene: &Scene<'_>) {
    let (taken, _) = scene.snapshot(&scene.source, A);
    let batch = [
        expect(&scene.source, "zrep:savecount", None),
        Action::Snapshot(taken),
        set(&scene.source, "zrep:savecount", Some("1")),
    ];
    let failed = scene.host().apply(&batch).unwrap_err();
    assert_eq!(
        (failed.index, failed.begun, failed.error.kind),
        (1, false, ErrorKind::Exists)
    );
    assert!(!scene.observe(&scene.source).user.contains_key("zrep:savecount"));
}

fn a_condition_compares_the_local_value_only(scene: &Scene<'_>) {
    let (parent, _) = scene.world.pools();
    let parent = DatasetName::new(parent).unwrap();
    let name = "zrep:lock-pid";
    scene.apply(&[set(&parent, name, Some("inherited"))]);
    scene.apply(&[expect(&scene.source, name, None)]);
    let wrong = scene
        .host()
        .apply(&[expect(&scene.source, name, Some("inherited"))])
        .unwrap_err();
    assert_eq!(
        (wrong.index, wrong.begun, wrong.error.kind),
        (0, false, ErrorKind::Unexpected)
    );
    assert_eq!(scene.observe(&scene.source).user[name].origin, Origin::Inherited);
    scene.apply(&[set(&scene.source, name, Some("mine"))]);
    scene.apply(&[
        expect(&scene.source, name, Some("mine")),
        set(&scene.source, name, None),
    ]);
    assert_eq!(scene.observe(&scene.source).user[name].origin, Origin::Inherited);
    scene.apply(&[set(&parent, name, None)]);
}

fn a_condition_sees_snapshots_of_others(scene: &Scene<'_>) {
    let newest = |snapshot: Option<&SnapshotName>| Action::ExpectNewest {
        dataset: scene.source.clone(),
        snapshot: snapshot.cloned(),
    };
    scene.apply(&[newest(None)]);
    let (a, _) = scene.snapshot(&scene.source, A);
    scene.apply(&[newest(Some(&a))]);
    scene.snapshot(&scene.source, B);
    for stale in [None, Some(&a)] {
        let failed = scene
            .host()
            .apply(&[newest(stale), set(&scene.source, "zrep:lock-time", Some("1"))])
            .unwrap_err();
        assert_eq!(
            (failed.index, failed.begun, failed.error.kind),
            (0, false, ErrorKind::Unexpected)
        );
    }
    assert!(!scene.observe(&scene.source).user.contains_key("zrep:lock-time"));
}

fn properties_of_snapshots_are_their_own(scene: &Scene<'_>) {
    let (a, _) = scene.snapshot(&scene.source, A);
    scene.apply(&[set(&scene.source, "zrep:lastsent", Some("1"))]);
    let on = Object::Snapshot(a);
    scene.apply(&[Action::Set {
        on,
        properties: vec![("zrep:sent".into(), Some("7".into()))],
    }]);
    let snapshots = scene.host().snapshots_since(&scene.source, 0).unwrap();
    assert_eq!(
        snapshots[0].user.iter().collect::<Vec<_>>(),
        [(&"zrep:sent".to_owned(), &"7".to_owned())]
    );
}

fn only_the_snapshot_that_was_meant_is_destroyed(scene: &Scene<'_>) {
    let (a, guid) = scene.snapshot(&scene.source, A);
    let other = Guid(guid.0 ^ 1);
    let failed = scene.host().apply(&[destroy(&a, other, IfHeld::Keep)]).unwrap_err();
    assert_eq!((failed.begun, failed.error.kind), (false, ErrorKind::Unexpected));
    assert_eq!(scene.observe(&scene.source).snapshots.len(), 1);
    assert_eq!(scene.apply(&[destroy(&a, guid, IfHeld::Fail)]), [Applied::Done]);
    assert_eq!(scene.observe(&scene.source).snapshots, []);
    assert_eq!(
        scene.apply(&[destroy(&a, guid, IfHeld::Fail)]),
        [Applied::Done],
        "gone already"
    );
}

fn a_held_snapshot_is_kept_or_fails_the_batch(scene: &Scene<'_>) {
    let (a, guid) = scene.snapshot(&scene.source, A);
    scene.world.hold(a.as_str());
    let kept = scene.apply(&[
        destroy(&a, guid, IfHeld::Keep),
        set(&scene.source, "zrep:lastsent", Some("1")),
    ]);
    assert!(
        matches!(kept.as_slice(), [Applied::Kept { .. }, Applied::Done]),
        "{kept:?}"
    );
    assert_eq!(scene.observe(&scene.source).snapshots.len(), 1);
    let failed = scene.host().apply(&[destroy(&a, guid, IfHeld::Fail)]).unwrap_err();
    assert_eq!((failed.begun, failed.error.kind), (false, ErrorKind::Busy));
}

fn datasets_are_found_by_a_property_of_their_own(scene: &Scene<'_>) {
    let found = |scene: &Scene<'_>| scene.host().with_property("zrep:lastsenttime").unwrap();
    assert_eq!(found(scene), []);
    scene.world.create(&format!("{}/child", scene.source));
    scene.apply(&[set(&scene.source, "zrep:lastsenttime", Some("x"))]);
    assert_eq!(
        found(scene),
        std::slice::from_ref(&scene.source),
        "a child that inherits it is not found"
    );
    scene.apply(&[set(&scene.source, "zrep:lastsenttime", None)]);
}

fn readonly_is_set_and_inherited_like_any_other(scene: &Scene<'_>) {
    scene.apply(&[set(&scene.source, "readonly", Some("on"))]);
    let state = scene.observe(&scene.source);
    assert_eq!((state.readonly, state.readonly_origin), (true, Origin::Local));
    scene.apply(&[set(&scene.source, "readonly", None)]);
    let state = scene.observe(&scene.source);
    assert_eq!((state.readonly, state.readonly_origin), (false, Origin::Default));
}

fn what_is_below_is_observed_in_order_and_follows_what_is_set_above(scene: &Scene<'_>) {
    for name in ["x", "x/deep", "x b"] {
        scene.world.create(&format!("{}/{name}", scene.source));
    }
    scene.apply(&[set(&scene.source, "readonly", Some("on"))]);
    scene.apply(&[set(&scene.source, "zrep:recursive", Some("yes"))]);
    let below = scene.host().observe_below(&scene.source).unwrap();
    let names: Vec<&str> = below
        .iter()
        .map(|state| &state.name.as_str()[scene.source.as_str().len()..])
        .collect();
    assert_eq!(names, ["/x", "/x b", "/x/deep"]);
    for state in &below {
        assert_eq!((state.readonly, state.readonly_origin), (true, Origin::Inherited));
        assert_eq!(state.user["zrep:recursive"].origin, Origin::Inherited);
        assert_eq!(state.guid, scene.observe(&state.name).guid);
    }
    scene.apply(&[set(&scene.source, "readonly", None)]);
    assert_eq!(scene.host().observe_below(&scene.target).unwrap(), []);
}

fn snapshots_of_several_datasets_are_of_one_transaction(scene: &Scene<'_>) {
    let child = DatasetName::new(&format!("{}/child", scene.source)).unwrap();
    scene.world.create(child.as_str());
    let both = [&scene.source, &child].map(|dataset| Action::Snapshot(dataset.snapshot(A).unwrap()));
    let txgs: Vec<u64> = scene
        .apply(&both)
        .iter()
        .filter_map(|applied| match applied {
            Applied::Created { createtxg, .. } => Some(*createtxg),
            Applied::Done | Applied::Kept { .. } => None,
        })
        .collect();
    assert_eq!((txgs.len(), txgs[0]), (2, txgs[1]));
}

type Check = fn(&Scene<'_>);

const CHECKS: [(&str, Check); 19] = [
    (
        "what_is_below_is_observed_in_order_and_follows_what_is_set_above",
        what_is_below_is_observed_in_order_and_follows_what_is_set_above,
    ),
    (
        "snapshots_of_several_datasets_are_of_one_transaction",
        snapshots_of_several_datasets_are_of_one_transaction,
    ),
    ("what_is_not_there_is_none", what_is_not_there_is_none),
    (
        "a_snapshot_is_observed_as_it_was_told",
        a_snapshot_is_observed_as_it_was_told,
    ),
    (
        "a_batch_that_is_impossible_is_not_begun",
        a_batch_that_is_impossible_is_not_begun,
    ),
    (
        "a_condition_compares_the_local_value_only",
        a_condition_compares_the_local_value_only,
    ),
    (
        "a_condition_sees_snapshots_of_others",
        a_condition_sees_snapshots_of_others,
    ),
    (
        "properties_of_snapshots_are_their_own",
        properties_of_snapshots_are_their_own,
    ),
    (
        "only_the_snapshot_that_was_meant_is_destroyed",
        only_the_snapshot_that_was_meant_is_destroyed,
    ),
    (
        "a_held_snapshot_is_kept_or_fails_the_batch",
        a_held_snapshot_is_kept_or_fails_the_batch,
    ),
    (
        "a_full_stream_makes_a_readonly_replica",
        streams::a_full_stream_makes_a_readonly_replica,
    ),
    (
        "an_increment_needs_its_base_and_an_unmodified_target",
        streams::an_increment_needs_its_base_and_an_unmodified_target,
    ),
    (
        "a_snapshot_that_is_not_there_is_the_senders_fault",
        streams::a_snapshot_that_is_not_there_is_the_senders_fault,
    ),
    (
        "an_interrupted_increment_goes_on_from_where_it_stopped",
        streams::an_interrupted_increment_goes_on_from_where_it_stopped,
    ),
    (
        "an_interrupted_increment_can_be_dropped",
        streams::an_interrupted_increment_can_be_dropped,
    ),
    (
        "a_half_received_dataset_can_be_destroyed_and_no_other",
        streams::a_half_received_dataset_can_be_destroyed_and_no_other,
    ),
    (
        "a_rollback_goes_to_the_newest_snapshot_only",
        streams::a_rollback_goes_to_the_newest_snapshot_only,
    ),
    (
        "datasets_are_found_by_a_property_of_their_own",
        datasets_are_found_by_a_property_of_their_own,
    ),
    (
        "readonly_is_set_and_inherited_like_any_other",
        readonly_is_set_and_inherited_like_any_other,
    ),
];

fn check_all(world: &dyn World) {
    for (name, check) in CHECKS {
        eprintln!("contract: {name}");
        check(&Scene::new(world));
    }
}

#[test]
fn the_fake_keeps_the_contract() {
    check_all(&FakeWorld(Fake::new(&["src", "dst"])));
}

#[test]
fn a_far_fake_keeps_the_contract() {
    let fake = Arc::new(Fake::new(&["src", "dst"]));
    check_all(&FarWorld {
        remote: support::far(&fake),
        receiver: support::far(&fake),
        fake,
    });
}

#[test]
fn real_pools_keep_the_contract() {
    match RealWorld::from_environment() {
        Some(world) => check_all(&world),
        None => eprintln!("skipped: ZREP_TEST_POOLS=SOURCE:TARGET names no pools"),
    }
}

#[test]
fn hosts_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Arc<dyn Host>>();
}
