//! `zrep synconly` of a recursive pairing: the snapshot that all of the tree have in common, as `zrep snaponly` has made it, goes to the target, child by child.
//!
//! A child that does not have it was made later. The next sync takes it along.

use super::{Work, latest, none};
use crate::model::{Snapshot, State};
use crate::plan::pairing::Identity;
use crate::plan::sync::Request;
use crate::plan::sync::stream::Stream;
use crate::plan::sync::tree::common::Common;
use crate::plan::sync::tree::{Purpose, TreePlan, Trees};
use crate::plan::tree::{Child, Fate, Matched, matched};
use crate::plan::{Plan, Stage, Transfer, init, lock};
use crate::refusal::{Refusal, Why};
use zfs_ffi::DatasetName;

/// Plans to bring the newest of the top's snapshots, and the children's of that name, to the target.
///
/// A refusal of the top is one of the whole tree. Plans without streams mean that all of it was there already.
pub fn plan(me: &Identity, trees: Trees<'_>, request: &Request) -> Result<TreePlan, Refusal> {
    let Trees { source, target, below } = trees;
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let stream = Stream::plan(me, source, target, request)?;
    let latest = latest(me, source).ok_or_else(|| none(me, source))?;
    let common = Common::new(me, trees, request, Purpose::Sync)?;
    let Matched { children, left } = matched(me, source, target, below);
    let (mut plans, mut refused) = (Vec::new(), Vec::new());
    let late = late(&children, &latest.name);
    for child in children.iter().filter(|child| !late.contains(&&child.source.name)) {
        match of_child(&common, child, &latest.name) {
            Ok(plan) => plans.extend(plan),
            Err(refusal) => refused.push(refusal),
        }
    }
    let work = Work::new(me, (source, target), request, &stream, latest)?;
    let mut top = match work.is_empty() && plans.is_empty() {
        true => Plan::default(),
        false => common.top(work.plan(me, (source, target), lock), &plans),
    };
    let short = &latest.name;
    top.notes.extend(
        children
            .iter()
            .filter(|child| late.contains(&&child.source.name))
            .map(|child| {
                let name = &child.source.name;
                match named(child, short) {
                    None => format!("{name} has no @{short}: the next sync takes it along."),
                    Some(_) => format!("{name} waits for one without @{short}: the next sync takes both along."),
                }
            }),
    );
    plans.insert(0, top);
    Ok(TreePlan {
        plans,
        refused,
        left: left.into_iter().map(|state| state.name.clone()).collect(),
    })
}

fn named<'a>(child: &Child<'a>, short: &str) -> Option<&'a Snapshot> {
    child.source.snapshots.iter().find(|snapshot| snapshot.name == short)
}

/// The children that have no such snapshot, and those whose place is not there before one of them has come to its own.
fn late<'a>(children: &[Child<'a>], short: &str) -> Vec<&'a DatasetName> {
    let has_none = |child: &&Child<'a>| !matches!(child.fate, Fate::Refused(_)) && named(child, short).is_none();
    let mut late: Vec<&DatasetName> = children
        .iter()
        .filter(has_none)
        .map(|child| &child.source.name)
        .collect();
    let is_in_place = |name: &DatasetName| {
        let found = children.iter().find(|child| child.source.name == *name);
        found.is_none_or(|child| matches!(child.fate, Fate::Known { renamed: None, .. }))
    };
    loop {
        let waits = |child: &&Child<'a>| {
            let for_it = |name: &DatasetName| late.contains(&name) && !is_in_place(name);
            !late.contains(&&child.source.name) && child.after.iter().any(for_it)
        };
        match children.iter().find(waits) {
            Some(child) => late.push(&child.source.name),
            None => return late,
        }
    }
}

/// Nothing for a child that does not have the snapshot, or whose target has it.
fn of_child(common: &Common<'_>, child: &Child<'_>, short: &str) -> Result<Option<Plan>, Refusal> {
    match (&child.fate, named(child, short)) {
        (Fate::Refused(refusal), _) => Err(refusal.as_ref().clone()),
        (Fate::Known { .. } | Fate::New { .. }, None) => Ok(None),
        (Fate::Known { target, renamed, to }, Some(wanted)) => {
            let there = State {
                name: to.clone(),
                ..(*target).clone()
            };
            known(common, child, (&there, renamed.as_ref()), wanted)
        }
        (Fate::New { begun, to }, Some(wanted)) => new_child(common, child, (*begun, to), wanted).map(Some),
    }
}

fn known(
    common: &Common<'_>,
    child: &Child<'_>,
    (there, renamed): (&State, Option<&DatasetName>),
    wanted: &Snapshot,
) -> Result<Option<Plan>, Refusal> {
    let Common { me, request, .. } = *common;
    let stream = Stream::between(me, child.source, there, request)?;
    let work = Work::new(me, (child.source, there), request, &stream, wanted)?;
    // N.B. who waits for a rename waits for a stream behind it.
    if work.is_empty() || work.transfers.is_empty() && renamed.is_some() {
        return Ok(None);
    }
    let mut plan = common.begin(child, Vec::new());
    common.make_ready(&mut plan, there, renamed, &stream);
    plan.stages.extend(work.transfers());
    plan.stages.push(Stage::Apply {
        source: work.expiry.source,
        target: work.expiry.target,
    });
    Ok(Some(plan))
}

fn new_child(
    common: &Common<'_>,
    child: &Child<'_>,
    there: (Option<&State>, &DatasetName),
    wanted: &Snapshot,
) -> Result<Plan, Refusal> {
    let source = child.source;
    let snapshot = source
        .snapshot_name(&wanted.name)
        .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
    let mut plan = common.begin(child, Vec::new());
    let last = Transfer {
        guid: Some(wanted.guid),
        creation: Some(init::creation_of_child(source)),
        ..init::full_of_child(source, &snapshot, common.request.preferences)
    };
    common.send_first(&mut plan, source, there, last)?;
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Below;
    use crate::model::notation::{me, request, state};

    fn planned(of_top: [&str; 2], below: &Below) -> TreePlan {
        let source = state("a/fs", of_top[0]).master().build();
        let target = state("b/fs", of_top[1]).replica().build();
        let trees = Trees {
            source: &source,
            target: &target,
            below,
        };
        plan(&me(), trees, &request()).unwrap()
    }

    fn lines(plan: &Plan) -> Vec<String> {
        let lines = plan.lines().into_iter();
        lines.filter(|line| !line.contains("expect")).collect()
    }

    #[test]
    fn each_child_sends_its_snapshot_of_the_tops_name() {
        let below = Below {
            source: vec![
                state("a/fs/late", "").build(),
                state("a/fs/new", "@zrep_000002=30").build(),
                state("a/fs/old", "@zrep_000001=10 @zrep_000002=11").build(),
            ],
            target: vec![state("b/fs/was", "@zrep_000001=10").build()],
        };
        let found = planned(["@zrep_000001=1! @zrep_000002=2", "@zrep_000001=1!"], &below);
        assert_eq!(found.refused, []);
        assert_eq!(
            found.plans[0].notes,
            ["a/fs/late has no @zrep_000002: the next sync takes it along."]
        );
        assert_eq!(
            lines(&found.plans[0]),
            [
                "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
                "send a/fs@zrep_000002 into b/fs, incremental from a/fs@zrep_000001",
                "when a/fs/new, a/fs/old has arrived",
                "source: set zrep:sent=1800000000 on a/fs@zrep_000002",
                "source: set zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
                "target: set zrep:sent=1800000000 on b/fs@zrep_000002",
            ]
        );
        let [_, new, old] = found.plans.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            lines(new),
            [
                "together with the snapshot of a/fs",
                "send a/fs/new@zrep_000002 into b/fs/new, in full",
            ]
        );
        assert_eq!(
            lines(old),
            [
                "together with the snapshot of a/fs",
                "target: rename b/fs/was to b/fs/old",
                "send a/fs/old@zrep_000002 into b/fs/old, incremental from a/fs/old@zrep_000001",
            ]
        );
    }

    #[test]
    fn a_child_that_was_moved_into_a_new_one_waits_for_it() {
        let below = Below {
            source: vec![
                state("a/fs/new", "").build(),
                state("a/fs/new/x", "@zrep_000001=10 @zrep_000002=11").build(),
            ],
            target: vec![state("b/fs/x", "@zrep_000001=10").build()],
        };
        let found = planned(["@zrep_000001=1! @zrep_000002=2", "@zrep_000001=1!"], &below);
        assert_eq!((found.plans.len(), found.refused), (1, vec![]));
        assert_eq!(
            found.plans[0].notes,
            [
                "a/fs/new has no @zrep_000002: the next sync takes it along.",
                "a/fs/new/x waits for one without @zrep_000002: the next sync takes both along.",
            ]
        );
    }

    #[test]
    fn a_child_that_stayed_behind_is_sent_though_the_top_is_there() {
        let two = "@zrep_000001=1! @zrep_000002=2!";
        let below = Below {
            source: vec![state("a/fs/x", "@zrep_000001=10 @zrep_000002=11").build()],
            target: vec![state("b/fs/x", "@zrep_000001=10").build()],
        };
        let found = planned([two, two], &below);
        assert_eq!(
            lines(&found.plans[0]),
            [
                "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
                "when a/fs/x has arrived",
                "source: set zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
            ]
        );
        assert_eq!(found.plans.len(), 2);
    }

    #[test]
    fn where_all_is_there_nothing_is_done() {
        let two = "@zrep_000001=1! @zrep_000002=2!";
        let below = Below {
            source: vec![state("a/fs/x", "@zrep_000001=10 @zrep_000002=11").build()],
            target: vec![state("b/fs/x", "@zrep_000001=10 @zrep_000002=11").build()],
        };
        assert_eq!(planned([two, two], &below).plans, [Plan::default()]);
    }

    #[test]
    fn a_child_that_is_refused_does_not_stop_the_others() {
        let below = Below {
            source: vec![state("a/fs/x", "@zrep_000001=10 @zrep_000002=11").build()],
            target: vec![state("b/fs/x", "@zrep_000001=10 @mine=12").build()],
        };
        let found = planned(["@zrep_000001=1! @zrep_000002=2", "@zrep_000001=1!"], &below);
        assert_eq!((found.plans.len(), found.refused.len()), (1, 1));
    }
}
