//! What a `Host` promises: one body over the fake and over real pools.
//!
//! The real pools are named by `ZREP_TEST_POOLS=SOURCE:TARGET`; without it that half says that it was skipped. The laboratory runs it.

#[path = "../support/mod.rs"]
mod support;
mod worlds;

use std::io::{Read, Write, pipe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use zfs_ffi::{DatasetName, SnapshotName};
use zrep::host::fake::Fake;
use zrep::host::{Applied, Error, ErrorKind, Host, Received};
use zrep::model::{Guid, Native, Origin, State, StreamFlags};
use zrep::plan::{Action, Base, BaseName, Creation, IfHeld, Object, Transfer};

use worlds::{FakeWorld, FarWorld, RealWorld, World};

/// One check: a source with data, and the name of a target that is not there yet.
struct Scene<'a> {
    world: &'a dyn World,
    source: DatasetName,
    target: DatasetName,
}

/// Names that zrep gives: a peer may touch no others.
const A: &str = "zrep_00000a";
const B: &str = "zrep_00000b";
const C: &str = "zrep_00000c";

static SCENES: AtomicU32 = AtomicU32::new(0);

impl<'a> Scene<'a> {
    fn new(world: &'a dyn World) -> Self {
        let number = SCENES.fetch_add(1, Ordering::Relaxed);
        let (source, target) = world.pools();
        let name = |pool: &str| DatasetName::new(&format!("{pool}/contract {number}")).unwrap();
        let scene = Self {
            world,
            source: name(source),
            target: name(target),
        };
        world.create(scene.source.as_str());
        world.write(scene.source.as_str(), &noise(1 << 20));
        scene
    }

    fn host(&self) -> &dyn Host {
        self.world.host()
    }

    fn observe(&self, name: &DatasetName) -> State {
        self.host().observe(name).unwrap().expect("a dataset")
    }

    fn apply(&self, batch: &[Action]) -> Vec<Applied> {
        self.host().apply(batch).unwrap()
    }

    fn snapshot(&self, of: &DatasetName, short: &str) -> (SnapshotName, Guid) {
        let name = of.snapshot(short).unwrap();
        match self.apply(&[Action::Snapshot(name.clone())]).as_slice() {
            [Applied::Created { guid, .. }] => (name, *guid),
            other => panic!("{other:?}"),
        }
    }

    fn transfer(&self, short: &str, base: Option<(&SnapshotName, Guid)>) -> Transfer {
        let creation = Creation {
            received: vec![("zrep:dest-fs".into(), Native::Text(self.target.to_string()))],
            local: vec![("readonly".into(), Native::Number(1))],
        };
        Transfer {
            snapshot: self.source.snapshot(short).unwrap(),
            guid: None,
            base: base.map(|(name, guid)| Base {
                guid,
                name: BaseName::Snapshot(name.clone()),
            }),
            into: self.target.snapshot(short).unwrap(),
            flags: StreamFlags::plain(),
            resume: None,
            creation: base.is_none().then_some(creation),
        }
    }

    fn send(&self, transfer: &Transfer) -> Result<Received, Error> {
        self.send_part(transfer, usize::MAX).1
    }

    /// Sends a transfer of which no more than `limit` bytes arrive.
    fn send_part(&self, transfer: &Transfer, limit: usize) -> (Result<(), Error>, Result<Received, Error>) {
        let (mut from_sender, out) = pipe().unwrap();
        let (input, mut to_receiver) = pipe().unwrap();
        thread::scope(|scope| {
            let sender = scope.spawn(move || self.host().send(transfer, out, None));
            scope.spawn(move || {
                let mut stream = Vec::new();
                let _ = from_sender.by_ref().take(limit as u64).read_to_end(&mut stream);
                // A receiver that refuses closes its end early.
                let _ = to_receiver.write_all(&stream);
            });
            let received = self.world.receiver().receive(transfer, input);
            (sender.join().unwrap(), received)
        })
    }

    /// Both sides have snapshot `a`.
    fn synced(&self) -> (SnapshotName, Guid) {
        let (a, guid) = self.snapshot(&self.source, A);
        assert_eq!(self.send(&self.transfer(A, None)).unwrap().guid, guid);
        (a, guid)
    }
}

/// Data that does not compress.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}

fn set(on: &DatasetName, name: &str, value: Option<&str>) -> Action {
    Action::Set {
        on: Object::Dataset(on.clone()),
        properties: vec![(name.into(), value.map(str::to_owned))],
    }
}

fn expect(dataset: &DatasetName, name: &str, value: Option<&str>) -> Action {
    Action::Expect {
        dataset: dataset.clone(),
        property: name.into(),
        value: value.map(str::to_owned),
    }
}

fn destroy(snapshot: &SnapshotName, guid: Guid, if_held: IfHeld) -> Action {
    Action::Destroy {
        snapshot: snapshot.clone(),
        guid,
        if_held,
    }
}

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

fn a_full_stream_makes_a_readonly_replica(scene: &Scene<'_>) {
    let (_, guid) = scene.synced();
    let target = scene.observe(&scene.target);
    assert_eq!(
        target
            .snapshots
            .iter()
            .map(|s| (s.name.as_str(), s.guid))
            .collect::<Vec<_>>(),
        [(A, guid)]
    );
    assert_eq!((target.readonly, target.readonly_origin), (true, Origin::Local));
    assert_eq!(target.user["zrep:dest-fs"].origin, Origin::Received);
    assert_eq!((target.inconsistent, target.partial, target.written), (false, None, 0));
    let again = scene.send(&scene.transfer(A, None)).unwrap_err();
    assert_eq!(again.kind, ErrorKind::Exists);
}

fn an_increment_needs_its_base_and_an_unmodified_target(scene: &Scene<'_>) {
    let (a, a_guid) = scene.synced();
    let (b, b_guid) = scene.snapshot(&scene.source, B);
    scene.snapshot(&scene.source, C);
    let wrong = scene.send(&scene.transfer(C, Some((&b, b_guid)))).unwrap_err();
    assert_eq!(wrong.kind, ErrorKind::WrongBase);
    assert_eq!(scene.send(&scene.transfer(B, Some((&a, a_guid)))).unwrap().guid, b_guid);
    scene.world.write(scene.target.as_str(), b"somebody was here");
    let modified = scene.send(&scene.transfer(C, Some((&b, b_guid)))).unwrap_err();
    assert_eq!(modified.kind, ErrorKind::Modified);
    scene.apply(&[Action::Rollback(scene.target.snapshot(B).unwrap())]);
    scene.send(&scene.transfer(C, Some((&b, b_guid)))).unwrap();
}

fn a_snapshot_that_is_not_there_is_the_senders_fault(scene: &Scene<'_>) {
    let (a, guid) = scene.synced();
    let (sent, received) = scene.send_part(&scene.transfer("never made", Some((&a, guid))), usize::MAX);
    assert_eq!(sent.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(received.unwrap_err().kind, ErrorKind::Interrupted);
}

fn an_interrupted_increment_goes_on_from_where_it_stopped(scene: &Scene<'_>) {
    let (a, a_guid) = scene.synced();
    scene.world.write(scene.source.as_str(), &noise(1 << 20));
    let (_, b_guid) = scene.snapshot(&scene.source, B);
    let transfer = scene.transfer(B, Some((&a, a_guid)));
    let broken = scene.send_part(&transfer, 700_000).1.unwrap_err();
    assert_eq!(broken.kind, ErrorKind::Interrupted);
    let partial = scene.observe(&scene.target).partial.expect("what arrived");
    assert_eq!((partial.to_guid, partial.from_guid), (b_guid, Some(a_guid)));
    assert_eq!(partial.to_name, transfer.snapshot.to_string());
    assert_eq!(
        scene.send(&transfer).unwrap_err().kind,
        ErrorKind::Busy,
        "only the rest may come now"
    );
    let rest = Transfer {
        resume: Some(partial.point),
        flags: partial.point.stream,
        ..transfer
    };
    assert_eq!(scene.send(&rest).unwrap().guid, b_guid);
    let target = scene.observe(&scene.target);
    assert_eq!((target.partial, target.snapshots.len()), (None, 2));
}

fn an_interrupted_increment_can_be_dropped(scene: &Scene<'_>) {
    let (a, guid) = scene.synced();
    scene.world.write(scene.source.as_str(), &noise(1 << 20));
    scene.snapshot(&scene.source, B);
    let transfer = scene.transfer(B, Some((&a, guid)));
    scene.send_part(&transfer, 700_000).1.unwrap_err();
    scene.apply(&[Action::DiscardPartial(scene.target.clone())]);
    assert_eq!(scene.observe(&scene.target).partial, None);
    scene.send(&transfer).unwrap();
    assert_eq!(
        scene.apply(&[Action::DiscardPartial(scene.target.clone())]),
        [Applied::Done],
        "nothing to drop"
    );
}

fn a_half_received_dataset_can_be_destroyed_and_no_other(scene: &Scene<'_>) {
    scene.snapshot(&scene.source, A);
    scene.send_part(&scene.transfer(A, None), 500_000).1.unwrap_err();
    assert!(scene.observe(&scene.target).inconsistent);
    scene.apply(&[Action::DestroyUnreceived(scene.target.clone())]);
    assert_eq!(scene.host().observe(&scene.target).unwrap(), None);
    scene.send(&scene.transfer(A, None)).unwrap();
    scene.apply(&[Action::DestroyUnreceived(scene.target.clone())]);
    assert_eq!(scene.observe(&scene.target).snapshots.len(), 1, "received by now");
}

fn a_rollback_goes_to_the_newest_snapshot_only(scene: &Scene<'_>) {
    let (a, _) = scene.snapshot(&scene.source, A);
    let (b, b_guid) = scene.snapshot(&scene.source, B);
    let failed = scene.host().apply(&[Action::Rollback(a.clone())]).unwrap_err();
    assert_eq!(failed.error.kind, ErrorKind::Exists);
    scene.world.write(scene.source.as_str(), &noise(1 << 20));
    scene.apply(&[destroy(&b, b_guid, IfHeld::Fail), Action::Rollback(a)]);
    // N.B. a mounted filesystem writes a little of its own when it is rolled back.
    assert!(scene.observe(&scene.source).written < 100_000);
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

type Check = fn(&Scene<'_>);

const CHECKS: [(&str, Check); 17] = [
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
        a_full_stream_makes_a_readonly_replica,
    ),
    (
        "an_increment_needs_its_base_and_an_unmodified_target",
        an_increment_needs_its_base_and_an_unmodified_target,
    ),
    (
        "a_snapshot_that_is_not_there_is_the_senders_fault",
        a_snapshot_that_is_not_there_is_the_senders_fault,
    ),
    (
        "an_interrupted_increment_goes_on_from_where_it_stopped",
        an_interrupted_increment_goes_on_from_where_it_stopped,
    ),
    (
        "an_interrupted_increment_can_be_dropped",
        an_interrupted_increment_can_be_dropped,
    ),
    (
        "a_half_received_dataset_can_be_destroyed_and_no_other",
        a_half_received_dataset_can_be_destroyed_and_no_other,
    ),
    (
        "a_rollback_goes_to_the_newest_snapshot_only",
        a_rollback_goes_to_the_newest_snapshot_only,
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
