//! Why zrep does not do what it was asked: on which side, what was expected, what was found, and what helps.

use std::fmt;

use crate::hostname::BadHostName;
use crate::model::{Guid, Kind, Side};
use zfs_ffi::{DatasetName, NameError};

mod snapshot;
mod telling;

pub use snapshot::OfSnapshot;

/// A plan that cannot be made. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where the obstacle is.
    pub side: Side,
    /// The dataset that it concerns.
    pub dataset: String,
    /// What it is.
    pub why: Why,
}

/// The obstacles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// There is no such dataset.
    Missing,
    /// A replica that has not received its first snapshot yet.
    NothingReceived,
    /// The target of a pairing is not there.
    TargetGone {
        /// The master.
        source: DatasetName,
        /// The target's host.
        host: String,
    },
    /// The dataset is no side of a pairing.
    NotPaired {
        /// The tag that was looked for.
        tag: String,
    },
    /// It is one already.
    AlreadyPaired {
        /// With what.
        with: String,
        /// Whether it is a complete pairing, whose master it is.
        master: bool,
        /// The tag.
        tag: String,
    },
    /// It is a replica, or was given up as master.
    NotMaster {
        /// The tag.
        tag: String,
        /// Where the master is said to be.
        master: Option<String>,
    },
    /// Its properties say that another host is the source.
    OtherHost {
        /// The host in the properties.
        found: String,
        /// This host.
        me: String,
    },
    /// A host's name in a property that could not be one.
    BadHostInProperty {
        /// The property.
        property: String,
        /// What is wrong with it.
        error: BadHostName,
    },
    /// Both sides say that they are the master.
    SplitBrain {
        /// The tag.
        tag: String,
        /// The other one.
        other: String,
        /// The command that completes a failover that was cut off, where it is that.
        finish: Option<String>,
    },
    /// The other side is the master by a later epoch.
    Superseded {
        /// The other side's epoch.
        epoch: u64,
        /// Its own.
        own: u64,
        /// The other side.
        other: String,
    },
    /// It was found superseded, and waits for a decision about what it holds.
    Fenced {
        /// The epoch of the other side.
        epoch: u64,
    },
    /// The epoch is no number.
    BadEpoch {
        /// The property.
        property: String,
        /// What stands there.
        found: String,
    },
    /// A failover is under way or cut off, and whether it has passed its point of no return cannot be told from here.
    InDoubt {
        /// The other side.
        other: String,
    },
    /// There is nothing to be given up.
    NothingBegun,
    /// Its other side is not the master.
    NotSuperseded {
        /// The other side.
        other: String,
    },
    /// A source in the clear, of which nothing but ciphertext was to leave.
    NotEncrypted,
    /// An encrypted source, and a target that holds the data in the clear.
    InTheClear {
        /// The source.
        source: DatasetName,
        /// The property that would allow it.
        property: String,
    },
    /// The gate is none.
    BadGate {
        /// The property.
        property: String,
        /// What stands there.
        found: String,
    },
    /// It is the master already.
    MasterAlready,
    /// A living process works on the dataset.
    Locked {
        /// Its number.
        pid: String,
        /// What it runs, if that can be seen.
        command: Option<String>,
        /// Since when, as 14 digits.
        since: Option<String>,
        /// The property that says so.
        property: String,
    },
    /// A new target is there already.
    TargetExists,
    /// The dataset that a new target would be made in is not there, or cannot hold others.
    NoParent {
        /// That dataset.
        parent: String,
        /// Whether it is there, and a volume.
        is_volume: bool,
    },
    /// Source and target overlap.
    Overlap {
        /// The other one.
        other: String,
    },
    /// The two sides have nothing in common.
    NoCommonSnapshot {
        /// The source.
        source: DatasetName,
        /// Its newest snapshot.
        source_newest: Option<String>,
        /// The target's newest snapshot.
        target_newest: Option<String>,
        /// The target's host.
        host: String,
    },
    /// The target has snapshots behind the base that the source does not have.
    Diverged {
        /// The newest one that both have.
        common: String,
        /// The target's own.
        target_only: Vec<String>,
        /// The source.
        source: DatasetName,
    },
    /// The number of snapshots to keep is none.
    BadSavecount {
        /// What stands there.
        found: String,
        /// The property.
        property: String,
    },
    /// The pair's name on disk is not one that ZFS allows.
    BadNameInProperty {
        /// The property.
        property: String,
        /// What is wrong with it.
        error: NameError,
    },
    /// A filesystem was to be received into a volume, or the other way round.
    OtherKind {
        /// The source's.
        source: Kind,
        /// The target's.
        target: Kind,
    },
    /// An interrupted receive belongs to another sender.
    ForeignPartial {
        /// What was being received.
        to_name: String,
        /// Its guid.
        to_guid: Guid,
    },
    /// A snapshot name that would be too long, or is otherwise impossible.
    BadSnapshotName(NameError),
    /// A snapshot that was named, or that the verb needs.
    Snapshot(OfSnapshot),
    /// What would be destroyed was not agreed to.
    NotConfirmed {
        /// The verb.
        verb: &'static str,
        /// What would be done, line by line.
        would: Vec<String>,
        /// Whether somebody was asked, and did not say yes.
        asked: bool,
    },
    /// Its properties are those of a pair that it is not part of.
    Renamed {
        /// That pair.
        pair: String,
    },
    /// A child of a recursive pairing that has a pairing of its own.
    Nested {
        /// The top of the recursive pairing.
        top: DatasetName,
        /// The tag of both.
        tag: String,
    },
    /// A dataset that lies in the tree of a recursive pairing.
    InsideRecursive {
        /// The top of that pairing.
        top: DatasetName,
        /// The tag.
        tag: String,
    },
    /// The name that a child would have on the target is not one that ZFS allows.
    BadChildName {
        /// The child.
        child: DatasetName,
        /// What is wrong with the name.
        error: NameError,
    },
    /// Something else is where a child would be received.
    PlaceTaken {
        /// The child.
        source: DatasetName,
    },
    /// What a child would be received in is not there.
    ParentMissing {
        /// The child.
        source: DatasetName,
    },
    /// `-R` for a pairing of one dataset which has others below it.
    NotRecursive {
        /// The first dataset below it.
        child: DatasetName,
        /// The tag.
        tag: String,
    },
    /// One side's properties make the pairing recursive, the other's do not.
    RecursiveOnOneSide {
        /// The side that says so.
        other: DatasetName,
        /// The property.
        property: String,
        /// What makes both say it.
        command: String,
    },
    /// A child that was renamed on the source cannot be renamed on the target.
    NotAloneBelow {
        /// What is below it there, and no part of the pairing.
        other: DatasetName,
        /// What it shall be called.
        to: DatasetName,
    },
    /// What is no part of a pairing that is set aside, below a dataset that does not come back.
    LosesItsParent,
    /// A target without the properties of a pair.
    TargetUnpaired {
        /// The source that names it.
        source: DatasetName,
    },
    /// What a verb does not do with recursive pairings.
    NotForTrees {
        /// What it does not do.
        what: String,
        /// What helps.
        help: String,
    },
    /// The two sides do not name each other.
    NotMutual {
        /// The other side.
        other: String,
        /// What its properties name instead.
        found: String,
        /// The tag.
        tag: String,
    },
}

impl Refusal {
    /// A refusal because of the source.
    pub fn source(dataset: &DatasetName, why: Why) -> Self {
        Self {
            side: Side::Source,
            dataset: dataset.to_string(),
            why,
        }
    }

    /// A refusal because of the target.
    pub fn target(dataset: &DatasetName, why: Why) -> Self {
        Self {
            side: Side::Target,
            dataset: dataset.to_string(),
            why,
        }
    }

    /// The parts of the message.
    pub fn telling(&self) -> Telling {
        self.why.telling(&self.dataset)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.side, self.dataset, self.telling().what)
    }
}

impl std::error::Error for Refusal {}

/// A message in parts, for people and for JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// What is the matter, in one line.
    pub what: String,
    /// What should have been there.
    pub expected: String,
    /// What was there.
    pub found: String,
    /// What to do.
    pub help: String,
}

/// A name as a shell needs it, so that a command in a message can be pasted.
pub fn quoted(name: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'.' | b':' | b'@' | b'#');
    if name.bytes().all(is_plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "'\\''"))
    }
}

/// `1 snapshot`, `2 snapshots`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
