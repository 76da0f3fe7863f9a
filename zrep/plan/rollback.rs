//! `zrep sync DATASET@SNAPSHOT`: the target goes back to a snapshot that both sides have. The next sync brings it forward again.

use crate::model::{Snapshot, State};
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::{Identity, require_master, require_replica};
use crate::plan::standing::require_unfenced;
use crate::plan::sync::{still_master, still_replica};
use crate::plan::{Action, IfHeld, Object, Plan, Planned, Stage, tree};
use crate::props::{Key, View, snapshot_by_guid};
use crate::refusal::{OfSnapshot, Refusal, Why, counted, quoted};
use zfs_ffi::{NameError, SnapshotName};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The lock on the source.
    pub locking: Locking,
    /// The snapshot's name behind the `@`, on the source.
    pub short: String,
    /// Discard what only the target has, too (`-f`).
    pub force: bool,
}

/// Plans to roll `target` back. `source` was observed with its marks.
///
/// What is discarded is on the source still, or it is refused without `force`. The marks of the source's newer snapshots go: they say that a
/// snapshot is on the target.
///
/// Cut off between the last snapshot that it destroys and the roll back, it leaves a target that holds more than its newest snapshot. Nothing tells that
/// from what somebody has written, so only `-f` goes on from there, of this or of a plain sync.
pub fn plan(me: &Identity, source: &State, target: &State, request: &Request) -> Planned {
    tree::require_one(
        me,
        source,
        "one dataset only is rolled back to a snapshot",
        "`zfs rollback -r` on the target, of each dataset below it, and then `zrep sync`",
    )?;
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    require_master(me, source)?;
    require_replica(me, source, target)?;
    require_unfenced(me, source)?;
    let (wanted, newer) = found(source, target, &request.short)?;
    if !request.force {
        require_no_loss(source, target, wanted, newer)?;
    }
    let discard: Vec<Action> = target
        .partial
        .iter()
        .map(|_| Action::DiscardPartial(target.name.clone()))
        .collect();
    let back = if newer.is_empty() && target.written == 0 {
        Vec::new()
    } else {
        back_to(target, wanted, newer)?
    };
    let unmarked = unmarked(me, source, wanted)?;
    if [&discard, &back, &unmarked].iter().all(|actions| actions.is_empty()) {
        return Ok(Plan::default());
    }
    Ok(Plan {
        stages: vec![
            Stage::Apply {
                source: still_master(me, source, lock.enter),
                target: still_replica(me, target),
            },
            Stage::target([discard, back].concat()),
            Stage::source([unmarked, lock.leave].concat()),
        ],
        notes: lock.note.into_iter().chain([told(target, wanted, newer)]).collect(),
        ..Plan::default()
    })
}

/// The target's snapshot, and those behind it.
fn found<'a>(source: &State, target: &'a State, short: &str) -> Result<(&'a Snapshot, &'a [Snapshot]), Refusal> {
    let missing = |state: &State| {
        Why::Snapshot(OfSnapshot::Missing {
            short: short.to_owned(),
            newest: state.newest().map(|newest| newest.name.clone()),
        })
    };
    let on_source = source.snapshots.iter().find(|snapshot| snapshot.name == short);
    let on_source = on_source.ok_or_else(|| Refusal::source(&source.name, missing(source)))?;
    let at = target
        .snapshots
        .iter()
        .position(|snapshot| snapshot.guid == on_source.guid);
    let at = at.ok_or_else(|| Refusal::target(&target.name, missing(target)))?;
    Ok((&target.snapshots[at], &target.snapshots[at + 1..]))
}

fn require_no_loss(source: &State, target: &State, wanted: &Snapshot, newer: &[Snapshot]) -> Result<(), Refusal> {
    let only_here: Vec<String> = newer
        .iter()
        .filter(|snapshot| snapshot_by_guid(source, snapshot.guid).is_none())
        .map(|snapshot| snapshot.name.clone())
        .collect();
    if only_here.is_empty() && target.written == 0 {
        return Ok(());
    }
    let operand = format!("{}@{}", source.name, wanted.name);
    let why = OfSnapshot::Loses {
        short: wanted.name.clone(),
        only_here,
        bytes: target.written,
        command: format!("zrep sync -f {}", quoted(&operand)),
        instead: "`zfs clone` first what you need of it".into(),
    };
    Err(Refusal::target(&target.name, Why::Snapshot(why)))
}

fn back_to(target: &State, wanted: &Snapshot, newer: &[Snapshot]) -> Result<Vec<Action>, Refusal> {
    let bad = |error: NameError| Refusal::target(&target.name, Why::BadSnapshotName(error));
    let mut actions = Vec::new();
    for snapshot in newer {
        actions.push(Action::Destroy {
            snapshot: target.snapshot_name(&snapshot.name).map_err(bad)?,
            guid: snapshot.guid,
            if_held: IfHeld::Fail,
        });
    }
    actions.push(Action::Rollback(target.snapshot_name(&wanted.name).map_err(bad)?));
    Ok(actions)
}

/// Takes the marks from the source's snapshots behind the one that the target goes back to.
fn unmarked(me: &Identity, source: &State, wanted: &Snapshot) -> Result<Vec<Action>, Refusal> {
    let view = View::new(source, &me.tag);
    let newer = source
        .snapshots
        .iter()
        .rev()
        .take_while(|found| found.guid != wanted.guid);
    let marked = newer.filter(|snapshot| view.sent(snapshot).is_some());
    let names = marked.map(|snapshot| source.snapshot_name(&snapshot.name));
    let names: Result<Vec<SnapshotName>, NameError> = names.collect();
    let names = names.map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
    let unmark = |name| Action::Set {
        on: Object::Snapshot(name),
        properties: vec![(me.tag.property(Key::Sent), None)],
    };
    Ok(names.into_iter().map(unmark).collect())
}

fn told(target: &State, wanted: &Snapshot, newer: &[Snapshot]) -> String {
    let names: Vec<&str> = newer.iter().map(|snapshot| snapshot.name.as_str()).collect();
    let these = if names.is_empty() {
        String::new()
    } else {
        format!(" ({})", names.join(", "))
    };
    format!(
        "{}: rolling back to @{}. This discards {}{these} here, and whatever was written since ({} bytes are known of). The next sync brings it forward again.",
        target.name,
        wanted.name,
        counted(names.len(), "snapshot"),
        target.written
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, request, state};

    fn planned(source: &str, target: &str, short: &str, force: bool) -> Planned {
        let source = state("a/fs", source).master().build();
        let target = state("b/fs", target).replica().build();
        let request = Request {
            locking: request().locking,
            short: short.into(),
            force,
        };
        plan(&me(), &source, &target, &request)
    }

    #[test]
    fn the_target_goes_back_and_the_marks_of_the_source_with_it() {
        let three = "@zrep_000001=1! @zrep_000002=2! @zrep_000003=3!";
        let plan = planned(three, three, "zrep_000001", false).unwrap();
        assert_eq!(
            plan.lines(),
            [
                "source: expect no zrep:lock-pid on a/fs",
                "source: expect zrep:master=yes on a/fs",
                "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
                "target: expect no zrep:master on b/fs",
                "target: expect no zrep:epoch on b/fs",
                "target: destroy snapshot b/fs@zrep_000002",
                "target: destroy snapshot b/fs@zrep_000003",
                "target: roll back to b/fs@zrep_000001",
                "source: set zrep:sent inherited on a/fs@zrep_000003",
                "source: set zrep:sent inherited on a/fs@zrep_000002",
                "source: set zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
            ]
        );
        assert!(
            plan.notes[0].contains("2 snapshots (zrep_000002, zrep_000003)"),
            "{:?}",
            plan.notes
        );
    }

    #[test]
    fn what_only_the_target_has_is_discarded_by_force_only() {
        let (source, target) = (
            "@zrep_000001=1! @zrep_000003=3!",
            "@zrep_000001=1! @mine=9 @zrep_000003=3!",
        );
        let refused = planned(source, target, "zrep_000001", false).unwrap_err().telling();
        assert!(refused.found.contains("1 snapshot (mine)"), "{refused:?}");
        assert!(refused.help.contains("`zrep sync -f a/fs@zrep_000001`"), "{refused:?}");
        assert!(planned(source, target, "zrep_000001", true).is_ok());
    }

    #[test]
    fn a_snapshot_that_is_not_on_both_sides_is_named_with_its_side() {
        let refused = |source, target| planned(source, target, "zrep_000001", true).unwrap_err().to_string();
        assert_eq!(
            refused("@zrep_000002=2!", "@zrep_000001=1!"),
            "source a/fs: has no snapshot @zrep_000001"
        );
        assert_eq!(
            refused("@zrep_000001=1!", "@zrep_000001=7 @zrep_000002=2"),
            "target b/fs: has no snapshot @zrep_000001"
        );
    }

    #[test]
    fn a_target_that_is_there_already_needs_nothing() {
        assert_eq!(
            planned("@zrep_000001=1!", "@zrep_000001=1!", "zrep_000001", false),
            Ok(Plan::default())
        );
    }
}
