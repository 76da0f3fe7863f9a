//! What `/etc/default/zrep` and the environment say, read once at the start.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::plan::init::Wishes;
use crate::plan::pairing::Identity;
use crate::plan::preferences::Preferences;
use crate::ssh::Ssh;
use read::Variables;
use send_flags::Flag;

pub mod defaults;
pub mod known;
mod new_target;
mod read;
pub mod send_flags;
mod syntax;
mod words;

/// The settings of one run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who this machine is, and which tag is meant.
    pub me: Identity,
    /// How many snapshots a new pairing keeps (`ZREP_SAVE_COUNT`).
    pub savecount: usize,
    /// Where the lock file is (`ZREP_RUNDIR`).
    pub rundir: PathBuf,
    /// How long to wait for it (`Z_LOCK_RETRY`).
    pub lock_retry: Duration,
    /// How `status` writes a point in time (`ZREP_DATEFORMAT`).
    pub date_format: String,
    /// How to reach other machines (`SSH`, `ZREP_PATH`).
    pub ssh: Ssh,
    /// How long another machine may be silent (`--timeout`).
    pub patience: Duration,
    /// Use the plain `zfs` command of other machines even where there is a zrep (`ZREP_PLAIN_PEER`).
    pub plain_peer: bool,
    /// A command of the shell that streams pass through on the sender's side (`ZREP_OUTFILTER`).
    pub outfilter: Option<String>,
    /// The same on the receiver's side (`ZREP_INFILTER`).
    pub infilter: Option<String>,
    /// How all streams are made, and what becomes of old snapshots (`ZREP_SEND_FLAGS`, `ZREP_INC_FLAG`, `ZREP_SKIP_EXPIRE`).
    pub preferences: Preferences,
    /// What new targets have of their own (`ZREP_CREATE_FLAGS`, `ZREP_INIT_REMOTE_PROPERTIES`).
    /// What is wrong with them stops who makes one, and nobody else.
    pub new_target: Result<Wishes, BadSetting>,
    /// As if each sync and refresh had `-f` (`ZREP_FORCE`).
    pub force: bool,
    /// As if each sync had `-c` (`ZREP_CHANGEDONLY`).
    pub changed_only: bool,
    /// As if each sync and refresh had `-v` (`ZREP_VERBOSE`).
    pub verbose: bool,
    /// As if each init, sync and refresh had `-R` (`ZREP_R`).
    pub recursive: bool,
    /// What of the settings has no effect, for people.
    pub notes: Vec<String>,
}

/// So long another machine may be silent, unless the user says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What of the machine the settings depend on.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The name in `uname -n`.
    pub nodename: String,
    /// Whether the caller is root.
    pub is_root: bool,
}

/// An option or variable that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSetting {
    /// What is wrong, and with what.
    pub what: String,
    /// What would be right.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for BadSetting {}

impl BadSetting {
    /// A bad setting in its three parts.
    pub fn new(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

impl Settings {
    /// Reads the settings. `tag` is the one of the command line; `variable` looks one up in the file and the environment.
    pub fn new(
        tag: Option<&str>,
        machine: &Machine,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, BadSetting> {
        let read = Variables(&variable);
        let flags = read.send_flags("ZREP_SEND_FLAGS")?;
        // N.B. what one part of a stream was written with, the rest must be, too: the target tells. So these are only looked at.
        let resume_flags = read.send_flags("ZREP_RESUME_FLAGS")?;
        let (outfilter, infilter, buffer) = read.filters();
        // The newest snapshot is what the next sync builds on, so none is no choice.
        let savecount = read.number("ZREP_SAVE_COUNT", 5, 1)?;
        Ok(Self {
            me: Identity {
                host: read
                    .given("ZREP_SRC_HOST")
                    .unwrap_or_else(|| short_name(&machine.nodename)),
                tag: read.tag(tag)?,
            },
            savecount: usize::try_from(savecount).unwrap_or(usize::MAX),
            rundir: read.rundir(machine.is_root),
            lock_retry: Duration::from_secs(read.number("Z_LOCK_RETRY", 10, 0)?),
            date_format: read
                .given("ZREP_DATEFORMAT")
                .unwrap_or_else(|| "%Y/%m/%d-%H:%M:%S".into()),
            ssh: Ssh::new(variable("SSH").as_deref(), variable("ZREP_PATH").as_deref()),
            patience: PATIENCE,
            plain_peer: read.given("ZREP_PLAIN_PEER").is_some(),
            outfilter,
            infilter,
            preferences: Preferences {
                embedded: flags.has(Flag::Embed),
                others: read.inc_flag()?,
                keeps_all: read.given("ZREP_SKIP_EXPIRE").is_some(),
            },
            new_target: new_target::wishes(
                read.given("ZREP_CREATE_FLAGS"),
                read.given("ZREP_INIT_REMOTE_PROPERTIES"),
            ),
            force: read.exactly("ZREP_FORCE", "-f")?,
            changed_only: read.given("ZREP_CHANGEDONLY").is_some(),
            verbose: read.given("ZREP_VERBOSE").is_some(),
            recursive: read.exactly("ZREP_R", "-R")?,
            notes: [
                flags.notes,
                resume_flags.notes,
                buffer.into_iter().collect(),
                read.bbcp(),
            ]
            .concat(),
        })
    }
}

fn short_name(nodename: &str) -> String {
    nodename.split('.').next().unwrap_or(nodename).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::preferences::Others;

    fn settings(tag: Option<&str>, variables: &[(&str, &str)]) -> Result<Settings, BadSetting> {
        let machine = Machine {
            nodename: "alpha.example.com".into(),
            is_root: true,
        };
        let found = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Settings::new(tag, &machine, found)
    }

    #[test]
    fn without_variables_the_defaults_are_shell_zreps() {
        let settings = settings(None, &[]).unwrap();
        assert_eq!(
            (settings.me.host.as_str(), settings.me.tag.as_str(), settings.savecount),
            ("alpha", "zrep", 5)
        );
        assert_eq!(settings.rundir, PathBuf::from("/var/run"));
    }

    #[test]
    fn the_command_line_beats_the_environment() {
        assert_eq!(
            settings(Some("uk"), &[("ZREPTAG", "us")]).unwrap().me.tag.as_str(),
            "uk"
        );
        assert_eq!(settings(None, &[("ZREPTAG", "us")]).unwrap().me.tag.as_str(), "us");
    }

    #[test]
    fn a_host_name_from_the_environment_is_taken_as_it_is() {
        assert_eq!(settings(None, &[("ZREP_SRC_HOST", "a.b.c")]).unwrap().me.host, "a.b.c");
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (name, value) in [
            ("ZREP_SAVE_COUNT", "five"),
            ("ZREP_SAVE_COUNT", "0"),
            ("Z_LOCK_RETRY", "-1"),
            ("ZREP_FORCE", "yes"),
            ("ZREP_R", "-r"),
            ("ZREP_INC_FLAG", "-x"),
            ("ZREP_SEND_FLAGS", "-c --fast"),
            ("ZREP_RESUME_FLAGS", "-R"),
        ] {
            assert!(settings(None, &[(name, value)]).unwrap_err().to_string().contains(name));
        }
    }

    #[test]
    fn flags_of_the_command_line_can_be_set_for_good() {
        let all = [
            ("ZREP_FORCE", "-f"),
            ("ZREP_CHANGEDONLY", "yes"),
            ("ZREP_VERBOSE", "1"),
            ("ZREP_R", "-R"),
            ("ZREP_SKIP_EXPIRE", "y"),
            ("ZREP_SEND_FLAGS", "-cLe"),
            ("ZREP_INC_FLAG", "-i"),
        ];
        let set = settings(None, &all).unwrap();
        assert!(set.force && set.changed_only && set.verbose && set.recursive);
        let expected = Preferences {
            embedded: true,
            others: Some(Others::StayBehind),
            keeps_all: true,
        };
        assert_eq!(set.preferences, expected);
        let empty: Vec<(&str, &str)> = all.iter().map(|(name, _)| (*name, "")).collect();
        let unset = settings(None, &empty).unwrap();
        assert!(!(unset.force || unset.changed_only || unset.verbose || unset.recursive));
        assert_eq!(unset.preferences, Preferences::default());
    }

    #[test]
    fn a_buffer_becomes_part_of_the_filters() {
        for (out, into, expected) in [
            (None, None, ("m -q", "m -q")),
            (Some("lz4"), Some("unlz4"), ("lz4 | m -q", "m -q | unlz4")),
        ] {
            let named = [
                ("ZREP_OUTFILTER", out),
                ("ZREP_INFILTER", into),
                ("MBUFFER", Some("m -q")),
            ];
            let given: Vec<_> = named
                .iter()
                .filter_map(|(name, value)| Some((*name, (*value)?)))
                .collect();
            let found = settings(None, &given).unwrap();
            assert_eq!(
                (found.outfilter.as_deref(), found.infilter.as_deref()),
                (Some(expected.0), Some(expected.1))
            );
            assert!(found.notes[0].contains("MBUFFER"));
        }
        assert!(settings(None, &[("BBCP", "bbcp")]).unwrap().notes[0].contains("BBCP"));
    }
}
