//! `zrep sync`: once here; for ever in [`crate::run`].

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::failover::say_kept;
use super::patience::patiently;
use super::{fail, failed_json, result_json, show_plan};
use crate::cli::SyncArgs;
use crate::contact::{self, Purpose};
use crate::execute::{self, Done, Job};
use crate::exit::Exit;
use crate::plan::{Plan, Stage, sync};
use crate::problem::Problem;
use crate::refusal::counted;
use crate::run;
use crate::session::{Pair, Session, UntilBegun};
use crate::ui::Progress;
use zfs_ffi::DatasetName;

/// Syncs the datasets that are named, all together: one that cannot be synced does not stop the others.
pub(super) fn run(args: &SyncArgs, session: &Session) -> Exit {
    match args.every {
        Some(every) => run::for_ever(session, args, every),
        None => once(args, session, Direction::Push),
    }
}

/// From which side a sync is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The operands are masters.
    Push,
    /// The operands are replicas.
    Pull,
}

impl Direction {
    fn verb(self) -> &'static str {
        match self {
            Self::Push => "sync",
            Self::Pull => "refresh",
        }
    }

    fn operands(self, session: &Session, words: &[String]) -> Result<Vec<DatasetName>, Problem> {
        match (self, words) {
            (Self::Pull, [word]) if word == "all" => session.replicas(),
            (Self::Push | Self::Pull, words) => session.operands(words),
        }
    }

    fn pair(self, session: &Session, name: &DatasetName) -> Result<Pair, Problem> {
        match self {
            Self::Push => session.pair_of_source(name),
            Self::Pull => session.pair_of_target(name),
        }
    }
}

/// Syncs once.
pub(super) fn once(args: &SyncArgs, session: &Session, direction: Direction) -> Exit {
    let names = match direction.operands(session, &args.datasets) {
        Ok(names) => names,
        Err(problem) => return fail(session, direction.verb(), &problem),
    };
    let prepared: Vec<Prepared> = names
        .into_iter()
        .map(|name| Prepared::new(args, session, direction, name))
        .collect();
    // N.B. not before: another machine may take its time to answer, and who holds this file keeps every other zrep out.
    let lock = match (!args.dry_run).then(|| session.file_lock()).transpose() {
        Ok(lock) => lock,
        Err(problem) => return fail(session, direction.verb(), &problem),
    };
    let watcher = session.ui.watcher(if prepared.len() == 1 {
        Progress::IfTerminal
    } else {
        Progress::Never
    });
    let outcomes = match lock {
        _ if args.dry_run => prepared.into_iter().map(|one| one.only_shown(session)).collect(),
        Some(lock) => execute_all(prepared, session, &UntilBegun::new(&watcher, lock)),
        None => execute_all(prepared, session, &watcher),
    };
    report(
        session,
        direction,
        &retried(args, session, direction, outcomes, &watcher),
    )
}

/// How often a dataset is observed anew because somebody made a snapshot of it, or took its lock, in between.
const ATTEMPTS: usize = 20;

/// Tries those again whose plan was too old when it was carried out.
fn retried(
    args: &SyncArgs,
    session: &Session,
    direction: Direction,
    mut outcomes: Vec<Outcome>,
    watch: &dyn execute::Watch,
) -> Vec<Outcome> {
    for _ in 1..ATTEMPTS {
        let is_stale = |outcome: &Outcome| outcome.result.as_ref().is_err_and(Problem::is_stale);
        let stale: Vec<usize> = (0..outcomes.len())
            .filter(|&index| is_stale(&outcomes[index]))
            .collect();
        let again = stale
            .iter()
            .map(|&index| Prepared::new(args, session, direction, outcomes[index].name.clone()))
            .collect();
        for (index, outcome) in stale.into_iter().zip(execute_all(again, session, watch)) {
            outcomes[index] = outcome;
        }
    }
    outcomes
}

/// A dataset and its plan, or why there is none.
struct Prepared {
    name: DatasetName,
    to: String,
    job: Result<Job, Problem>,
}

/// A dataset, its plan, and what came of it.
struct Outcome {
    name: DatasetName,
    to: String,
    result: Result<(Plan, Option<Done>), Problem>,
    took: Duration,
}

impl Prepared {
    fn new(args: &SyncArgs, session: &Session, direction: Direction, name: DatasetName) -> Self {
        let mut to = String::new();
        let job = patiently(session, || Self::job(args, session, direction, &name, &mut to));
        Self { name, to, job }
    }

    fn job(
        args: &SyncArgs,
        session: &Session,
        direction: Direction,
        name: &DatasetName,
        to: &mut String,
    ) -> Result<Job, Problem> {
        if args.changed_only {
            session.settle(name)?;
        }
        let purpose = if args.dry_run { Purpose::Look } else { Purpose::Sync };
        let pair = contact::meet(session, purpose, || direction.pair(session, name))?;
        let link = crate::plan::pairing::link_of(&session.settings.me, &pair.source).ok();
        *to = link
            .map(|link| format!("{}:{}", link.dest_host, link.dest_fs))
            .unwrap_or_default();
        let request = sync::Request {
            locking: session.locking(&pair.source, &pair.ends)?,
            now: session.now(),
            force: args.force,
            changed_only: args.changed_only,
        };
        let plan = sync::plan(&session.settings.me, &pair.source, &pair.target, &request)?;
        let plan = (session.revise)(plan);
        Ok(Job { ends: pair.ends, plan })
    }

    fn only_shown(self, session: &Session) -> Outcome {
        if let Ok(job) = &self.job {
            show_plan(session, self.name.as_str(), &job.plan);
        }
        Outcome {
            name: self.name,
            to: self.to,
            result: self.job.map(|job| (job.plan, None)),
            took: Duration::ZERO,
        }
    }

    /// Says what is about to happen.
    fn announce(&self, session: &Session) {
        let Ok(Job { plan, .. }) = &self.job else { return };
        plan.notes.iter().for_each(|note| session.ui.note(note));
        if let Some(snapshot) = new_snapshot(plan) {
            session.ui.say(&format!("sending {snapshot} to {}", self.to));
        }
    }
}

fn new_snapshot(plan: &Plan) -> Option<String> {
    plan.stages.iter().rev().find_map(|stage| match stage {
        Stage::Transfer(transfer) => Some(transfer.snapshot.to_string()),
        Stage::Apply { .. } | Stage::Commit => None,
    })
}

fn execute_all(prepared: Vec<Prepared>, session: &Session, watch: &dyn execute::Watch) -> Vec<Outcome> {
    prepared.iter().for_each(|one| one.announce(session));
    let jobs: Vec<Job> = prepared
        .iter()
        .filter_map(|one| one.job.as_ref().ok().cloned())
        .collect();
    let begun = Instant::now();
    let mut results = execute::run_all(jobs, watch).into_iter();
    let took = begun.elapsed();
    let mut finish = |one: Prepared| {
        let result = one.job.and_then(|job| {
            let done = results.next().transpose()?;
            Ok((job.plan, done))
        });
        Outcome {
            name: one.name,
            to: one.to,
            result,
            took,
        }
    };
    prepared.into_iter().map(&mut finish).collect()
}

fn report(session: &Session, direction: Direction, outcomes: &[Outcome]) -> Exit {
    let mut exit = Exit::Success;
    for outcome in outcomes {
        match &outcome.result {
            Ok((plan, Some(done))) => say_done(session, outcome, plan, done),
            Ok((_, None)) => {}
            Err(problem) => {
                session.ui.problem(problem);
                exit = exit.and(problem.exit());
            }
        }
    }
    let results: Vec<Value> = outcomes.iter().map(outcome_json).collect();
    session
        .ui
        .json(direction.verb(), exit == Exit::Success, json!({ "results": results }));
    exit
}

fn say_done(session: &Session, outcome: &Outcome, plan: &Plan, done: &Done) {
    if plan.stages.is_empty() {
        session.ui.say(&format!("{}: up to date.", outcome.name));
        return;
    }
    session.ui.say(&format!("Expiring zrep snaps on {}", outcome.name));
    say_kept(session, done);
    let seconds = outcome.took.as_secs_f64();
    session.ui.say(&format!(
        "{}: synced to {}, {} in {seconds:.2} s.",
        outcome.name,
        outcome.to,
        counted(usize::try_from(done.bytes()).unwrap_or(usize::MAX), "byte")
    ));
}

fn outcome_json(outcome: &Outcome) -> Value {
    let mut value = match &outcome.result {
        Ok((plan, done)) => result_json(outcome.name.as_str(), plan, done.as_ref()),
        Err(problem) => failed_json(outcome.name.as_str(), problem),
    };
    value["target"] = json!(outcome.to);
    value["milliseconds"] = json!(u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX));
    value
}
