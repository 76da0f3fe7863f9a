//! The loop: `zrep sync … --every DURATION`.
//!
//! It holds the handles and what it knows of both sides for as long as it runs, and the locks for as long as rounds follow each other without
//! a pause. Who finds a loop at work knocks ([`lock::knock`]), and it makes a pause for him. A round that went well leaves the next one nothing to ask but whether the source got snapshots from others; the first condition
//! of its plan is that nobody has worked on it in the meantime. The marks and the expiry of a round travel with the next round's
//! snapshot, in the same transaction, unless there is time to do them before. That is safe because the truth is the guid on the target,
//! never the mark: a mark that is lost with the process is found again by the next observation.
//!
//! After any failure what was known is dropped, and only a fresh observation is trusted. Where it may have failed only because others
//! worked on the dataset in the pause, it is looked at at once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::cli::SyncArgs;
use crate::commands::sync::tree::Work;
use crate::execute::{self, Done, Failure, Job, Quiet};
use crate::exit::Exit;
use crate::lock;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::refusal::counted;
use crate::session::{Session, UntilBegun};
use crate::settings::BadSetting;
use crate::stop::Stop;
use crate::ui::{Ui, problem_json};
use crate::warm::Warm;
use member::{Member, Trouble};
use zfs_ffi::DatasetName;

mod member;

/// How long a list of masters is good for, if the operand is `all`.
const RELIST: Duration = Duration::from_secs(60);

/// After so many plans in a row that were too old, there is something else behind it.
const STALE_ROUNDS: u32 = 20;

/// How long rounds may follow each other without a pause although somebody waits for a lock: shorter than the ten seconds for which he waits.
const ALONE: Duration = Duration::from_secs(4);

/// How long the pause for him is: time enough to look at both sides over a slow line, and to take the lock.
const LET_IN: Duration = Duration::from_secs(2);

/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Runs rounds until it is asked to end, or for as many as were asked for.
pub fn for_ever(session: &Session, args: &SyncArgs, every: Duration) -> Exit {
    let asked = || Ui::new(false).note("ending after the current step; once more to end at once.");
    let stop = match Stop::listen(asked) {
        Ok(stop) => stop,
        Err(error) => {
            session.ui.problem(&Problem::Setting(BadSetting::new(
                "signals",
                "to hear SIGINT and SIGTERM",
                error.to_string(),
            )));
            return Exit::Failure;
        }
    };
    let mut running = Loop::new(session, args, every);
    let exit = running.run(&stop);
    exit.and(running.leave())
}

/// Rounds over some datasets.
#[derive(Debug)]
pub struct Loop<'a> {
    session: &'a Session,
    args: &'a SyncArgs,
    every: Duration,
    members: BTreeMap<DatasetName, Member>,
    listed: Option<Instant>,
    rounds: u64,
    synced: u64,
    failed: u64,
}

impl<'a> Loop<'a> {
    /// A loop that has not begun. Drop it only after [`leave`](Self::leave): it may hold locks.
    pub fn new(session: &'a Session, args: &'a SyncArgs, every: Duration) -> Self {
        Self {
            session,
            args,
            every,
            members: BTreeMap::new(),
            listed: None,
            rounds: 0,
            synced: 0,
            failed: 0,
        }
    }

    fn run(&mut self, stop: &Stop) -> Exit {
        let begun = Instant::now();
        let (mut due, mut rested) = (begun, begun);
        let mut exit = Exit::Success;
        while !stop.is_asked() && self.args.rounds.is_none_or(|rounds| self.rounds < rounds) {
            exit = self.round();
            due = next_due(due, self.every, Instant::now()).max(self.next_member());
            if lock::was_knocked(&self.session.settings.rundir, self.session.pid) && rested.elapsed() > ALONE {
                due = due.max(Instant::now() + LET_IN);
            }
            if due > Instant::now() {
                self.rest();
                stop.sleep_until(due);
                rested = Instant::now();
            }
        }
        self.session.ui.note(&self.summary(begun.elapsed()));
        exit
    }

    /// When the first member is due, which is now unless all are in trouble. Without members it is when they are listed again.
    fn next_member(&self) -> Instant {
        let now = Instant::now();
        if self.members.is_empty() {
            return now + RELIST;
        }
        self.members
            .values()
            .map(|member| member.trouble.as_ref().map_or(now, |trouble| trouble.until))
            .min()
            .unwrap_or(now)
    }

    fn summary(&self, took: Duration) -> String {
        let seconds = took.as_secs_f64();
        let count = |number: u64, noun: &str| counted(usize::try_from(number).unwrap_or(usize::MAX), noun);
        format!(
            "{}, {}, {} in {seconds:.1} s.",
            count(self.rounds, "round"),
            count(self.synced, "sync"),
            count(self.failed, "failure")
        )
    }

    /// Finds out which datasets are meant, once a minute if that can change.
    fn list(&mut self) -> Result<(), Problem> {
        if self
            .listed
            .is_some_and(|listed| self.args.datasets != ["all"] || listed.elapsed() < RELIST)
        {
            return Ok(());
        }
        let names = self.session.operands(&self.args.datasets)?;
        self.listed = Some(Instant::now());
        // N.B. a dataset that is locked by us stays until its own failure says that it is gone.
        self.members
            .retain(|name, member| member.locked || names.contains(name));
        for name in names {
            self.members.entry(name).or_default();
        }
        Ok(())
    }

    /// One round: syncs everything that is due, together.
    pub fn round(&mut self) -> Exit {
        let exit = match self.list() {
            Ok(()) => self.sync_due(),
            Err(problem) => {
                self.session.ui.problem(&problem);
                problem.exit()
            }
        };
        self.rounds += 1;
        exit
    }

    fn sync_due(&mut self) -> Exit {
        let due: Vec<DatasetName> = self
            .members
            .iter()
            .filter(|(_, member)| member.is_due())
            .map(|(name, _)| name.clone())
            .collect();
        let again = self.sync(&due, |member, failure| {
            member.carried && failure.error.kind.wants_a_new_look()
        });
        self.sync(&again, |_, _| false);
        if self
            .members
            .values()
            .any(|member| member.trouble.is_some() || !member.below.is_empty())
        {
            Exit::Failure
        } else {
            Exit::Success
        }
    }

    /// Syncs datasets together, and gives back those that shall be tried once more: nothing is known of them any more.
    fn sync(&mut self, due: &[DatasetName], wants_more: impl Fn(&Member, &Failure) -> bool) -> Vec<DatasetName> {
        let began = Instant::now();
        let mut going: Vec<(DatasetName, Work)> = Vec::new();
        for name in due {
            match self.prepare(name) {
                Ok(one) => going.push((name.clone(), one)),
                Err(problem) => self.failed(name, &problem),
            }
        }
        // N.B. not before: another machine may take its time to answer, and who holds this file keeps every other zrep out.
        let takes_lock = going.iter().any(|(name, _)| !self.members[name].locked);
        let lock = match takes_lock.then(|| self.session.file_lock()).transpose() {
            Ok(lock) => lock,
            Err(problem) => {
                going.iter().for_each(|(name, _)| self.failed(name, &problem));
                return Vec::new();
            }
        };
        let jobs = going.iter().flat_map(|(_, one)| one.jobs().cloned()).collect();
        let mut results = match lock {
            Some(lock) => execute::run_all(jobs, &UntilBegun::new(&Quiet, lock)),
            None => execute::run_all(jobs, &Quiet),
        }
        .into_iter();
        let mut again = Vec::new();
        for (name, Work { job, children, refused }) in going {
            let Some(result) = results.next() else { break };
            let failed = results
                .by_ref()
                .take(children.len())
                .filter_map(Result::err)
                .map(Problem::from);
            let below: Vec<Problem> = refused.into_iter().map(Problem::from).chain(failed).collect();
            match result {
                Err(failure) if wants_more(&self.members[&name], &failure) => {
                    self.members.entry(name.clone()).or_default().warm = None;
                    again.push(name);
                }
                result => {
                    self.record(&name, &job.plan, result, began.elapsed());
                    self.record_below(&name, &below);
                }
            }
        }
        again
    }

    fn prepare(&mut self, name: &DatasetName) -> Result<Work, Problem> {
        let member = self.members.entry(name.clone()).or_default();
        if self.args.changed_only {
            self.session.settle(name)?;
        }
        // N.B. only an observation tells whether something was written.
        if member
            .warm
            .as_ref()
            .is_some_and(|warm| warm.is_stale() || self.args.changed_only)
        {
            member.settle()?;
            member.warm = None;
        }
        member.carried = member.warm.is_some();
        let warm = match member.warm.take() {
            Some(warm) => warm.refreshed(self.session)?,
            None => {
                let warm = Warm::observe(self.session, name)?;
                // N.B. the answer that the lock was given back may have been lost.
                member.locked &= warm.is_locked_by(self.session);
                warm
            }
        };
        if let Some(going) = warm.tree(self.session, self.args)? {
            going.notes().for_each(|note| self.session.ui.note(note));
            return Ok(going);
        }
        let (warm, plan) = warm.plan(self.session, self.args, member.locked)?;
        let ends = warm.ends();
        member.warm = Some(warm);
        plan.notes.iter().for_each(|note| self.session.ui.note(note));
        Ok(Work::of_one(Job { ends, plan }))
    }

    /// What is wrong below a top, told once. It does not make the others wait.
    fn record_below(&mut self, name: &DatasetName, problems: &[Problem]) {
        let session = self.session;
        let Some(member) = self.members.get_mut(name) else {
            return;
        };
        let causes: Vec<String> = problems.iter().map(Problem::cause).collect();
        let before = std::mem::replace(&mut member.below, causes.clone());
        for (problem, _) in problems
            .iter()
            .zip(&causes)
            .filter(|(_, cause)| !before.contains(cause))
        {
            session.ui.problem(problem);
            let fields = json!({ "round": self.rounds + 1, "dataset": name.as_str(), "error": problem_json(problem) });
            session.ui.json("sync", false, fields);
        }
        self.failed += u64::from(!problems.is_empty());
    }

    fn record(&mut self, name: &DatasetName, plan: &Plan, result: Result<Done, Failure>, took: Duration) {
        match result {
            Ok(done) => self.succeeded(name, plan, &done, took),
            Err(failure) => self.failed(name, &failure.into()),
        }
    }

    fn succeeded(&mut self, name: &DatasetName, plan: &Plan, done: &Done, took: Duration) {
        let Some(member) = self.members.get_mut(name) else {
            return;
        };
        if let Some(warm) = &mut member.warm {
            warm.advance(done, self.session.now());
        }
        // A plan with stages takes the lock in the first one; an empty one has touched nothing. That of a tree gives it back itself.
        member.locked |= !plan.stages.is_empty() && member.warm.is_some();
        member.stale = 0;
        if let Some(trouble) = member.trouble.take() {
            self.session
                .ui
                .note(&format!("{name}: works again, after: {}", trouble.headline));
        }
        self.synced += u64::from(!plan.stages.is_empty());
        let snapshot = done.created().map(|(name, _)| name.to_string());
        if let (true, Some(snapshot)) = (self.args.verbose, &snapshot) {
            self.session.ui.say(&format!(
                "{snapshot}: {} in {:.3} s",
                counted(usize::try_from(done.bytes()).unwrap_or(usize::MAX), "byte"),
                took.as_secs_f64()
            ));
        }
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let fields = json!({ "round": self.rounds + 1, "dataset": name.as_str(), "snapshot": snapshot, "bytes": done.bytes(), "milliseconds": milliseconds });
        self.session.ui.json("sync", true, fields);
    }

    /// Somebody may make a snapshot between a round's observation and its own snapshot. The next round, which observes anew, takes it along.
    fn is_only_stale(&mut self, name: &DatasetName, problem: &Problem) -> bool {
        let Some(member) = self.members.get_mut(name).filter(|_| problem.is_stale()) else {
            return false;
        };
        member.stale += 1;
        member.warm = None;
        member.stale < STALE_ROUNDS
    }

    /// Says what went wrong, once: a problem that lasts is not told anew in each round.
    fn failed(&mut self, name: &DatasetName, problem: &Problem) {
        if self.is_only_stale(name, problem) {
            return;
        }
        self.failed += 1;
        let (cause, headline) = (problem.cause(), problem.told().headline());
        let Some(member) = self.members.get_mut(name) else {
            return;
        };
        member.warm = None;
        let before = member.trouble.take();
        let pause = before
            .as_ref()
            .map_or(self.every.max(Duration::from_secs(1)), |trouble| {
                (trouble.pause * 2).min(LONGEST_PAUSE.max(self.every))
            });
        if before.is_none_or(|trouble| trouble.cause != cause) {
            self.session.ui.problem(problem);
            let fields = json!({ "round": self.rounds + 1, "dataset": name.as_str(), "error": problem_json(problem) });
            self.session.ui.json("sync", false, fields);
        }
        member.trouble = Some(Trouble {
            cause,
            headline,
            pause,
            until: Instant::now() + pause,
        });
    }

    /// Gives the locks back for a while.
    pub fn rest(&mut self) {
        let session = self.session;
        let rested = self.members.iter_mut();
        let failures: Vec<(DatasetName, Problem)> = rested
            .filter_map(|(name, member)| Some((name.clone(), member.rest(session, name).err()?)))
            .collect();
        for (name, problem) in failures {
            self.failed(&name, &problem);
        }
    }

    /// Settles, and gives the locks back.
    pub fn leave(&mut self) -> Exit {
        let members = std::mem::take(&mut self.members);
        lock::was_knocked(&self.session.settings.rundir, self.session.pid);
        let mut jobs = Vec::new();
        for (name, member) in members {
            let (ends, plan) = match member {
                Member { locked: false, .. } => continue,
                Member { warm: Some(warm), .. } => (warm.ends(), warm.last_plan(self.session)),
                Member { warm: None, .. } => match Warm::release_plan(self.session, &name) {
                    Ok(plan) => (self.session.ends_here(), plan),
                    Err(problem) => {
                        self.session.ui.problem(&problem);
                        continue;
                    }
                },
            };
            jobs.push(Job { ends, plan });
        }
        let mut exit = Exit::Success;
        for failure in execute::run_all(jobs, &Quiet).into_iter().filter_map(Result::err) {
            self.session.ui.problem(&failure.into());
            exit = Exit::Failure;
        }
        exit
    }
}

/// The next point of the time table. Rounds that were missed are not made up for.
fn next_due(due: Instant, every: Duration, now: Instant) -> Instant {
    (due + every).max(now)
}
