//! `zrep sync`: once here; for ever in [`crate::run`].

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::failover::say_kept;
use super::patience::patiently;
use super::{fail, failed_json, quiet, result_json, rollback, show_plan};
use crate::cli::SyncArgs;
use crate::contact::{self, Purpose};
use crate::execute::{self, Done, Job};
use crate::exit::Exit;
use crate::plan::pairing::link_of;
use crate::plan::{Plan, Stage, sync, synconly};
use crate::problem::Problem;
use crate::refusal::counted;
use crate::run;
use crate::session::{Pair, Session, UntilBegun};
use crate::ui::Progress;
use tree::{ChildOutcome, Work};
use zfs_ffi::DatasetName;

pub(crate) mod tree;

/// Syncs the datasets that are named, all together: one that cannot be synced does not stop the others.
pub(super) fn run(args: &SyncArgs, session: &Session) -> Exit {
    if rollback::is_asked_for(args) {
        return rollback::run(args, session);
    }
    let args = &with_settings(args, session);
    match args.every {
        Some(every) => run::for_ever(session, args, every),
        None => once(args, session, Direction::Push),
    }
}

/// The flags, and those that the administrator has set for good.
fn with_settings(args: &SyncArgs, session: &Session) -> SyncArgs {
    let settings = &session.settings;
    SyncArgs {
        force: args.force || settings.force,
        changed_only: args.changed_only || settings.changed_only,
        verbose: args.verbose || settings.verbose,
        ..args.clone()
    }
}

/// From which side a sync is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The operands are masters.
    Push,
    /// The operands are replicas.
    Pull,
    /// The operands are masters, and what is sent is their newest snapshot, not a new one.
    Latest,
}

impl Direction {
    fn verb(self) -> &'static str {
        match self {
            Self::Push => "sync",
            Self::Pull => "refresh",
            Self::Latest => "synconly",
        }
    }

    fn operands(self, session: &Session, words: &[String]) -> Result<Vec<DatasetName>, Problem> {
        match (self, words) {
            (Self::Pull, [word]) if word == "all" => session.replicas(),
            (Self::Push | Self::Pull | Self::Latest, words) => session.operands(words),
        }
    }

    fn pair(self, session: &Session, name: &DatasetName) -> Result<Pair, Problem> {
        match self {
            Self::Push | Self::Latest => session.pair_of_source(name),
            Self::Pull => session.pair_of_target(name),
        }
    }

    fn work(self, session: &Session, pair: Pair, request: &sync::Request) -> Result<Work, Problem> {
        match self {
            Self::Push | Self::Pull => tree::work(session, &pair, request),
            Self::Latest => tree::latest(session, &pair, request),
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
    let streams: usize = prepared.iter().map(Prepared::streams).sum();
    let watcher = session.ui.watcher(Progress::of(streams));
    let outcomes = match lock {
        _ if args.dry_run => prepared.into_iter().map(|one| one.only_shown(session)).collect(),
        Some(lock) => execute_all(prepared, session, &UntilBegun::new(&watcher, lock)),
        None => execute_all(prepared, session, &watcher),
    };
    let mut outcomes = retried(args, session, direction, outcomes, &watcher);
    if let Some(limit) = args.quiet {
        outcomes
            .iter_mut()
            .for_each(|outcome| outcome.pass_over(session, limit));
    }
    report(session, direction, &outcomes)
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
    for attempt in 1..ATTEMPTS {
        // N.B. the rest of its tree is synced once more with a child, and lets a snapshot expire each time.
        let has_stale_child = |outcome: &Outcome| attempt == 1 && outcome.children.iter().any(ChildOutcome::is_stale);
        let is_stale =
            |outcome: &Outcome| outcome.result.as_ref().is_err_and(Problem::is_stale) || has_stale_child(outcome);
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
    words: Words,
    work: Result<Work, Problem>,
}

/// A dataset, its plan, and what came of it.
struct Outcome {
    name: DatasetName,
    words: Words,
    result: Result<(Plan, Option<Done>), Problem>,
    /// What is below it, where that is part of the pairing.
    children: Vec<ChildOutcome>,
    took: Duration,
    /// What is said instead of a problem that does not count.
    passed_over: Option<String>,
}

/// What is said of a dataset.
#[derive(Debug, Default)]
struct Words {
    /// Where it is replicated to.
    to: String,
    /// The newest snapshot of zrep's that was there before.
    latest: Option<String>,
}

impl Outcome {
    fn pass_over(&mut self, session: &Session, limit: u64) {
        if let Err(problem) = &self.result {
            self.passed_over = quiet::passed_over(session, &self.name, limit, problem);
        }
    }
}

impl Prepared {
    fn new(args: &SyncArgs, session: &Session, direction: Direction, name: DatasetName) -> Self {
        let mut words = Words::default();
        let work = patiently(session, || Self::work(args, session, direction, &name, &mut words));
        Self { name, words, work }
    }

    fn work(
        args: &SyncArgs,
        session: &Session,
        direction: Direction,
        name: &DatasetName,
        words: &mut Words,
    ) -> Result<Work, Problem> {
        if args.changed_only {
            session.settle(name)?;
        }
        let purpose = if args.dry_run { Purpose::Look } else { Purpose::Sync };
        let pair = contact::meet(session, purpose, || direction.pair(session, name))?;
        let me = &session.settings.me;
        let link = link_of(me, &pair.source).ok();
        words.to = link
            .map(|link| format!("{}:{}", link.dest_host, link.dest_fs))
            .unwrap_or_default();
        words.latest = synconly::latest(me, &pair.source).map(|latest| format!("{}@{}", pair.source.name, latest.name));
        let request = sync::Request {
            locking: session.locking(&pair.source, &pair.ends)?,
            now: session.now(),
            force: args.force,
            changed_only: args.changed_only,
            preferences: session.settings.preferences,
        };
        direction.work(session, pair, &request)
    }

    /// How many streams may run at the same time.
    fn streams(&self) -> usize {
        self.work.as_ref().map_or(0, |work| work.jobs().count())
    }

    fn only_shown(self, session: &Session) -> Outcome {
        let mut children = Vec::new();
        if let Ok(Work {
            job,
            children: jobs,
            refused,
        }) = &self.work
        {
            show_plan(session, self.name.as_str(), &job.plan);
            jobs.iter()
                .for_each(|child| show_plan(session, self.name.as_str(), &child.plan));
            children.extend(jobs.iter().map(|child| ChildOutcome::new(child.plan.clone(), Ok(None))));
            children.extend(refused.iter().map(ChildOutcome::refused));
        }
        Outcome {
            name: self.name,
            words: self.words,
            result: self.work.map(|work| (work.job.plan, None)),
            children,
            took: Duration::ZERO,
            passed_over: None,
        }
    }

    /// Says what is about to happen.
    fn announce(&self, session: &Session) {
        let Ok(work) = &self.work else { return };
        work.notes().for_each(|note| session.ui.note(note));
        if let Some(snapshot) = new_snapshot(&work.job.plan) {
            session.ui.say(&format!("sending {snapshot} to {}", self.words.to));
        }
        if !work.children.is_empty() {
            session
                .ui
                .say(&format!("    and {} below", counted(work.children.len(), "dataset")));
        }
    }
}

fn new_snapshot(plan: &Plan) -> Option<String> {
    plan.stages.iter().rev().find_map(|stage| match stage {
        Stage::Transfer(transfer) => Some(transfer.snapshot.to_string()),
        Stage::Apply { .. } | Stage::Commit | Stage::Wait { .. } => None,
    })
}

fn execute_all(prepared: Vec<Prepared>, session: &Session, watch: &dyn execute::Watch) -> Vec<Outcome> {
    prepared.iter().for_each(|one| one.announce(session));
    let jobs: Vec<Job> = prepared
        .iter()
        .filter_map(|one| one.work.as_ref().ok())
        .flat_map(|work| work.jobs().cloned())
        .collect();
    let begun = Instant::now();
    let mut results = execute::run_all(jobs, watch).into_iter();
    let took = begun.elapsed();
    let mut finish = |one: Prepared| {
        let mut children = Vec::new();
        let result = one.work.and_then(|work| {
            let done = results.next().transpose();
            let of_children = results.by_ref().take(work.children.len());
            let jobs = work.children.into_iter().zip(of_children);
            children.extend(jobs.map(|(job, done)| ChildOutcome::new(job.plan, done.map(Some))));
            children.extend(work.refused.iter().map(ChildOutcome::refused));
            Ok((work.job.plan, done?))
        });
        Outcome {
            name: one.name,
            words: one.words,
            result,
            children,
            took,
            passed_over: None,
        }
    };
    prepared.into_iter().map(&mut finish).collect()
}

fn report(session: &Session, direction: Direction, outcomes: &[Outcome]) -> Exit {
    let mut exit = Exit::Success;
    for outcome in outcomes {
        match (&outcome.result, &outcome.passed_over) {
            (Ok((plan, Some(done))), _) => say_done(session, direction, outcome, plan, done),
            (Ok((_, None)), _) => {}
            (Err(_), Some(line)) => session.ui.say(line),
            (Err(problem), None) => {
                session.ui.problem(problem);
                exit = exit.and(problem.exit());
            }
        }
        exit = exit.and(tree::report(session, &outcome.children));
    }
    let results: Vec<Value> = outcomes
        .iter()
        .map(|outcome| outcome_json(direction, outcome))
        .collect();
    session
        .ui
        .json(direction.verb(), exit == Exit::Success, json!({ "results": results }));
    exit
}

fn say_done(session: &Session, direction: Direction, outcome: &Outcome, plan: &Plan, done: &Done) {
    let Words { to, latest } = &outcome.words;
    match (direction, latest) {
        (Direction::Latest, Some(latest)) if done.received.is_empty() && !tree::have_received(&outcome.children) => {
            session.ui.say(&format!("{latest} already sent"));
            say_kept(session, done);
            return;
        }
        (Direction::Latest, _) => {}
        (Direction::Push | Direction::Pull, _) if plan.stages.is_empty() => {
            session.ui.say(&format!("{}: up to date.", outcome.name));
            return;
        }
        (Direction::Push | Direction::Pull, _) => {
            session.ui.say(&format!("Expiring zrep snaps on {}", outcome.name));
        }
    }
    say_kept(session, done);
    let seconds = outcome.took.as_secs_f64();
    session.ui.say(&format!(
        "{}: synced to {}, {} in {seconds:.2} s.",
        outcome.name,
        to,
        counted(
            usize::try_from(done.bytes() + tree::bytes(&outcome.children)).unwrap_or(usize::MAX),
            "byte"
        )
    ));
}

fn outcome_json(direction: Direction, outcome: &Outcome) -> Value {
    let mut value = match (&outcome.result, &outcome.passed_over) {
        (Ok((plan, done)), _) => result_json(outcome.name.as_str(), plan, done.as_ref()),
        (Err(_), Some(line)) => json!({ "dataset": outcome.name.as_str(), "ok": true, "passed_over": line }),
        (Err(problem), None) => failed_json(outcome.name.as_str(), problem),
    };
    if direction == Direction::Latest {
        value["snapshot"] = json!(outcome.words.latest);
    }
    if !outcome.children.is_empty() {
        value["children"] = outcome.children.iter().map(ChildOutcome::json).collect();
    }
    value["target"] = json!(outcome.words.to);
    value["milliseconds"] = json!(u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX));
    value
}
