//! What the environment says, read once at the start.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::plan::pairing::Identity;
use crate::props::Tag;

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
}

/// What of the machine the settings depend on.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The name in `uname -n`.
    pub nodename: String,
    /// Whether the caller is root.
    pub is_root: bool,
}

impl Settings {
    /// Reads the settings. `tag` is the one of the command line; `variable` looks one up in the environment.
    pub fn new(tag: Option<&str>, machine: &Machine, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let tag = tag
            .map(str::to_owned)
            .or_else(|| variable("ZREPTAG").filter(|tag| !tag.is_empty()));
        let tag = Tag::new(tag.as_deref().unwrap_or(Tag::DEFAULT))?;
        let host = variable("ZREP_SRC_HOST")
            .filter(|host| !host.is_empty())
            .unwrap_or_else(|| short_name(&machine.nodename));
        let number = |name: &str, default: u64| match variable(name) {
            Some(text) => text
                .parse()
                .with_context(|| format!("{name}={text:?}: expected a number")),
            None => Ok(default),
        };
        let savecount = usize::try_from(number("ZREP_SAVE_COUNT", 5)?)?;
        if savecount == 0 {
            bail!(
                "ZREP_SAVE_COUNT=0: expected a number from 1 up: the newest snapshot is what the next sync builds on"
            );
        }
        let rundir = variable("ZREP_RUNDIR").unwrap_or_else(|| {
            if machine.is_root {
                "/var/run".into()
            } else {
                "/tmp".into()
            }
        });
        Ok(Self {
            me: Identity { host, tag },
            savecount,
            rundir: rundir.into(),
            lock_retry: Duration::from_secs(number("Z_LOCK_RETRY", 10)?),
            date_format: variable("ZREP_DATEFORMAT").unwrap_or_else(|| "%Y/%m/%d-%H:%M:%S".into()),
        })
    }
}

fn short_name(nodename: &str) -> String {
    nodename.split('.').next().unwrap_or(nodename).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(tag: Option<&str>, variables: &[(&str, &str)]) -> Result<Settings> {
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
