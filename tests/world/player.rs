//! A host that plays back the answers that a verb has had so far, and ends the run at the first call that has none.
//!
//! What a verb does next depends on nothing but its answers. So a run need not be kept waiting while others move: it is played again from its
//! beginning, up to where it stands. Two calls that the executor makes at the same time are both found, because both have no answer yet.

use std::fmt;
use std::io::{PipeReader, PipeWriter, pipe};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zfs_ffi::DatasetName;
use zrep::host::{Applied, BatchError, Errand, Error, ErrorKind, Host, Inlet, Outlet, Received};
use zrep::model::{Snapshot, State};
use zrep::plan::lock::Seen;
use zrep::plan::{Action, Transfer};
use zrep::props::Tag;

use super::call::{Answer, Asked, Call, Streamed};

/// The answers that a run has had. Each pool has a row of its own, and the streams have one: what happens in different rows at the same time has no order.
#[derive(Debug, Clone, Default)]
pub struct History {
    rows: [Vec<Arc<Answer>>; 3],
}

const STREAMS: usize = 2;

impl History {
    /// Notes an answer, and tells in which row.
    pub fn add(&mut self, asked: &Asked, answer: Answer) -> usize {
        let row = row_of(asked.at, &asked.call);
        self.rows[row].push(Arc::new(answer));
        row
    }
}

fn row_of(at: usize, call: &Call) -> usize {
    let of_pool = |pool: &str| usize::from(pool == super::POOLS[1]);
    match call {
        Call::Observe(name)
        | Call::Children(name)
        | Call::ObserveBelow(name)
        | Call::SnapshotsSince(name, _)
        | Call::MayTurn(name) => of_pool(name.pool()),
        Call::LockSeen { state, .. } => of_pool(state.name.pool()),
        Call::Settle(pool) => of_pool(pool),
        Call::WithProperty(_) => at,
        Call::Apply(batch) => batch.first().map_or(at, |action| of_pool(action.pool())),
        Call::Stream { .. } => STREAMS,
        Call::Fetch { transfer, .. } => of_pool(transfer.snapshot.dataset().pool()),
    }
}

/// The payload of the unwinding that ends a run. Never seen by anybody but [`super::typed`].
#[derive(Debug)]
pub struct Suspended;

/// One run of a verb, as far as it has come.
#[derive(Debug)]
pub struct Script {
    history: History,
    place: Mutex<Place>,
}

/// How far the history was played.
#[derive(Debug, Default)]
struct Place {
    next: [usize; 3],
    sends: usize,
    asked: Vec<Asked>,
}

impl Script {
    pub fn new(history: History) -> Arc<Self> {
        Arc::new(Self {
            history,
            place: Mutex::default(),
        })
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calls that have no answer, in the order of their rows.
    pub fn asked(&self) -> Vec<Asked> {
        let mut asked = std::mem::take(&mut self.place().asked);
        asked.sort_by_key(|asked| row_of(asked.at, &asked.call));
        asked
    }

    fn ask(&self, asked: Asked) -> Answer {
        let row = row_of(asked.at, &asked.call);
        let mut place = self.place();
        let Some(answer) = self.history.rows[row].get(place.next[row]) else {
            place.asked.push(asked);
            drop(place);
            resume_unwind(Box::new(Suspended));
        };
        place.next[row] += 1;
        answer.as_ref().clone()
    }

    /// What the sender's end of the next stream hears. It is known when the receiver's is.
    fn sent(&self) -> Result<(), Error> {
        let mut place = self.place();
        let Some(answer) = self.history.rows[STREAMS].get(place.sends) else {
            drop(place);
            resume_unwind(Box::new(Suspended));
        };
        place.sends += 1;
        match answer.as_ref() {
            Answer::Streamed(streamed) => streamed.sent.clone(),
            other => unanswerable("a stream", other),
        }
    }
}

fn unanswerable<T>(what: &str, answer: &Answer) -> T {
    unreachable!("{what} is not answered by {answer:?}")
}

/// One machine, as one run sees it.
pub struct Player {
    pub script: Arc<Script>,
    /// The machine's number.
    pub at: usize,
    /// The run is on another machine.
    pub is_far: bool,
    /// There is no other machine.
    pub is_alone: bool,
    /// That machine has a zrep, so changes travel with streams.
    pub serves: bool,
    /// How the run sees what is observed.
    pub seen: fn(State) -> State,
    /// The process there that works for this run.
    pub pid: u32,
}

impl fmt::Debug for Player {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "machine {}", self.at)
    }
}

impl Player {
    fn ask(&self, call: Call) -> Answer {
        self.script.ask(Asked {
            at: self.at,
            over_network: self.is_far,
            is_far: self.is_far,
            call,
        })
    }

    fn stream(&self, before: &[Action], transfer: &Transfer, after: &[Action], over_network: bool) -> Streamed {
        let call = Call::Stream {
            before: before.to_vec(),
            transfer: Box::new(transfer.clone()),
            after: after.to_vec(),
        };
        let asked = Asked {
            at: self.at,
            over_network,
            is_far: self.is_far,
            call,
        };
        match self.script.ask(asked) {
            Answer::Streamed(streamed) => streamed,
            other => unanswerable("a stream", &other),
        }
    }
}

impl Host for Player {
    fn observe(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        match self.ask(Call::Observe(dataset.clone())) {
            Answer::Observed(result) => result.map(|found| found.map(self.seen)),
            other => unanswerable("observe", &other),
        }
    }

    fn observe_below(&self, dataset: &DatasetName) -> Result<Vec<State>, Error> {
        match self.ask(Call::ObserveBelow(dataset.clone())) {
            Answer::Below(result) => result.map(|found| found.into_iter().map(self.seen).collect()),
            other => unanswerable("observe below", &other),
        }
    }

    fn snapshots_since(&self, dataset: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error> {
        match self.ask(Call::SnapshotsSince(dataset.clone(), txg)) {
            Answer::Snapshots(result) => result,
            other => unanswerable("snapshots", &other),
        }
    }

    fn settle(&self, pool: &str) -> Result<(), Error> {
        match self.ask(Call::Settle(pool.to_owned())) {
            Answer::Done(result) => result,
            other => unanswerable("settle", &other),
        }
    }

    fn with_property(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        match self.ask(Call::WithProperty(property.to_owned())) {
            Answer::Names(result) => result,
            other => unanswerable("names", &other),
        }
    }

    fn children(&self, dataset: &DatasetName) -> Result<Vec<DatasetName>, Error> {
        match self.ask(Call::Children(dataset.clone())) {
            Answer::Names(result) => result,
            other => unanswerable("children", &other),
        }
    }

    fn apply(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        match self.ask(Call::Apply(batch.to_vec())) {
            Answer::Applied(result) => result,
            other => unanswerable("apply", &other),
        }
    }

    /// The stage carries a stream as one call, which its receiver makes.
    fn send(&self, _transfer: &Transfer, _out: PipeWriter, _watch: Option<&(dyn Fn(u64) + Sync)>) -> Result<(), Error> {
        self.script.sent()
    }

    fn receive(&self, transfer: &Transfer, _input: PipeReader) -> Result<Received, Error> {
        let streamed = self.stream(&[], transfer, &[], !self.is_alone);
        streamed.carried?.received.unwrap_or_else(|| Err(lost(transfer)))
    }

    fn estimate(&self, _transfer: &Transfer) -> Result<u64, Error> {
        Ok(0)
    }

    fn lock_seen(&self, state: &State, _tag: &Tag) -> Seen {
        let call = Call::LockSeen {
            state: Box::new(state.clone()),
            by: self.pid,
        };
        match self.ask(call) {
            Answer::Seen(seen) => seen,
            other => unanswerable("lock", &other),
        }
    }

    fn holder(&self) -> Result<Option<u32>, Error> {
        Ok(Some(self.pid))
    }

    fn may_turn(&self, dataset: &DatasetName) -> Result<(), Error> {
        match self.ask(Call::MayTurn(dataset.clone())) {
            Answer::Done(result) => result,
            other => unanswerable("may turn", &other),
        }
    }

    fn is_far(&self) -> bool {
        self.is_far && self.serves
    }

    fn inlet<'a>(&'a self, errand: Errand<'_>) -> Result<Inlet<'a>, Error> {
        let Streamed { carried, .. } = self.stream(errand.before, errand.transfer, errand.after, true);
        // What cannot be reached is found out before there is a way for the stream.
        if let Err(error) = &carried
            && error.kind == ErrorKind::Unreachable
        {
            // No sender will ask for its end of this one.
            self.script.place().sends += 1;
            return Err(error.clone());
        }
        Ok(Inlet {
            way: pipe().expect("a pipe").1,
            abort: Box::new(|| {}),
            finish: Box::new(move || carried),
        })
    }

    fn outlet<'a>(&'a self, errand: Errand<'_>) -> Result<Outlet<'a>, BatchError> {
        let call = Call::Fetch {
            before: errand.before.to_vec(),
            transfer: Box::new(errand.transfer.clone()),
        };
        let before = match self.ask(call) {
            Answer::Fetched(result) => result?,
            other => unanswerable("fetch", &other),
        };
        Ok(Outlet {
            before,
            way: pipe().expect("a pipe").0,
            finish: Box::new(|| self.script.sent()),
        })
    }
}

fn lost(transfer: &Transfer) -> Error {
    Error::new(
        ErrorKind::Lost,
        format!("receive {}: no answer about the stream", transfer.into),
    )
}
