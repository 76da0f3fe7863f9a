//! Plans that wait for one another, because they are about datasets of one tree.

use std::sync::Arc;

use super::{Failure, Run};
use crate::host::{Error, ErrorKind};
use crate::model::Side;
use crate::plan::{IfFailed, Reached, Stage};
use zfs_ffi::DatasetName;

/// How far what a plan waits for has come.
enum Progress {
    /// Not far enough.
    Going,
    /// Far enough.
    There,
    /// It was not carried out to its end.
    Failed(Failure),
}

/// Lets go on what waits for nothing any more.
pub(super) fn pass_waits(runs: &mut [Run]) {
    // What goes on or fails may be what another one waits for.
    while (0..runs.len()).filter(|index| pass(runs, *index)).count() > 0 {}
    break_circles(runs);
}

/// Whether the run has passed its stage.
fn pass(runs: &mut [Run], index: usize) -> bool {
    let Some(Stage::Wait { of, until, if_failed }) = runs[index].stage().cloned() else {
        return false;
    };
    let found: Vec<Progress> = of.iter().map(|name| progress(runs, index, name, until)).collect();
    if found.iter().any(|progress| matches!(progress, Progress::Going)) {
        return false;
    }
    let failure = found.into_iter().find_map(|progress| match progress {
        Progress::Failed(failure) => Some(failure),
        Progress::Going | Progress::There => None,
    });
    match (failure, if_failed) {
        (
            Some(Failure {
                side, object, error, ..
            }),
            IfFailed::Fail,
        ) => runs[index].fail(side, &object, error),
        (Some(_), IfFailed::GoOn) | (None, _) => runs[index].next += 1,
    }
    true
}

/// N.B. two machines may have datasets of one name.
fn progress(runs: &[Run], waiting: usize, name: &DatasetName, until: Reached) -> Progress {
    let source = &runs[waiting].job.ends.source;
    let is_meant = |run: &&Run| run.job.plan.of.as_ref() == Some(name) && Arc::ptr_eq(&run.job.ends.source, source);
    let Some(run) = runs.iter().find(is_meant) else {
        return Progress::There;
    };
    if let Some(failure) = &run.failure {
        return Progress::Failed(failure.clone());
    }
    let mut left = run.job.plan.stages[run.next..].iter();
    let is_going = match until {
        Reached::Snapshot => left.skip(1).any(makes_snapshot),
        Reached::Arrival => left.any(|stage| matches!(stage, Stage::Transfer(_))),
    };
    if is_going { Progress::Going } else { Progress::There }
}

fn makes_snapshot(stage: &Stage) -> bool {
    match stage {
        Stage::Apply { source, .. } => source.iter().any(|action| action.new_snapshot().is_some()),
        Stage::Transfer(_) | Stage::Commit | Stage::Wait { .. } => false,
    }
}

/// No plan waits for itself by way of others; if one ever did, it must not wait for ever.
fn break_circles(runs: &mut [Run]) {
    let is_waiting = |run: &Run| matches!(run.stage(), Some(Stage::Wait { .. }));
    if runs.iter().any(|run| run.is_going() && !is_waiting(run)) {
        return;
    }
    for run in runs.iter_mut().filter(|run| is_waiting(run)) {
        let name = run.job.plan.of.as_ref().map(ToString::to_string).unwrap_or_default();
        run.fail(
            Side::Source,
            &name,
            Error::new(ErrorKind::Other, format!("{name}: its plan waits for itself")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Ends, Job, Quiet, run_all};
    use crate::host::Host;
    use crate::host::fake::Fake;
    use crate::model::{Kind, StreamFlags};
    use crate::plan::{Action, IfFailed, Plan, Reached, Stage, Transfer};
    use std::sync::Arc;
    use zfs_ffi::{DatasetName, SnapshotName};

    fn wait(of: &str, if_failed: IfFailed) -> Stage {
        Stage::Wait {
            of: vec![DatasetName::new(of).unwrap()],
            until: Reached::Arrival,
            if_failed,
        }
    }

    /// A plan that fails before its stream.
    fn failing() -> [Stage; 2] {
        let transfer = Transfer {
            snapshot: SnapshotName::new("p/none@x").unwrap(),
            guid: None,
            base: None,
            into: SnapshotName::new("p/c@x").unwrap(),
            flags: StreamFlags::plain(),
            resume: None,
            creation: None,
        };
        [snapshot("p/none@x"), Stage::Transfer(Box::new(transfer))]
    }

    fn snapshot(name: &str) -> Stage {
        Stage::source(vec![Action::Snapshot(SnapshotName::new(name).unwrap())])
    }

    /// Which of these plans come to their ends.
    fn ended(plans: &[(&str, &[Stage])]) -> Vec<bool> {
        let fake = Arc::new(Fake::new(&["p"]));
        fake.create("p/a", Kind::Filesystem);
        fake.create("p/b", Kind::Filesystem);
        let host = fake as Arc<dyn Host>;
        let ends = Ends {
            source: Arc::clone(&host),
            target: host,
        };
        let job = |(of, stages): &(&str, &[Stage])| Job {
            ends: ends.clone(),
            plan: Plan {
                stages: stages.to_vec(),
                of: DatasetName::new(of).ok(),
                ..Plan::default()
            },
        };
        run_all(plans.iter().map(job).collect(), &Quiet)
            .iter()
            .map(Result::is_ok)
            .collect()
    }

    #[test]
    fn who_waits_goes_on_behind_a_failure_or_fails_with_it() {
        for (if_failed, expected) in [(IfFailed::GoOn, [false, true]), (IfFailed::Fail, [false, false])] {
            let waiting = [wait("p/a", if_failed), snapshot("p/b@x")];
            assert_eq!(ended(&[("p/a", &failing()), ("p/b", &waiting)]), expected);
        }
    }

    #[test]
    fn who_is_not_carried_out_is_not_waited_for() {
        assert_eq!(
            ended(&[("p/b", &[wait("p/a", IfFailed::Fail), snapshot("p/b@x")])]),
            [true]
        );
    }

    #[test]
    fn plans_that_wait_for_each_other_fail() {
        let stuck = |other: &str| {
            [
                wait(other, IfFailed::Fail),
                snapshot("p/a@x"),
                wait(other, IfFailed::Fail),
            ]
        };
        let before = |own: &str, other: &str| {
            let until_snapshot = Stage::Wait {
                of: vec![DatasetName::new(other).unwrap()],
                until: Reached::Snapshot,
                if_failed: IfFailed::Fail,
            };
            [until_snapshot.clone(), until_snapshot, snapshot(&format!("{own}@x"))]
        };
        let (one, other) = (before("p/a", "p/b"), before("p/b", "p/a"));
        assert_eq!(ended(&[("p/a", &one), ("p/b", &other)]), [false, false]);
        // Without a stream, nobody has anything left to arrive.
        assert_eq!(ended(&[("p/a", &stuck("p/b"))]), [true]);
    }
}
