//! Turning a pairing round while both sides are in reach.
//!
//! ```text
//!  source: read-only            undone on failure: the source is writable again
//!  a last sync                  undone on failure
//!  ---- point of no return ----
//!  target: master, pair swapped, writable
//!  target: mounted
//!  source: no master any more, pair swapped; stays read-only
//! ```
//!
//! The target becomes writable only after the source has stopped. A failover that was cut off behind the point of no return is
//! completed by typing it again, on either side.

use crate::model::{Kind, Link, Origin, State};
use crate::plan::pairing::{Identity, is_half_turned, link_of};
use crate::plan::{Action, Before, Object, Plan, Planned, Stage, lock, sync};
use crate::props::Key;
use crate::refusal::{Refusal, Why};

/// What the user asked for.
pub type Request = sync::Request;

/// Plans `zrep failover`, and `zrep takeover` of a target whose source is in reach.
pub fn plan(me: &Identity, source: &State, target: &State, request: &Request) -> Planned {
    require_mutual(me, source, target)?;
    if is_half_turned(me, source, target) {
        return completion(me, source, target, request);
    }
    let sync = sync::plan(me, source, target, request)?;
    let link = link_of(me, source).map_err(|why| Refusal::source(&source.name, why))?;
    let mut plan = Plan {
        stages: Vec::new(),
        notes: sync.notes,
        before: readonly_before(source),
        lasting: Vec::new(),
    };
    let (last, sync_stages) = split_last(sync.stages);
    plan.stages.extend(stop_writing(source, sync_stages));
    plan.stages.push(without_release(&last, me, source));
    plan.stages.push(Stage::Commit);
    plan.stages.extend(turn(me, source, target, &link));
    Ok(plan)
}

/// Behind the point of no return there is only the way forward.
fn completion(me: &Identity, source: &State, target: &State, request: &Request) -> Planned {
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let link = link_of(me, source).map_err(|why| Refusal::source(&source.name, why))?;
    let note = format!(
        "{} is the master already; completing a failover that was cut off.",
        target.name
    );
    let mut plan = Plan {
        before: Vec::new(),
        lasting: Vec::new(),
        stages: vec![Stage::Commit, Stage::source(lock.enter)],
        notes: lock.note.into_iter().chain([note]).collect(),
    };
    plan.stages.extend(turn(me, source, target, &link));
    Ok(plan)
}

/// A source that says `readonly=off` for itself shall say so again after an undo, and not inherit.
fn readonly_before(source: &State) -> Vec<Before> {
    let value = if source.readonly { "on" } else { "off" };
    let local = source.readonly_origin == Origin::Local;
    let before = || Before {
        on: Object::Dataset(source.name.clone()),
        property: "readonly".into(),
        value: value.into(),
    };
    local.then(before).into_iter().collect()
}

/// The source stops being written to before the snapshot that must hold everything it ever acknowledged.
fn stop_writing(source: &State, mut stages: Vec<Stage>) -> Vec<Stage> {
    let readonly = Action::Set {
        on: Object::Dataset(source.name.clone()),
        properties: vec![("readonly".into(), Some("on".into()))],
    };
    if let Some(Stage::Apply { source: first, .. }) = stages.first_mut() {
        let before_snapshot = first
            .iter()
            .position(|action| matches!(action, Action::Snapshot(_)))
            .unwrap_or(first.len());
        first.insert(before_snapshot, readonly);
    }
    stages
}

fn split_last(mut stages: Vec<Stage>) -> (Stage, Vec<Stage>) {
    let last = stages.pop().unwrap_or(Stage::Commit);
    (last, stages)
}

/// The sync's last stage without giving the lock back: the source stays locked until its role is gone. Nothing expires, either:
/// a failover does what it must, and the next sync cleans up.
fn without_release(last: &Stage, me: &Identity, source: &State) -> Stage {
    let release = lock::release(source, &me.tag);
    let keep = |actions: &[Action]| -> Vec<Action> {
        actions
            .iter()
            .filter(|action| **action != release && !matches!(action, Action::Destroy { .. }))
            .cloned()
            .collect()
    };
    match last {
        Stage::Apply { source, target } => Stage::Apply {
            source: keep(source),
            target: keep(target),
        },
        Stage::Transfer(_) | Stage::Commit => last.clone(),
    }
}

/// The new roles, the target's first.
fn turn(me: &Identity, source: &State, target: &State, link: &Link) -> Vec<Stage> {
    let old = Object::Dataset(source.name.clone());
    let new = Object::Dataset(target.name.clone());
    let swapped = Link {
        src_host: if target.host.is_empty() {
            me.host.clone()
        } else {
            target.host.clone()
        },
        src_fs: link.dest_fs.clone(),
        dest_host: link.src_host.clone(),
        dest_fs: link.src_fs.clone(),
    };
    let mut up = pair(me, &swapped);
    up.push((me.tag.property(Key::Master), Some("yes".into())));
    let mut down = pair(
        me,
        &Link {
            src_host: link.dest_host.clone(),
            ..swapped
        },
    );
    down.push((me.tag.property(Key::Master), None));
    down.extend([
        (me.tag.property(Key::LockTime), None),
        (me.tag.property(Key::LockPid), None),
    ]);
    let mut raise = vec![Action::Set {
        on: new.clone(),
        properties: up,
    }];
    raise.extend(writable(target));
    let lower = Stage::source(vec![Action::Set {
        on: old,
        properties: down,
    }]);
    // The old master is lowered last: as long as both are masters, typing the verb again completes what is missing.
    vec![Stage::target(raise), Stage::target(mount(target)), lower]
}

/// Takes back the `readonly=on` that made the dataset a replica; what it inherits is the operator's own wish.
pub fn writable(target: &State) -> Option<Action> {
    (target.readonly_origin == Origin::Local).then(|| Action::Set {
        on: Object::Dataset(target.name.clone()),
        properties: vec![("readonly".into(), None)],
    })
}

/// Mounts a filesystem; a volume has nothing to mount.
pub fn mount(target: &State) -> Vec<Action> {
    match target.kind {
        Kind::Filesystem => vec![Action::Mount(target.name.clone())],
        Kind::Volume => Vec::new(),
    }
}

/// The four properties of a pair.
pub fn pair(me: &Identity, link: &Link) -> Vec<(String, Option<String>)> {
    let Link {
        src_host,
        src_fs,
        dest_host,
        dest_fs,
    } = link;
    [
        (Key::SrcFs, src_fs),
        (Key::SrcHost, src_host),
        (Key::DestFs, dest_fs),
        (Key::DestHost, dest_host),
    ]
    .map(|(key, value)| (me.tag.property(key), Some(value.clone())))
    .to_vec()
}

/// Both sides must name each other, or the roles of a third dataset would be changed.
fn require_mutual(me: &Identity, source: &State, target: &State) -> Result<(), Refusal> {
    let of_target = link_of(me, target).map_err(|why| Refusal::target(&target.name, why))?;
    let of_source = link_of(me, source).map_err(|why| Refusal::source(&source.name, why))?;
    if !names_both(&of_target, source, target) {
        let why = Why::NotMutual {
            tag: me.tag.to_string(),
            other: source.name.to_string(),
            found: named(&of_target),
        };
        return Err(Refusal::target(&target.name, why));
    }
    if !names_both(&of_source, source, target) {
        let why = Why::NotMutual {
            tag: me.tag.to_string(),
            other: target.name.to_string(),
            found: named(&of_source),
        };
        return Err(Refusal::source(&source.name, why));
    }
    Ok(())
}

fn names_both(link: &Link, source: &State, target: &State) -> bool {
    let names = [link.src_fs.as_str(), link.dest_fs.as_str()];
    names.contains(&source.name.as_str()) && names.contains(&target.name.as_str())
}

fn named(link: &Link) -> String {
    format!("src-fs={}, dest-fs={}", link.src_fs, link.dest_fs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, request, state};

    #[test]
    fn the_target_becomes_writable_only_behind_the_point_of_no_return_and_after_the_last_sync() {
        let source = state("a/fs", "@zrep_000001=1!").master().build();
        let target = state("b/fs", "@zrep_000001=1!").replica().build();
        assert_eq!(
            plan(&me(), &source, &target, &request()).unwrap().lines(),
            [
                "source: expect no zrep:lock-pid on a/fs",
                "source: expect a/fs@zrep_000001 to be the newest",
                "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
                "source: set readonly=on on a/fs",
                "source: snapshot a/fs@zrep_000002",
                "send a/fs@zrep_000002 into b/fs, incremental from a/fs@zrep_000001",
                "source: set zrep:sent=1800000000 on a/fs@zrep_000002",
                "target: set zrep:sent=1800000000 on b/fs@zrep_000002",
                "-- point of no return --",
                "target: set zrep:src-fs=b/fs zrep:src-host=here zrep:dest-fs=a/fs zrep:dest-host=here zrep:master=yes on b/fs",
                "target: set readonly inherited on b/fs",
                "target: mount b/fs",
                "source: set zrep:src-fs=b/fs zrep:src-host=localhost zrep:dest-fs=a/fs zrep:dest-host=here zrep:master inherited zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
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
                .all(|line| !line.contains("snapshot") && !line.starts_with("send"))
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
                .all(|line| !line.contains("mount"))
        );
    }
}
