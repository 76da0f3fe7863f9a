//! The exit codes, all of them.

use std::process::ExitCode;

use crate::plan::health::Health;

/// How a command ended. Shown by `zrep --help`, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[must_use = "the exit code is all that a script sees"]
pub enum Exit {
    /// Everything was done, or there was nothing to do.
    Success,
    /// At least one dataset was refused or failed; the message says which, and why.
    Failure,
    /// The command line or a setting was not understood. Nothing was looked at.
    Usage,
    /// What monitoring expects of a check, [`status -m`](crate::commands).
    Monitor(Health),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Monitor(Health::Ok) => 0,
            Self::Monitor(Health::Warning) => 1,
            Self::Monitor(Health::Critical) => 2,
            Self::Monitor(Health::Unknown) => 3,
        }
    }

    /// The worse of the two.
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
