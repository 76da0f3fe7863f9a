//! From what was observed to what is to be done. Everything here is pure: states in, a [`Plan`] or a [`Refusal`] out.
//!
//! A plan leaves nothing to decide. It names each snapshot, its guid where it exists, each property and its value; the executor only
//! carries it out. A plan without stages means that nothing is to be done, and is no error.

use std::fmt;

use crate::model::{Guid, Native, ResumePoint, Side, StreamFlags};
use crate::refusal::Refusal;
use zfs_ffi::{BookmarkName, DatasetName, SnapshotName};

pub mod base;
pub mod changeconfig;
pub mod clear;
pub mod condition;
pub mod expire;
pub mod failover;
pub mod gate;
pub mod health;
pub mod init;
pub mod lock;
pub mod pairing;
pub mod preferences;
pub mod refreshcomplete;
pub mod refreshpull;
pub mod rejoin;
pub mod rollback;
pub mod sentsync;
pub mod settle;
pub mod snaponly;
pub mod standing;
pub mod sync;
pub mod synconly;
pub mod takeover;
pub mod tree;
pub mod turn;
pub mod uptodate;

/// One change of a dataset, or a condition that must hold for the changes around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The batch is not begun unless this local user property has this value (`None`: is not set locally).
    Expect {
        /// The dataset.
        dataset: DatasetName,
        /// The property's full name.
        property: String,
        /// Its value.
        value: Option<String>,
    },
    /// The batch is not begun unless this is the dataset's newest snapshot (`None`: it has none). What somebody else made in between
    /// would be older than the new base, and would never travel.
    ExpectNewest {
        /// The dataset.
        dataset: DatasetName,
        /// Its newest snapshot.
        snapshot: Option<SnapshotName>,
    },
    /// Make a snapshot.
    Snapshot(SnapshotName),
    /// Set properties locally; `None` sets one back to what it inherits.
    Set {
        /// A dataset or a snapshot.
        on: Object,
        /// Name and value.
        properties: Vec<(String, Option<String>)>,
    },
    /// Destroy a snapshot if it is the one with this guid.
    Destroy {
        /// The snapshot.
        snapshot: SnapshotName,
        /// The guid it was observed with.
        guid: Guid,
        /// What if somebody holds it.
        if_held: IfHeld,
    },
    /// Roll the dataset back to its newest snapshot, which must be this one. Discards what was written since.
    Rollback(SnapshotName),
    /// Drop what an interrupted receive has left in an existing dataset.
    DiscardPartial(DatasetName),
    /// Destroy a dataset that a first receive has left half received, if it is so still.
    DestroyUnreceived(DatasetName),
    /// Mount the filesystem where its properties say, unless it is mounted.
    Mount(DatasetName),
    /// Apply what stands in the intent log of a filesystem that is not mounted: after a crash, what programs had flushed is there, and in no
    /// snapshot, until the next mount. Nothing is left mounted. Nothing is done to a volume, whose device applies it, nor where it is mounted.
    Replay(DatasetName),
    /// The batch is not begun if a process of this machine has one of its files mapped for writing: `readonly` does not stop such a one.
    ExpectUnmapped(DatasetName),
    /// The batch is not begun if anything was written since the newest snapshot. Waits until what was written so far can be seen.
    ExpectUnwritten(DatasetName),
    /// Unmount the filesystem, unless it is not mounted or a volume. Fails while it is in use.
    Unmount(DatasetName),
    /// Give a dataset and all below it another name.
    Rename {
        /// Its name now.
        from: DatasetName,
        /// Its name then.
        to: DatasetName,
    },
    /// Make a dataset of what a snapshot holds.
    Clone {
        /// The snapshot.
        snapshot: SnapshotName,
        /// The new dataset.
        name: DatasetName,
        /// What is set on it locally.
        properties: Vec<(String, Native)>,
    },
    /// Make a clone the owner of the snapshots that it shares with the dataset that it came from.
    Promote(DatasetName),
}

/// What properties can be set on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// A filesystem or volume.
    Dataset(DatasetName),
    /// A snapshot.
    Snapshot(SnapshotName),
}

impl Object {
    /// The full name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Dataset(name) => name.as_str(),
            Self::Snapshot(name) => name.as_str(),
        }
    }

    /// The pool that it lies in.
    pub fn pool(&self) -> &str {
        pool_of(self.as_str())
    }
}

/// What to do with a snapshot that cannot be destroyed now: it is held, has a clone, or is being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfHeld {
    /// Leave it, and say so. Expiry must never break a sync.
    Keep,
    /// The batch cannot be done.
    Fail,
}

fn pool_of(name: &str) -> &str {
    name.split(['/', '@', '#']).next().unwrap_or(name)
}

impl Action {
    /// Whether it is a condition for the batch, and changes nothing.
    pub fn is_condition(&self) -> bool {
        match self {
            Self::Expect { .. } | Self::ExpectNewest { .. } | Self::ExpectUnmapped(_) | Self::ExpectUnwritten(_) => {
                true
            }
            Self::Snapshot(_)
            | Self::Set { .. }
            | Self::Destroy { .. }
            | Self::Rollback(_)
            | Self::DiscardPartial(_)
            | Self::DestroyUnreceived(_)
            | Self::Mount(_)
            | Self::Replay(_)
            | Self::Unmount(_)
            | Self::Rename { .. }
            | Self::Clone { .. }
            | Self::Promote(_) => false,
        }
    }

    /// The snapshot that the action makes.
    pub fn new_snapshot(&self) -> Option<&SnapshotName> {
        if let Self::Snapshot(name) = self {
            Some(name)
        } else {
            None
        }
    }

    /// The pool that the action changes. One batch changes one pool.
    pub fn pool(&self) -> &str {
        pool_of(self.object())
    }

    /// The full name of what the action is about.
    pub fn object(&self) -> &str {
        match self {
            Self::Expect { dataset, .. }
            | Self::ExpectNewest { dataset, .. }
            | Self::DiscardPartial(dataset)
            | Self::DestroyUnreceived(dataset)
            | Self::Mount(dataset)
            | Self::Replay(dataset)
            | Self::ExpectUnmapped(dataset)
            | Self::ExpectUnwritten(dataset)
            | Self::Unmount(dataset)
            | Self::Promote(dataset)
            | Self::Rename { from: dataset, .. }
            | Self::Clone { name: dataset, .. } => dataset.as_str(),
            Self::Snapshot(snapshot) | Self::Destroy { snapshot, .. } | Self::Rollback(snapshot) => snapshot.as_str(),
            Self::Set { on, .. } => on.as_str(),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expect {
                dataset,
                property,
                value,
            } => match value {
                Some(value) => write!(f, "expect {property}={value} on {dataset}"),
                None => write!(f, "expect no {property} on {dataset}"),
            },
            Self::ExpectNewest { dataset, snapshot } => match snapshot {
                Some(snapshot) => write!(f, "expect {snapshot} to be the newest"),
                None => write!(f, "expect no snapshot of {dataset}"),
            },
            Self::Snapshot(snapshot) => write!(f, "snapshot {snapshot}"),
            Self::Set { on, properties } => {
                let words: Vec<String> = properties
                    .iter()
                    .map(|(name, value)| setting(name, value.as_deref()))
                    .collect();
                write!(f, "set {} on {}", words.join(" "), on.as_str())
            }
            Self::Destroy { snapshot, .. } => write!(f, "destroy snapshot {snapshot}"),
            Self::Rollback(snapshot) => write!(f, "roll back to {snapshot}"),
            Self::DiscardPartial(dataset) => write!(f, "discard the interrupted receive of {dataset}"),
            Self::DestroyUnreceived(dataset) => write!(f, "destroy the half received {dataset}"),
            Self::Mount(dataset) => write!(f, "mount {dataset}"),
            Self::Replay(dataset) => write!(f, "apply the intent log of {dataset}"),
            Self::ExpectUnmapped(dataset) => write!(f, "expect no file of {dataset} to be mapped for writing"),
            Self::ExpectUnwritten(dataset) => {
                write!(f, "expect nothing written to {dataset} since its newest snapshot")
            }
            Self::Unmount(dataset) => write!(f, "unmount {dataset}"),
            Self::Rename { from, to } => write!(f, "rename {from} to {to}"),
            Self::Clone { snapshot, name, .. } => write!(f, "clone {snapshot} as {name}"),
            Self::Promote(dataset) => write!(f, "promote {dataset}"),
        }
    }
}

fn setting(name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{name}={value}"),
        None => format!("{name} inherited"),
    }
}

/// What an incremental stream begins at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its identity, which the target's snapshot has, too.
    pub guid: Guid,
    /// What it is called on the source.
    pub name: BaseName,
}

/// The source's name of a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseName {
    /// A snapshot.
    Snapshot(SnapshotName),
    /// A bookmark.
    Bookmark(BookmarkName),
}

impl fmt::Display for BaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot(name) => name.fmt(f),
            Self::Bookmark(name) => name.fmt(f),
        }
    }
}

/// One snapshot's stream from the source to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The source's snapshot.
    pub snapshot: SnapshotName,
    /// Its guid, where it exists already; a snapshot that the plan itself makes has none yet.
    pub guid: Option<Guid>,
    /// What the target has already; `None` for a full stream.
    pub base: Option<Base>,
    /// The snapshot as it will be called on the target.
    pub into: SnapshotName,
    /// How the stream is written.
    pub flags: StreamFlags,
    /// Where an interrupted stream goes on.
    pub resume: Option<ResumePoint>,
    /// For a new target: the properties it receives, and the ones that it gets locally.
    pub creation: Option<Creation>,
}

/// The properties that a new target begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creation {
    /// Received, as from a stream with properties.
    pub received: Vec<(String, Native)>,
    /// Set locally, whatever was received.
    pub local: Vec<(String, Native)>,
}

impl fmt::Display for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.resume, &self.base) {
            (Some(point), _) => write!(
                f,
                "resume {} into {} after {} bytes",
                self.snapshot,
                self.into.dataset(),
                point.bytes
            ),
            (None, Some(base)) => write!(
                f,
                "send {} into {}, incremental from {}",
                self.snapshot,
                self.into.dataset(),
                base.name
            ),
            (None, None) => write!(f, "send {} into {}, in full", self.snapshot, self.into.dataset()),
        }
    }
}

/// A part of a plan. Stages follow one another; what stands in one stage may happen at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Changes, in this order on each side. Both sides work at once.
    Apply {
        /// On the source.
        source: Vec<Action>,
        /// On the target.
        target: Vec<Action>,
    },
    /// A stream.
    Transfer(Box<Transfer>),
    /// The point of no return: a failure before it undoes what was done, a failure behind it does not.
    Commit,
    /// Goes on when other plans that are carried out along with this one have come so far.
    Wait {
        /// The sources of those plans. One that is not carried out along with this is not waited for.
        of: Vec<DatasetName>,
        /// How far.
        until: Reached,
        /// What if one of them has failed.
        if_failed: IfFailed,
    },
}

/// How far a plan must have come for another one to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Its snapshot is what it makes next, or is made already.
    Snapshot,
    /// It has no stream left.
    Arrival,
}

/// What becomes of a plan that waits for another one which fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfFailed {
    /// It goes on without it.
    GoOn,
    /// It fails, too, for the same reason.
    Fail,
}

impl Stage {
    /// Changes of the source alone.
    pub fn source(actions: Vec<Action>) -> Self {
        Self::Apply {
            source: actions,
            target: Vec::new(),
        }
    }

    /// Changes of the target alone.
    pub fn target(actions: Vec<Action>) -> Self {
        Self::Apply {
            source: Vec::new(),
            target: actions,
        }
    }
}

/// What is to be done, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "a plan does nothing until it is executed"]
pub struct Plan {
    /// The stages.
    pub stages: Vec<Stage>,
    /// What a person should hear before it begins: what is discarded, what is resumed, whose lock is taken over.
    pub notes: Vec<String>,
    /// Local values that the plan overwrites before its point of no return, so that they can be set back.
    pub before: Vec<Before>,
    /// Changes that stay if the new snapshot may have arrived, in part or as a whole: going on needs them.
    pub lasting: Vec<Action>,
    /// The dataset of the source that it is about, where other plans wait for it.
    pub of: Option<DatasetName>,
}

/// A property's local value before the plan changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The dataset.
    pub on: Object,
    /// The property's full name.
    pub property: String,
    /// Its value.
    pub value: String,
}

impl Plan {
    /// The lines of `--dry-run`.
    pub fn lines(&self) -> Vec<String> {
        self.stages.iter().flat_map(stage_lines).collect()
    }

    /// Plans that are carried out together as one, to be shown.
    pub fn merged(plans: &[Self]) -> Self {
        let mut all = plans.iter().cloned();
        let first = all.next().unwrap_or_default();
        all.fold(first, |mut one, next| {
            one.stages.extend(next.stages);
            one.notes.extend(next.notes);
            one
        })
    }

    /// The same plan for a caller who calls the sides the other way round.
    pub fn flipped(self) -> Self {
        let flip = |stage| match stage {
            Stage::Apply { source, target } => Stage::Apply {
                source: target,
                target: source,
            },
            Stage::Transfer(_) | Stage::Commit | Stage::Wait { .. } => stage,
        };
        Self {
            stages: self.stages.into_iter().map(flip).collect(),
            ..self
        }
    }

    /// The dataset that the plan sends from, if it sends at all.
    pub fn source(&self) -> Option<String> {
        self.stages.iter().find_map(|stage| match stage {
            Stage::Transfer(transfer) => Some(transfer.snapshot.dataset().to_string()),
            Stage::Apply { .. } | Stage::Commit | Stage::Wait { .. } => None,
        })
    }

    /// The local value that a property had before the plan, if it had one.
    pub fn value_before(&self, on: &Object, property: &str) -> Option<String> {
        let found = self
            .before
            .iter()
            .find(|before| before.on == *on && before.property == property);
        found.map(|before| before.value.clone())
    }
}

fn stage_lines(stage: &Stage) -> Vec<String> {
    match stage {
        Stage::Apply { source, target } => {
            let line = |side: Side| move |action: &Action| format!("{side}: {action}");
            source
                .iter()
                .map(line(Side::Source))
                .chain(target.iter().map(line(Side::Target)))
                .collect()
        }
        Stage::Transfer(transfer) => vec![format!("{transfer}")],
        Stage::Commit => vec!["-- point of no return --".to_owned()],
        Stage::Wait { of, until, .. } => {
            let names: Vec<&str> = of.iter().map(DatasetName::as_str).collect();
            let names = names.join(", ");
            vec![match until {
                Reached::Snapshot => format!("together with the snapshot of {names}"),
                Reached::Arrival => format!("when {names} has arrived"),
            }]
        }
    }
}

/// What planning gives.
pub type Planned = Result<Plan, Refusal>;
