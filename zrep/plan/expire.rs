//! Which of zrep's snapshots have had their time.
//!
//! The counting is shell zrep's, or the two would fight over one dataset: the master keeps the last sent snapshot, everything newer, and
//! `savecount - 1` older ones; the target keeps its newest `savecount`. Only snapshots that zrep itself has named are ever candidates.

use crate::model::{Guid, Snapshot, State};
use crate::names::Naming;
use crate::plan::{Action, IfHeld, Plan, Planned, Stage};
use crate::props::{Key, Tag, View};
use crate::refusal::{Refusal, Why};

/// The snapshots of a master to destroy, oldest first. `snapshots` stand in order of age; `last_sent` is the newest one that is on
/// the target.
pub fn on_master<'a>(tag: &Tag, snapshots: &'a [Snapshot], last_sent: Guid, savecount: usize) -> Vec<&'a Snapshot> {
    let Some(sent_at) = snapshots.iter().position(|snapshot| snapshot.guid == last_sent) else {
        return Vec::new();
    };
    oldest_beyond(tag, &snapshots[..sent_at], savecount - 1)
}

/// The snapshots of a target to destroy, oldest first. `base` is the newest one that both sides have: it must stay, whatever the count.
pub fn on_target<'a>(tag: &Tag, snapshots: &'a [Snapshot], base: Option<Guid>, savecount: usize) -> Vec<&'a Snapshot> {
    let mut excess = oldest_beyond(tag, snapshots, savecount);
    excess.retain(|snapshot| Some(snapshot.guid) != base);
    excess
}

fn oldest_beyond<'a>(tag: &Tag, snapshots: &'a [Snapshot], keep: usize) -> Vec<&'a Snapshot> {
    let own: Vec<&Snapshot> = snapshots
        .iter()
        .filter(|snapshot| Naming::of(tag, &snapshot.name).is_own())
        .collect();
    let excess = own.len().saturating_sub(keep);
    own[..excess].to_vec()
}

/// The actions that destroy `excess`.
pub fn actions(state: &State, excess: &[&Snapshot]) -> Vec<Action> {
    let named = excess
        .iter()
        .filter_map(|snapshot| Some((state.snapshot_name(&snapshot.name).ok()?, snapshot.guid)));
    named
        .map(|(snapshot, guid)| Action::Destroy {
            snapshot,
            guid,
            if_held: IfHeld::Keep,
        })
        .collect()
}

/// How many snapshots `state`'s side keeps: its own count, or `default` where it has none.
pub fn savecount(state: &State, tag: &Tag, default: usize) -> Result<usize, Why> {
    match View::new(state, tag).savecount() {
        Ok(count) => Ok(count.unwrap_or(default)),
        Err(bad) => Err(Why::BadSavecount {
            found: bad.0,
            property: tag.property(Key::Savecount),
        }),
    }
}

/// The count of a side that has none of its own.
pub const DEFAULT_SAVECOUNT: usize = 5;

/// Plans `zrep expire` for both sides of a pairing. `base` is their newest common snapshot.
///
/// A pairing without a common snapshot expires nothing: then nobody knows what the other side still needs.
pub fn plan(tag: &Tag, source: &State, target: Option<&State>, base: Option<Guid>) -> Planned {
    let source_count = savecount(source, tag, DEFAULT_SAVECOUNT).map_err(|why| Refusal::source(&source.name, why))?;
    let on_source = base.map_or_else(Vec::new, |base| {
        actions(source, &on_master(tag, &source.snapshots, base, source_count))
    });
    let mut on_the_target = Vec::new();
    if let (Some(target), Some(base)) = (target, base) {
        let count = savecount(target, tag, source_count).map_err(|why| Refusal::target(&target.name, why))?;
        on_the_target = actions(target, &on_target(tag, &target.snapshots, Some(base), count));
    }
    let mut plan = Plan::default();
    if !on_source.is_empty() || !on_the_target.is_empty() {
        plan.stages.push(Stage::Apply {
            source: on_source,
            target: on_the_target,
        });
    }
    Ok(plan)
}

/// Plans to expire a child of a recursive pairing without a look at the other side. `base` is its snapshot of the top's last sync.
///
/// Whether that one has arrived is known of the top only: where a child's stream was lost, the common base is an older one. The newest of these stays, too.
pub fn plan_of_child_alone(tag: &Tag, child: &State, base: Option<&Snapshot>) -> Planned {
    let Some(base) = base else { return Ok(Plan::default()) };
    let count = savecount(child, tag, DEFAULT_SAVECOUNT).map_err(|why| Refusal::source(&child.name, why))?;
    let mut excess = on_master(tag, &child.snapshots, base.guid, count);
    if count == 1 {
        excess.pop();
    }
    let actions = actions(child, &excess);
    Ok(match actions.is_empty() {
        true => Plan::default(),
        false => Plan {
            stages: vec![Stage::source(actions)],
            ..Plan::default()
        },
    })
}

/// Several such plans as one, which is carried out in one stage.
pub fn together(plans: Vec<Plan>) -> Plan {
    let mut all: (Vec<Action>, Vec<Action>) = Default::default();
    for stage in plans.into_iter().flat_map(|plan| plan.stages) {
        match stage {
            Stage::Apply { source, target } => {
                all.0.extend(source);
                all.1.extend(target);
            }
            Stage::Transfer(_) | Stage::Commit | Stage::Wait { .. } => {}
        }
    }
    let mut plan = Plan::default();
    if !all.0.is_empty() || !all.1.is_empty() {
        let (source, target) = all;
        plan.stages.push(Stage::Apply { source, target });
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::state;

    fn tag() -> Tag {
        Tag::new("zrep").unwrap()
    }

    fn names<'a>(excess: &[&'a Snapshot]) -> Vec<&'a str> {
        excess.iter().map(|snapshot| snapshot.name.as_str()).collect()
    }

    #[test]
    fn the_master_keeps_the_last_sent_what_is_newer_and_savecount_less_one_older() {
        let master = state(
            "a/fs",
            "@zrep_000001=1 @zrep_000002=2 @zrep_000003=3 @zrep_000004=4 @zrep_000005=5",
        )
        .build();
        for (last_sent, savecount, expected) in [
            (4, 1, vec!["zrep_000001", "zrep_000002", "zrep_000003"]),
            (4, 2, vec!["zrep_000001", "zrep_000002"]),
            (4, 4, vec![]),
            (5, 3, vec!["zrep_000001", "zrep_000002"]),
            (1, 1, vec![]),
            (99, 1, vec![]),
        ] {
            assert_eq!(
                names(&on_master(&tag(), &master.snapshots, Guid(last_sent), savecount)),
                expected,
                "{last_sent} {savecount}"
            );
        }
    }

    #[test]
    fn the_target_keeps_its_newest_and_always_the_base() {
        let target = state("b/fs", "@zrep_000001=1 @zrep_000002=2 @zrep_000003=3").build();
        for (base, savecount, expected) in [
            (Some(3), 1, vec!["zrep_000001", "zrep_000002"]),
            (Some(3), 3, vec![]),
            (Some(1), 1, vec!["zrep_000002"]),
            (None, 2, vec!["zrep_000001"]),
        ] {
            assert_eq!(
                names(&on_target(&tag(), &target.snapshots, base.map(Guid), savecount)),
                expected,
                "{base:?} {savecount}"
            );
        }
    }

    #[test]
    fn snapshots_that_zrep_did_not_name_are_never_candidates() {
        let target = state(
            "b/fs",
            "@daily=9 @zrep_000001=1 @zrep_backup1=8 @zrep_000002.keep=7 @zrep_000002_unsent=2 @zrep_000003=3",
        )
        .build();
        assert_eq!(
            names(&on_target(&tag(), &target.snapshots, None, 1)),
            ["zrep_000001", "zrep_000002_unsent"]
        );
    }

    #[test]
    fn without_a_common_snapshot_nothing_expires() {
        let source = state(
            "a/fs",
            "@zrep_000001=1 @zrep_000002=2 @zrep_000003=3 @zrep_000004=4 @zrep_000005=5",
        )
        .master()
        .build();
        let target = state("b/fs", "@zrep_000001=8").replica().build();
        assert_eq!(plan(&tag(), &source, Some(&target), None).unwrap(), Plan::default());
    }

    #[test]
    fn a_child_whose_other_side_nobody_asks_keeps_one_more_than_its_last() {
        for (savecount, gone) in [("1", 2), ("2", 2), ("3", 1)] {
            let child = state("a/fs/b", "@zrep_000001=1 @zrep_000002=2 @zrep_000003=3 @zrep_000004=4")
                .user("zrep:savecount", savecount, crate::model::Origin::Inherited)
                .build();
            let base = child.snapshots.last();
            let plan = plan_of_child_alone(&tag(), &child, base).unwrap();
            assert_eq!(plan.lines().len(), gone, "{savecount}: {:?}", plan.lines());
            assert!(plan_of_child_alone(&tag(), &child, None).unwrap().stages.is_empty());
        }
    }
}
