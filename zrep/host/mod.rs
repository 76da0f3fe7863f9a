//! One machine's ZFS, as zrep uses it: observe a dataset, apply a batch of changes, send a stream, receive one.

use std::fmt;
use std::io::{PipeReader, PipeWriter};
use std::time::Duration;

use crate::model::{Guid, Snapshot, State};
use crate::plan::lock::Seen;
use crate::plan::{Action, Transfer};
use crate::props::Tag;
use zfs_ffi::DatasetName;

pub mod fake;
pub mod local;
pub mod remote;
pub mod shell;
pub mod told;

/// One side of a pairing.
///
/// Methods take `&self`: streams of several datasets run at once.
pub trait Host: Send + Sync + fmt::Debug {
    /// What there is to know of a dataset, or `None` if there is no such dataset. Changes nothing.
    ///
    /// Its snapshots come with their names and guids, and perhaps without their time of creation and their properties:
    /// no decision needs those, and they cost a multiple. [`snapshots_since`](Self::snapshots_since) has them.
    fn observe(&self, dataset: &DatasetName) -> Result<Option<State>, Error>;

    /// The same without its snapshots and bookmarks, which is cheaper.
    fn glance(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        self.observe(dataset)
    }

    /// The snapshots of a dataset that are younger than the transaction group, oldest first, with all that is in them; none of a dataset that is not there.
    /// Cheaper than to observe it anew.
    fn snapshots_since(&self, dataset: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error>;

    /// Waits until what was written to the pool so far can be observed: `written` is of the last transaction group on disk.
    fn settle(&self, pool: &str) -> Result<(), Error>;

    /// The names of all filesystems and volumes on which `property` is set, locally or received.
    fn with_property(&self, property: &str) -> Result<Vec<DatasetName>, Error>;

    /// What there is to know of all filesystems and volumes below a dataset, at any depth, in the order of their names; nothing below one that is not there.
    ///
    /// One that is destroyed or renamed meanwhile may be missing, or be there under either name. Blocks for as long as it takes to look at each.
    fn observe_below(&self, dataset: &DatasetName) -> Result<Vec<State>, Error>;

    /// The names of the filesystems and volumes directly below a dataset. Only its own machine is asked.
    fn children(&self, _dataset: &DatasetName) -> Result<Vec<DatasetName>, Error> {
        Err(Error::new(
            ErrorKind::Other,
            "the datasets of another machine are not listed",
        ))
    }

    /// Carries out a batch of changes, all of one pool, in order. Answers with one [`Applied`] for each.
    ///
    /// Where the caller is root and all of them are of the kind that a channel program can do, the batch is one transaction: it is
    /// checked as a whole, and then either done or not begun. Otherwise it is done call by call, and [`BatchError::begun`] tells whether
    /// an error left part of it behind.
    fn apply(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError>;

    /// Writes the stream of a transfer into `out`, and returns when it is written. Blocks as long as the reader is slow.
    ///
    /// `watch` is called now and then with the number of bytes so far.
    fn send(&self, transfer: &Transfer, out: PipeWriter, watch: Option<&(dyn Fn(u64) + Sync)>) -> Result<(), Error>;

    /// Reads the stream of a transfer from `input` and makes a snapshot of it.
    ///
    /// On failure the target is as it was before, except that an interrupted stream leaves what it brought so far, to go on from.
    fn receive(&self, transfer: &Transfer, input: PipeReader) -> Result<Received, Error>;

    /// The same for a stream of somebody who may take his time: what was looked at when he asked for it need not be so any more. `begun` looks once
    /// more, when the stream has begun and before anything is done with it; it must have begun `within` that time.
    fn receive_begun(
        &self,
        transfer: &Transfer,
        input: PipeReader,
        _within: Duration,
        begun: &dyn Fn() -> Result<(), Error>,
    ) -> Result<Received, Error> {
        begun()?;
        self.receive(transfer, input)
    }

    /// How many bytes the stream of a transfer will have, roughly.
    fn estimate(&self, transfer: &Transfer) -> Result<u64, Error>;

    /// What the process that holds the lock on a dataset is doing. Only its own machine can tell.
    fn lock_seen(&self, state: &State, tag: &Tag) -> Seen;

    /// The process that holds the locks which are taken on this machine, if it is not the one that asks.
    fn holder(&self) -> Result<Option<u32>, Error> {
        Ok(None)
    }

    /// Whether this user may change the role of a dataset, as far as that can be told without doing it. To be asked before the first step:
    /// behind the point of no return it would be too late.
    fn may_turn(&self, _dataset: &DatasetName) -> Result<(), Error> {
        Ok(())
    }

    /// Whether each call is a message to another machine, so that what stands around a stream is better sent along with it:
    /// [`inlet`](Self::inlet) and [`outlet`](Self::outlet) are there to be used.
    fn is_far(&self) -> bool {
        false
    }

    /// The way into a target that is far. The stream is to be written into [`Inlet::way`]; then [`Inlet::finish`] tells what came of it.
    fn inlet<'a>(&'a self, _errand: Errand<'_>) -> Result<Inlet<'a>, Error> {
        Err(Error::new(ErrorKind::Other, "this host has no inlet of its own"))
    }

    /// The way out of a source that is far, once what stands before the stream is done.
    ///
    /// An error tells how far the changes before the stream have come.
    fn outlet<'a>(&'a self, _errand: Errand<'_>) -> Result<Outlet<'a>, BatchError> {
        Err(BatchError::whole(Error::new(
            ErrorKind::Other,
            "this host has no outlet of its own",
        )))
    }
}

/// A transfer, and what happens at its far end in the same round trip.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    /// Changes before the stream.
    pub before: &'a [Action],
    /// The stream.
    pub transfer: &'a Transfer,
    /// Changes behind a stream that has arrived.
    pub after: &'a [Action],
}

/// A stream's way into a far target.
#[must_use = "the far side waits for the stream"]
pub struct Inlet<'a> {
    /// Where the stream is written to. To be closed behind its last byte.
    pub way: PipeWriter,
    /// Breaks the connection. For a sender that fails: nothing else tells the far side that no more will come.
    pub abort: Box<dyn FnOnce() + Send>,
    /// Waits for the far side's answer.
    pub finish: Box<dyn FnOnce() -> Result<Carried, Error> + 'a>,
}

/// A stream's way out of a far source.
#[must_use = "the far side waits for a reader of its stream"]
pub struct Outlet<'a> {
    /// What came of the changes before the stream.
    pub before: Vec<Applied>,
    /// Where the stream is read from. To be closed behind its last byte.
    pub way: PipeReader,
    /// Hears whether the stream was complete.
    pub finish: Box<dyn FnOnce() -> Result<(), Error> + 'a>,
}

impl fmt::Debug for Inlet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inlet").field("way", &self.way).finish_non_exhaustive()
    }
}

impl fmt::Debug for Outlet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("way", &self.way).finish_non_exhaustive()
    }
}

/// What came of a stream and of what was around it. Nothing follows what failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The changes before.
    pub before: Result<Vec<Applied>, BatchError>,
    /// The stream.
    pub received: Option<Result<Received, Error>>,
    /// The changes after.
    pub after: Option<Result<Vec<Applied>, BatchError>>,
}

/// What an action has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// What it says.
    Done,
    /// It made a snapshot.
    Created {
        /// The new identity.
        guid: Guid,
        /// The transaction group.
        createtxg: u64,
    },
    /// Nothing, and that is no failure: a snapshot that is held ([`IfHeld::Keep`](crate::plan::IfHeld::Keep)), a filesystem that cannot
    /// be mounted.
    Kept {
        /// Why.
        reason: String,
    },
}

/// A received snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its identity, which is the source's.
    pub guid: Guid,
    /// How long the stream was.
    pub bytes: u64,
    /// What did not come out as it should, without harm to the data.
    pub warnings: Vec<String>,
}

/// What callers branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A dataset, snapshot or pool is not there.
    NotFound,
    /// The name is taken.
    Exists,
    /// It is held, mounted, being received, or has a clone.
    Busy,
    /// The caller may not do this.
    Permission,
    /// The pool is full, or a quota is reached.
    NoSpace,
    /// The target was written to since the base.
    Modified,
    /// The target does not have the base.
    WrongBase,
    /// The stream ended early; what arrived is kept, to go on from.
    Interrupted,
    /// The stream is not one that this side can receive.
    BadStream,
    /// A condition of the batch does not hold.
    Unexpected,
    /// There is no ZFS on this machine.
    NoZfs,
    /// The pool takes no changes: it is suspended, read-only, or was exported.
    PoolUnavailable,
    /// The key of an encrypted dataset is not loaded.
    KeyUnavailable,
    /// Everything else.
    Other,
    /// The machine cannot be reached. Nothing was done there.
    Unreachable,
    /// The connection to the machine broke while it was at work. What it did, only a new look can tell.
    Lost,
    /// The other machine's own rules forbid it.
    Denied,
}

impl ErrorKind {
    /// Whether that others have changed the dataset since it was looked at may be all that is behind it.
    pub fn wants_a_new_look(self) -> bool {
        match self {
            Self::NotFound
            | Self::Exists
            | Self::Busy
            | Self::Modified
            | Self::WrongBase
            | Self::BadStream
            | Self::Unexpected
            | Self::Other => true,
            Self::Permission
            | Self::NoSpace
            | Self::Interrupted
            | Self::NoZfs
            | Self::PoolUnavailable
            | Self::KeyUnavailable
            | Self::Unreachable
            | Self::Lost
            | Self::Denied => false,
        }
    }

    /// Whether a receive that failed so may have left a part of its stream which is of no use: the kernel looks for all the others
    /// before it takes the stream, or another receive is at work there.
    pub fn leaves_partial(self) -> bool {
        match self {
            Self::NoSpace | Self::BadStream | Self::KeyUnavailable | Self::Other => true,
            Self::NotFound
            | Self::Exists
            | Self::Busy
            | Self::Permission
            | Self::Modified
            | Self::WrongBase
            | Self::Interrupted
            | Self::Unexpected
            | Self::NoZfs
            | Self::PoolUnavailable
            | Self::Unreachable
            | Self::Lost
            | Self::Denied => false,
        }
    }
}

/// An operation that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What callers branch on.
    pub kind: ErrorKind,
    /// What was tried, and why it did not work, in one line that names the dataset.
    pub text: String,
    /// What helps, where that is more than the kind tells.
    pub hint: Option<String>,
}

impl Error {
    /// An error of `kind`.
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            hint: None,
        }
    }

    /// The same, with what helps.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

/// A batch that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError {
    /// Which action it failed at.
    pub index: usize,
    /// Whether actions before it were done.
    pub begun: bool,
    /// What went wrong.
    pub error: Error,
}

impl BatchError {
    /// An error of the batch as a whole. Where the answer is lost, nobody knows how far it came.
    pub fn whole(error: Error) -> Self {
        Self {
            index: 0,
            begun: error.kind == ErrorKind::Lost,
            error,
        }
    }
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for BatchError {}
