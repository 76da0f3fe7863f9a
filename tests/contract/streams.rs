//! Streams: whole ones, increments, and such as were cut off.

use zrep::host::{Applied, ErrorKind};
use zrep::model::Origin;
use zrep::plan::{Action, IfHeld, Transfer};

use crate::scene::{A, B, C, Scene, destroy, noise};

pub(super) fn a_full_stream_makes_a_readonly_replica(scene: &Scene<'_>) {
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

pub(super) fn an_increment_needs_its_base_and_an_unmodified_target(scene: &Scene<'_>) {
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

pub(super) fn a_snapshot_that_is_not_there_is_the_senders_fault(scene: &Scene<'_>) {
    let (a, guid) = scene.synced();
    let (sent, received) = scene.send_part(&scene.transfer("never made", Some((&a, guid))), usize::MAX);
    assert_eq!(sent.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(received.unwrap_err().kind, ErrorKind::Interrupted);
}

pub(super) fn an_interrupted_increment_goes_on_from_where_it_stopped(scene: &Scene<'_>) {
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

pub(super) fn an_interrupted_increment_can_be_dropped(scene: &Scene<'_>) {
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

pub(super) fn a_half_received_dataset_can_be_destroyed_and_no_other(scene: &Scene<'_>) {
    scene.snapshot(&scene.source, A);
    scene.send_part(&scene.transfer(A, None), 500_000).1.unwrap_err();
    assert!(scene.observe(&scene.target).inconsistent);
    scene.apply(&[Action::DestroyUnreceived(scene.target.clone())]);
    assert_eq!(scene.host().observe(&scene.target).unwrap(), None);
    scene.send(&scene.transfer(A, None)).unwrap();
    scene.apply(&[Action::DestroyUnreceived(scene.target.clone())]);
    assert_eq!(scene.observe(&scene.target).snapshots.len(), 1, "received by now");
}

pub(super) fn a_rollback_goes_to_the_newest_snapshot_only(scene: &Scene<'_>) {
    let (a, _) = scene.snapshot(&scene.source, A);
    let (b, b_guid) = scene.snapshot(&scene.source, B);
    let failed = scene.host().apply(&[Action::Rollback(a.clone())]).unwrap_err();
    assert_eq!(failed.error.kind, ErrorKind::Exists);
    scene.world.write(scene.source.as_str(), &noise(1 << 20));
    scene.apply(&[destroy(&b, b_guid, IfHeld::Fail), Action::Rollback(a)]);
    // N.B. a mounted filesystem writes a little of its own when it is rolled back.
    assert!(scene.observe(&scene.source).written < 100_000);
}
