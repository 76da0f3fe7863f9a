//! What a verb asks of a machine, and what it is answered.

use zfs_ffi::DatasetName;
use zrep::host::{Applied, BatchError, Carried, Error};
use zrep::model::{Snapshot, State};
use zrep::plan::lock::Seen;
use zrep::plan::{Action, Transfer};

/// A question or an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    Observe(DatasetName),
    SnapshotsSince(DatasetName, u64),
    Settle(String),
    WithProperty(String),
    Children(DatasetName),
    ObserveBelow(DatasetName),
    /// Who holds the lock of a dataset; to a process, its own lock is as good as none.
    LockSeen {
        state: Box<State>,
        by: u32,
    },
    MayTurn(DatasetName),
    Apply(Vec<Action>),
    /// A stream into this machine, and the changes that travel with it.
    Stream {
        before: Vec<Action>,
        transfer: Box<Transfer>,
        after: Vec<Action>,
    },
    /// The changes before a stream out of a far machine. The stream itself is a call of its own, at its other end.
    Fetch {
        before: Vec<Action>,
        transfer: Box<Transfer>,
    },
}

/// A call, and the machine that it is made to.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The number of the machine.
    pub at: usize,
    /// The call goes over the network, or a stream of it does.
    pub over_network: bool,
    /// The machine is another one than the verb's.
    pub is_far: bool,
    pub call: Call,
}

/// An answer, of the kind that the call has.
#[derive(Debug, Clone)]
pub enum Answer {
    Observed(Result<Option<State>, Error>),
    Snapshots(Result<Vec<Snapshot>, Error>),
    Done(Result<(), Error>),
    Names(Result<Vec<DatasetName>, Error>),
    Below(Result<Vec<State>, Error>),
    Seen(Seen),
    Applied(Result<Vec<Applied>, BatchError>),
    Streamed(Streamed),
    Fetched(Result<Vec<Applied>, BatchError>),
}

/// What came of a stream at both of its ends.
#[derive(Debug, Clone)]
pub struct Streamed {
    pub sent: Result<(), Error>,
    pub carried: Result<Carried, Error>,
}

impl Asked {
    /// In short, for the trace of a case.
    pub fn told(&self) -> String {
        let list = |actions: &[Action]| {
            let lines: Vec<String> = actions.iter().map(Action::to_string).collect();
            lines.join("; ")
        };
        let what = match &self.call {
            Call::Observe(name) => format!("observe {name}"),
            Call::SnapshotsSince(name, txg) => format!("snapshots of {name} since {txg}"),
            Call::Settle(pool) => format!("settle {pool}"),
            Call::WithProperty(name) => format!("who has {name}"),
            Call::ObserveBelow(name) => format!("observe all below {name}"),
            Call::Children(name) => format!("what is below {name}"),
            Call::LockSeen { state, .. } => format!("who holds the lock of {}", state.name),
            Call::MayTurn(name) => format!("may turn {name}"),
            Call::Apply(batch) => format!("apply [{}]", list(batch)),
            Call::Stream {
                before,
                transfer,
                after,
            } => format!("[{}] {transfer} [{}]", list(before), list(after)),
            Call::Fetch { before, transfer } => format!("[{}] fetch {}", list(before), transfer.snapshot),
        };
        format!(
            "machine {}{}: {what}",
            self.at,
            if self.over_network { " (far)" } else { "" }
        )
    }
}
