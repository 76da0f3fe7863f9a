//! What the environment says, read once at the start.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::plan::pairing::Identity;
use crate::props::Tag;
use crate::ssh::Ssh;

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

/// A number in a variable, from `least` up.
fn number(name: &str, text: Option<String>, default: u64, least: u64) -> Result<u64, BadSetting> {
    let Some(text) = text else { return Ok(default) };
    let number = text.parse().ok().filter(|number| *number >= least);
    let expected = format!("a number from {least} up");
    number.ok_or_else(|| {
        BadSetting::new(
            format!("{name} is no such number"),
            expected,
            format!("{name}={text:?}"),
        )
    })
}

impl Settings {
    /// Reads the settings. `tag` is the one of the command line; `variable` looks one up in the environment.
    pub fn new(
        tag: Option<&str>,
        machine: &Machine,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, BadSetting> {
        let tag = tag
            .map(str::to_owned)
            .or_else(|| variable("ZREPTAG").filter(|tag| !tag.is_empty()));
        let tag = tag.as_deref().unwrap_or(Tag::DEFAULT);
        let tag = Tag::new(tag).map_err(|error| BadSetting::new(error.to_string(), "a tag", format!("{tag:?}")))?;
        let host = variable("ZREP_SRC_HOST")
            .filter(|host| !host.is_empty())
            .unwrap_or_else(|| short_name(&machine.nodename));
        let given = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
        // The newest snapshot is what the next sync builds on, so none is no choice.
        let savecount = number("ZREP_SAVE_COUNT", variable("ZREP_SAVE_COUNT"), 5, 1)?;
        let lock_retry = number("Z_LOCK_RETRY", variable("Z_LOCK_RETRY"), 10, 0)?;
        let rundir = variable("ZREP_RUNDIR").unwrap_or_else(|| {
            if machine.is_root {
                "/var/run".into()
            } else {
                "/tmp".into()
            }
        });
        Ok(Self {
            me: Identity { host, tag },
            savecount: usize::try_from(savecount).unwrap_or(usize::MAX),
            rundir: rundir.into(),
            lock_retry: Duration::from_secs(lock_retry),
            date_format: variable("ZREP_DATEFORMAT").unwrap_or_else(|| "%Y/%m/%d-%H:%M:%S".into()),
            ssh: Ssh::new(variable("SSH").as_deref(), variable("ZREP_PATH").as_deref()),
            patience: PATIENCE,
            plain_peer: given("ZREP_PLAIN_PEER").is_some(),
            outfilter: given("ZREP_OUTFILTER"),
            infilter: given("ZREP_INFILTER"),
        })
    }
}

fn short_name(nodename: &str) -> String {
    nodename.split('.').next().unwrap_or(nodename).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_is_no_number_is_refused_by_name() {
        for (name, value) in [
            ("ZREP_SAVE_COUNT", "five"),
            ("ZREP_SAVE_COUNT", "0"),
            ("Z_LOCK_RETRY", "-1"),
        ] {
            assert!(settings(None, &[(name, value)]).unwrap_err().to_string().contains(name));
        }
    }
}
