//! Everything that can keep zrep from doing what it was asked, told in one way.

use std::fmt;

use crate::execute::Failure;
use crate::exit::Exit;
use crate::host::{Error, ErrorKind};
use crate::lock::FileLockError;
use crate::model::Side;
use crate::refusal::{Refusal, Telling, Why, quoted};
use crate::settings::BadSetting;
use zfs_ffi::NameError;

/// A command, or its part for one dataset, that did not come to its end.
#[derive(Debug)]
pub enum Problem {
    /// A plan could not be made.
    Refused(Refusal),
    /// A plan could not be carried out.
    Failed(Failure),
    /// A dataset could not be looked at.
    Host {
        /// Which side it is on, where that is known.
        side: Option<Side>,
        /// The dataset.
        dataset: String,
        /// What went wrong.
        error: Error,
    },
    /// The name of a dataset on the command line.
    Name(NameError),
    /// The lock file.
    FileLock(FileLockError),
    /// Something that a verb was given.
    Setting(BadSetting),
    /// A variable, or the file of variables: nothing was begun.
    Settings(BadSetting),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

/// A problem in the parts that a person and a script look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which side.
    pub side: Option<Side>,
    /// Which dataset, if it is about one.
    pub dataset: Option<String>,
    /// What is the matter, what was expected, found, and what helps.
    pub telling: Telling,
    /// What was left behind.
    pub left: Vec<String>,
}

impl Told {
    /// `source a/fs: is not the master`
    pub fn headline(&self) -> String {
        let side = self.side.map(|side| format!("{side} ")).unwrap_or_default();
        match &self.dataset {
            Some(dataset) => format!("{side}{dataset}: {}", self.telling.what),
            None => self.telling.what.clone(),
        }
    }
}

impl Problem {
    /// The exit code that it leads to.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused(_)
            | Self::Failed(_)
            | Self::Host { .. }
            | Self::Name(_)
            | Self::FileLock(_)
            | Self::Setting(_) => Exit::Failure,
            Self::Settings(_) => Exit::Usage,
        }
    }

    /// Whether a new observation may be all that it takes.
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.is_stale())
    }

    /// Whether a loop has the dataset for itself, which it does for a round.
    pub fn is_a_loop(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.why.is_a_loop())
    }

    /// Whether a living process has the dataset for itself.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Refused(refusal) if matches!(refusal.why, Why::Locked { .. }))
    }

    /// Whether another machine could not be asked.
    pub fn is_out_of_reach(&self) -> bool {
        matches!(self, Self::Host { error, .. } if matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Lost))
    }

    /// What two problems have in common that are the same to a person: the loop tells a lasting problem once.
    pub fn cause(&self) -> String {
        let told = self.told();
        let dataset = told
            .dataset
            .as_deref()
            .and_then(|object| object.split('@').next())
            .unwrap_or_default()
            .to_owned();
        let is_gone = match self {
            Self::Refused(refusal) => matches!(refusal.why, Why::Missing | Why::TargetGone { .. }),
            Self::Failed(Failure { error, .. }) | Self::Host { error, .. } => error.kind == ErrorKind::NotFound,
            Self::Name(_) | Self::FileLock(_) | Self::Setting(_) | Self::Settings(_) => false,
        };
        if is_gone {
            format!("{dataset} is gone")
        } else {
            told.headline()
        }
    }

    /// The problem in words.
    pub fn told(&self) -> Told {
        match self {
            Self::Refused(refusal) => Told {
                side: Some(refusal.side),
                dataset: Some(refusal.dataset.clone()),
                telling: refusal.telling(),
                left: Vec::new(),
            },
            Self::Failed(failure) => told_failure(failure),
            Self::Host { side, dataset, error } => Told {
                side: *side,
                dataset: Some(dataset.clone()).filter(|name| !name.is_empty()),
                telling: told_error(error, dataset),
                left: Vec::new(),
            },
            Self::Name(error) => plain(
                format!("{error}"),
                "the name of a filesystem or volume",
                if error.name().is_empty() {
                    "an empty one"
                } else {
                    error.name()
                },
                "check the spelling; `zfs list` shows the names",
            ),
            Self::FileLock(error) => told_file_lock(error),
            Self::Setting(bad) | Self::Settings(bad) => plain(
                bad.what.clone(),
                &bad.expected,
                &bad.found,
                "correct the option, the variable or the file",
            ),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told().headline())
    }
}

impl std::error::Error for Problem {}

fn plain(what: String, expected: &str, found: &str, help: &str) -> Told {
    let telling = Telling {
        what,
        expected: expected.into(),
        found: found.into(),
        help: help.into(),
    };
    Told {
        side: None,
        dataset: None,
        telling,
        left: Vec::new(),
    }
}

fn told_failure(failure: &Failure) -> Told {
    let mut telling = told_error(&failure.error, &failure.object);
    if let (ErrorKind::Modified, Some(source)) = (failure.error.kind, &failure.source) {
        let command = format!("`zrep sync -f {}`", quoted(source));
        telling.help = format!(
            "look at what was written; {command} rolls the target back to the last sync, and tells what that discards"
        );
    }
    if failure.committed && failure.begun {
        telling.help = format!(
            "the point of no return was passed: type the same command again to complete it. {}",
            telling.help
        );
    }
    let left = failure
        .not_undone
        .iter()
        .map(|left| format!("could not be undone: {left}"))
        .collect();
    Told {
        side: Some(failure.side),
        dataset: Some(failure.object.clone()),
        telling,
        left,
    }
}

fn told_error(error: &Error, object: &str) -> Telling {
    let dataset = object.split('@').next().unwrap_or(object);
    let (expected, help) = advice(error.kind, dataset);
    Telling {
        what: error.text.clone(),
        expected,
        found: found(error.kind),
        help: error.hint.clone().unwrap_or(help),
    }
}

fn found(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::NotFound => "it, or its pool, is gone",
        ErrorKind::Exists => "something of that name is there",
        ErrorKind::Busy => "somebody else uses it",
        ErrorKind::Permission => "this user may not",
        ErrorKind::NoSpace => "no room",
        ErrorKind::Modified => "data that is newer than its newest common snapshot",
        ErrorKind::WrongBase => "another history",
        ErrorKind::Interrupted => "the end of the stream before its time",
        ErrorKind::BadStream => "a stream that does not fit",
        ErrorKind::Unexpected => "it was changed in between",
        ErrorKind::NoZfs => "no usable /dev/zfs",
        ErrorKind::PoolUnavailable => "a pool that takes no changes",
        ErrorKind::KeyUnavailable => "a key that is not loaded",
        ErrorKind::Other => "the error above",
        ErrorKind::Unreachable => "no answer",
        ErrorKind::Lost => "the connection broke while the other machine was at work",
        ErrorKind::Denied => "a rule of the other machine that forbids it",
    }
    .to_owned()
}

fn advice(kind: ErrorKind, dataset: &str) -> (String, String) {
    let pool = dataset.split('/').next().unwrap_or(dataset);
    let (pasted, pasted_pool) = (quoted(dataset), quoted(pool));
    let (expected, help) = match kind {
        ErrorKind::NotFound => ("the dataset, in an imported pool".into(), format!("look at `zfs list` and `zpool status {pasted_pool}`; `zpool import {pasted_pool}` if it was exported")),
        ErrorKind::Exists => ("a free name".into(), format!("look at `zfs list -t all -r {pasted}`")),
        ErrorKind::Busy => ("a dataset that nobody else receives into, mounts or holds".into(), format!("look at `zfs list -t snapshot -r {pasted}`, at `zfs holds` and clones of its snapshots, and at other receives into it")),
        ErrorKind::Permission => (
            "root, or a user who was given the rights".into(),
            "run it as root, or `zfs allow USER send,snapshot,userprop,destroy,mount,readonly SOURCE` and `zfs allow USER receive,create,mount,userprop,destroy,readonly TARGET`; with rollback, too, for -f, and with rename, clone, promote and create for rejoin".into(),
        ),
        ErrorKind::NoSpace => ("room for the stream".into(), format!("look at `zpool list {pasted_pool}` and at the quotas of {dataset}; free some space, and run it again")),
        ErrorKind::Modified => (
            "a target that nobody writes to".into(),
            format!("look at what was written to {dataset} since its newest snapshot"),
        ),
        ErrorKind::WrongBase => ("the last sent snapshot on both sides".into(), format!("look at `zfs list -t snapshot -o name,guid -r {pasted}` on both sides")),
        ErrorKind::Interrupted => ("a whole stream".into(), "run it again: it goes on where it stopped".into()),
        ErrorKind::BadStream => ("a stream that this ZFS understands".into(), "look at `zpool upgrade`: the target's pool may lack a feature that the source's has".into()),
        ErrorKind::Unexpected => ("what was observed a moment before".into(), "another zrep may be at work; run it again".into()),
        ErrorKind::NoZfs => (
            "the ZFS kernel module, and /dev/zfs open to this user".into(),
            "load the module (`modprobe zfs`), or run zrep on the machine that has the pool".into(),
        ),
        ErrorKind::PoolUnavailable => ("a pool that can be written to".into(), format!("look at `zpool status {pasted_pool}` and `zpool get readonly {pasted_pool}`")),
        ErrorKind::KeyUnavailable => ("the key of the encrypted dataset".into(), format!("`zfs load-key {pasted}`")),
        ErrorKind::Unreachable => ("a zrep on the other machine, within reach of ssh".into(), "look at the connection; nothing was done there".into()),
        ErrorKind::Lost => ("a connection that lasts".into(), "run it again: it finds out what was done, and goes on from there".into()),
        ErrorKind::Denied => ("a request that the other machine allows".into(), "ask its administrator: `--allow` of `zrep serve`, or /etc/zrep/serve.conf".into()),
        ErrorKind::Other => ("success".into(), "the words in parentheses are ZFS's own; `zpool events` may tell more".into()),
    };
    (expected, help)
}

fn told_file_lock(error: &FileLockError) -> Told {
    match error {
        FileLockError::Busy { path, pid } => {
            let by = pid.map_or_else(
                || "nobody that can be read from it".into(),
                |pid| format!("process {pid}"),
            );
            let what = format!(
                "{}: another zrep is starting on this host, and did not finish in time",
                path.display()
            );
            plain(
                what,
                "a free lock file",
                &by,
                "run it again; Z_LOCK_RETRY says how many seconds to wait",
            )
        }
        FileLockError::Io { path, error } => {
            let what = format!("{}: {error}", path.display());
            plain(
                what,
                "a directory for the lock file",
                "one that takes no files",
                "set ZREP_RUNDIR to a directory that this user may write to",
            )
        }
    }
}
