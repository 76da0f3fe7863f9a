//! Carries plans out, stage by stage, and undoes what it began where a stage fails before the point of no return.
//!
//! Several plans go together: what they have to change in one pool in the same stage is one batch, and so one transaction;
//! their streams run side by side. A plan that fails drops out, and does not stop the others.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::host::{Applied, BatchError, Error, ErrorKind, Host, Received};
use crate::model::{Guid, Side};
use crate::plan::{Action, Plan, Stage, Transfer};
use transfer::transfer_stage;
use wait::pass_waits;

mod transfer;
mod undo;
mod wait;

/// How many streams run at the same time. Their transactions coincide, so more streams cost hardly more of them.
const STREAMS: usize = 8;

/// Hears of what happens, as it happens.
pub trait Watch: Sync {
    /// The first changes are made, or turned out to be impossible.
    fn begun(&self) {}
    /// A stage of changes is done, and these were made.
    fn applied(&self, _done: &Done) {}
    /// A stage's stream begins.
    fn sending(&self, _transfer: &Transfer, _estimate: Option<u64>) {}
    /// So many bytes have been sent of it.
    fn sent(&self, _transfer: &Transfer, _bytes: u64) {}
    /// It has arrived.
    fn arrived(&self, _transfer: &Transfer, _received: &Received) {}
    /// Whether [`Watch::sent`] and the estimate are wanted: both cost a little.
    fn wants_bytes(&self) -> bool {
        false
    }
}

/// Hears nothing.
#[derive(Debug)]
pub struct Quiet;

impl Watch for Quiet {}

/// The two hosts of a pairing.
#[derive(Debug, Clone)]
pub struct Ends {
    /// Where the master is.
    pub source: Arc<dyn Host>,
    /// Where the replica is.
    pub target: Arc<dyn Host>,
}

impl Ends {
    fn host(&self, side: Side) -> &Arc<dyn Host> {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }
}

/// A plan and the hosts that it is for.
#[derive(Debug, Clone)]
pub struct Job {
    /// The hosts.
    pub ends: Ends,
    /// What is to be done.
    pub plan: Plan,
}

/// What was done of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Each action with its result, in order.
    pub applied: Vec<(Side, Action, Applied)>,
    /// Each transfer that arrived.
    pub received: Vec<(Transfer, Received)>,
}

impl Done {
    /// The snapshot that the plan made on the source.
    pub fn created(&self) -> Option<(&zfs_ffi::SnapshotName, Guid)> {
        self.applied
            .iter()
            .rev()
            .find_map(|(side, action, result)| match (side, action, result) {
                (Side::Source, Action::Snapshot(name), Applied::Created { guid, .. }) => Some((name, *guid)),
                (Side::Source | Side::Target, _, _) => None,
            })
    }

    /// What was done of plans that only count together. The first one waits for the others: where one of them failed, it has failed for the same reason.
    pub fn whole(results: Vec<Result<Self, Failure>>) -> Result<Self, Failure> {
        let mut all = Self::default();
        for done in results {
            let Self { applied, received } = done?;
            all.received.extend(received);
            // N.B. the snapshot that is told is that of the first plan.
            all.applied.splice(0..0, applied);
        }
        Ok(all)
    }

    /// The length of all streams, in bytes.
    pub fn bytes(&self) -> u64 {
        self.received.iter().map(|(_, received)| received.bytes).sum()
    }
}

/// Why a plan was not carried out to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where.
    pub side: Side,
    /// The dataset.
    pub object: String,
    /// What went wrong.
    pub error: Error,
    /// Whether it happened behind the point of no return.
    pub committed: bool,
    /// Whether anything was done before.
    pub begun: bool,
    /// The plan's source, where the plan has a stream.
    pub source: Option<String>,
    /// What could not be undone, if anything.
    pub not_undone: Vec<String>,
}

impl Failure {
    /// Whether the plan was only too old: something changed between the observation and the first stage, and nothing was done. A new
    /// observation helps.
    pub fn is_stale(&self) -> bool {
        self.error.kind == ErrorKind::Unexpected && !self.begun
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.side, self.object, self.error)
    }
}

impl std::error::Error for Failure {}

/// Carries out one plan.
pub fn run(job: Job, watch: &dyn Watch) -> Result<Done, Failure> {
    let mut results = run_all(vec![job], watch);
    results.pop().unwrap_or(Ok(Done::default()))
}

/// Carries out several plans together. Answers with one result for each, in their order.
pub fn run_all(jobs: Vec<Job>, watch: &dyn Watch) -> Vec<Result<Done, Failure>> {
    let mut runs: Vec<Run> = jobs.into_iter().map(Run::new).collect();
    let mut begun = false;
    while runs.iter().any(Run::is_going) {
        pass_waits(&mut runs);
        apply_together(&mut runs);
        runs.iter().for_each(|run| watch.applied(&run.done));
        if !std::mem::replace(&mut begun, true) {
            watch.begun();
        }
        transfer_together(&mut runs, watch);
        runs.iter_mut().for_each(Run::pass_commit);
    }
    runs.into_iter().map(Run::finish).collect()
}

/// A plan under way.
struct Run {
    job: Job,
    next: usize,
    done: Done,
    committed: bool,
    /// What may have been done: the answer was lost.
    unsure: Vec<(Side, Action)>,
    /// How many actions were done before the point of no return.
    done_before: usize,
    failure: Option<Failure>,
    /// The far side's part of the stage at hand was done along with the stream before it.
    carried: bool,
}

impl Run {
    fn new(job: Job) -> Self {
        Self {
            job,
            next: 0,
            done: Done::default(),
            committed: false,
            unsure: Vec::new(),
            done_before: 0,
            failure: None,
            carried: false,
        }
    }

    fn stage(&self) -> Option<&Stage> {
        if self.failure.is_some() {
            None
        } else {
            self.job.plan.stages.get(self.next)
        }
    }

    fn is_going(&self) -> bool {
        self.stage().is_some()
    }

    /// The side whose part of this stage travels with a stream, if the stage is next to one.
    fn travels(&self) -> Option<Side> {
        let ends = &self.job.ends;
        let is_before = matches!(self.job.plan.stages.get(self.next + 1), Some(Stage::Transfer(_)));
        match (ends.target.is_far(), ends.source.is_far()) {
            (true, _) if is_before || self.carried => Some(Side::Target),
            (false, true) if is_before => Some(Side::Source),
            (true | false, _) => None,
        }
    }

    /// The part of one side in the stage `index`, if that one consists of changes.
    fn part(&self, index: Option<usize>, side: Side) -> &[Action] {
        match (index.and_then(|index| self.job.plan.stages.get(index)), side) {
            (Some(Stage::Apply { source, .. }), Side::Source) => source,
            (Some(Stage::Apply { target, .. }), Side::Target) => target,
            (Some(Stage::Transfer(_) | Stage::Commit | Stage::Wait { .. }) | None, _) => &[],
        }
    }

    fn pass_commit(&mut self) {
        if matches!(self.stage(), Some(Stage::Commit)) {
            self.committed = true;
            self.done_before = self.done.applied.len();
            self.next += 1;
        }
    }

    fn fail(&mut self, side: Side, object: &str, error: Error) {
        if self.failure.is_none() {
            self.failure = Some(Failure {
                side,
                object: object.split('@').next().unwrap_or(object).to_owned(),
                error,
                committed: self.committed,
                begun: !self.done.applied.is_empty(),
                source: self.job.plan.source(),
                not_undone: Vec::new(),
            });
        }
    }

    /// Takes the point of no return back where the first change behind it is known not to have been made.
    fn not_committed(&mut self) {
        if self.done.applied.len() == self.done_before
            && let Some(failure) = &mut self.failure
        {
            failure.committed = false;
        }
    }

    /// Takes back what was done, the last thing first.
    fn finish(mut self) -> Result<Done, Failure> {
        let Some(mut failure) = self.failure.take() else {
            return Ok(self.done);
        };
        if !failure.committed {
            failure.not_undone = self.undo(&failure);
        }
        Err(failure)
    }

    fn undo(&self, failure: &Failure) -> Vec<String> {
        let mut left = Vec::new();
        for (side, batch) in self.undo_batches(failure) {
            match self.job.ends.host(side).apply(&batch) {
                // Somebody else has taken over: what stands there now is his. Or it was never done.
                Err(failed) if failed.error.kind == ErrorKind::Unexpected && !failed.begun => {}
                Err(failed) => {
                    let changes = batch.iter().filter(|action| !action.is_condition());
                    left.extend(changes.map(|action| format!("{side}: {action}: {failed}")));
                }
                Ok(_) => {}
            }
        }
        left
    }
}

/// The part of one run in a batch.
struct Part {
    run: usize,
    side: Side,
    action: Action,
}

/// Applies what all runs have to change in this stage. What lies in one pool goes in one batch; the pools work side by side.
fn apply_together(runs: &mut [Run]) {
    let results = apply_batches(batches(runs));
    let applied: Vec<usize> = (0..runs.len())
        .filter(|&index| matches!(runs[index].stage(), Some(Stage::Apply { .. })))
        .collect();
    for (parts, results) in results {
        record(runs, parts, results);
    }
    for index in applied {
        runs[index].next += 1;
        runs[index].carried = false;
    }
}

type PartResult = Result<Applied, PartError>;

/// Why an action was not done, or not known to be.
#[derive(Debug, Clone)]
struct PartError {
    error: Error,
    /// It is known that nothing of its batch was done.
    untouched: bool,
}

/// The last batch is done here; a thread for a single one would cost more than it saves.
fn apply_batches(mut batches: Vec<(Arc<dyn Host>, Vec<Part>)>) -> Vec<(Vec<Part>, Vec<PartResult>)> {
    let apply = |(host, parts): (Arc<dyn Host>, Vec<Part>)| {
        let results = apply_batch(host.as_ref(), &parts);
        (parts, results)
    };
    let Some(last) = batches.pop() else { return Vec::new() };
    thread::scope(|scope| {
        let workers: Vec<_> = batches
            .into_iter()
            .map(|batch| scope.spawn(move || apply(batch)))
            .collect();
        let last = apply(last);
        let joined = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.chain([last]).collect()
    })
}

fn batches(runs: &[Run]) -> Vec<(Arc<dyn Host>, Vec<Part>)> {
    let mut batches: Vec<(Arc<dyn Host>, String, Vec<Part>)> = Vec::new();
    for (run, going) in runs.iter().enumerate() {
        let Some(Stage::Apply { source, target }) = going.stage() else {
            continue;
        };
        let travels = going.travels();
        let sides = source
            .iter()
            .map(|action| (Side::Source, action))
            .chain(target.iter().map(|action| (Side::Target, action)))
            .filter(|(side, _)| Some(*side) != travels);
        for (side, action) in sides {
            let host = going.job.ends.host(side);
            let part = Part {
                run,
                side,
                action: action.clone(),
            };
            match batches
                .iter_mut()
                .find(|(other, pool, _)| Arc::ptr_eq(other, host) && pool == action.pool())
            {
                Some((_, _, parts)) => parts.push(part),
                None => batches.push((Arc::clone(host), action.pool().to_owned(), vec![part])),
            }
        }
    }
    batches
        .into_iter()
        .map(|(host, _, parts)| (host, in_order(parts)))
        .collect()
}

/// The conditions that the parts begin with first, and the snapshots that they end with last: where no channel program may be run, what stands next to each other is
/// one call, and so all snapshots of a batch are one.
fn in_order(parts: Vec<Part>) -> Vec<Part> {
    if parts.windows(2).all(|two| two[0].run == two[1].run) {
        return parts;
    }
    let rank = |index: usize| {
        let of_run = |part: &&Part| part.run == parts[index].run;
        if parts[..=index]
            .iter()
            .filter(of_run)
            .all(|part| part.action.is_condition())
        {
            0
        } else if parts[index..]
            .iter()
            .filter(of_run)
            .all(|part| part.action.new_snapshot().is_some())
        {
            2
        } else {
            1
        }
    };
    let ranks: Vec<u8> = (0..parts.len()).map(rank).collect();
    let mut ranked: Vec<(u8, Part)> = ranks.into_iter().zip(parts).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, part)| part).collect()
}

/// Applies a batch. A run whose part of it is not possible is taken out, and the others are tried again without it.
fn apply_batch(host: &dyn Host, parts: &[Part]) -> Vec<PartResult> {
    let mut results: Vec<Option<PartResult>> = parts.iter().map(|_| None).collect();
    loop {
        let open: Vec<usize> = (0..parts.len()).filter(|&index| results[index].is_none()).collect();
        if open.is_empty() {
            return results.into_iter().flatten().collect();
        }
        let batch: Vec<Action> = open.iter().map(|&index| parts[index].action.clone()).collect();
        match host.apply(&batch) {
            Ok(applied) => open
                .iter()
                .zip(applied)
                .for_each(|(&index, applied)| results[index] = Some(Ok(applied))),
            Err(failed) => note_failure(parts, &open, failed, &mut results),
        }
    }
}

fn note_failure(parts: &[Part], open: &[usize], failed: BatchError, results: &mut [Option<PartResult>]) {
    let culprit = open.get(failed.index).map(|&index| parts[index].run);
    for (position, &index) in open.iter().enumerate() {
        let is_his = Some(parts[index].run) == culprit;
        if failed.begun && position < failed.index {
            results[index] = Some(Ok(Applied::Done));
        } else if failed.begun || is_his || culprit.is_none() {
            let untouched = !failed.begun && !matches!(failed.error.kind, ErrorKind::Lost | ErrorKind::Interrupted);
            let error = failed.error.clone();
            results[index] = Some(Err(PartError { error, untouched }));
        }
    }
}

fn record(runs: &mut [Run], parts: Vec<Part>, results: Vec<PartResult>) {
    for (Part { run, side, action }, result) in parts.into_iter().zip(results) {
        match result {
            Ok(applied) => runs[run].done.applied.push((side, action, applied)),
            Err(PartError { error, untouched }) => {
                if error.kind == ErrorKind::Lost {
                    runs[run].unsure.push((side, action.clone()));
                }
                runs[run].fail(side, action.object(), error);
                if untouched {
                    runs[run].not_committed();
                }
            }
        }
    }
}

/// Runs the streams of this stage, several at a time.
fn transfer_together(runs: &mut [Run], watch: &dyn Watch) {
    let due: Vec<&mut Run> = runs
        .iter_mut()
        .filter(|run| matches!(run.stage(), Some(Stage::Transfer(_))))
        .collect();
    match due.len() {
        0 => {}
        // The usual case of one filesystem needs no worker.
        1 => due.into_iter().for_each(|run| transfer_stage(run, watch)),
        many => {
            let next = AtomicUsize::new(0);
            let slots: Vec<Mutex<&mut Run>> = due.into_iter().map(Mutex::new).collect();
            thread::scope(|scope| {
                for _ in 0..STREAMS.min(many) {
                    scope.spawn(|| {
                        while let Some(slot) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
                            let mut run = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                            transfer_stage(&mut run, watch);
                        }
                    });
                }
            });
        }
    }
}
