//! The original shell zrep, where `ZREP_SHELL` names one: run as it is, and compared with.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::pair::{Pair, short_of};
use super::skip;
use crate::fixture::Lab;
use crate::fixture::output::{Checked, Output};

/// It has trouble with blanks in names.
pub const SOURCE: &str = "src/fs";
pub const TARGET: &str = "dst/fs";

/// The script, and what it calls on the other side.
#[derive(Clone, Debug)]
pub struct Shell {
    path: String,
}

impl Shell {
    /// Skips the case where there is none.
    pub fn find() -> Result<Self> {
        match std::env::var("ZREP_SHELL") {
            Ok(path) if !path.is_empty() => Ok(Self { path }),
            Ok(_) | Err(_) => skip("ZREP_SHELL names no shell zrep to compare with"),
        }
    }

    /// Where it is, in all hosts of the guest.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Runs it on alpha. What it calls on the other side is the script, too.
    pub fn run(&self, lab: &Lab, args: &[&str]) -> Result<Checked> {
        self.command(lab, args).env("ZREP_PATH", &self.path).run()
    }

    /// Runs it on alpha. What it calls on the other side is the zrep under test.
    pub fn run_against_ours(&self, lab: &Lab, args: &[&str]) -> Result<Checked> {
        self.command(lab, args).env("ZREP_PATH", "zrep").run()
    }

    fn command(&self, lab: &Lab, args: &[&str]) -> Command {
        let mut command = lab.zrep_command(&[]);
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command = Command::new(&self.path);
        command.args(args).current_dir(lab.dir()).envs(environment);
        command
    }
}

trait Run {
    fn run(&mut self) -> Result<Checked>;
}

impl Run for Command {
    fn run(&mut self) -> Result<Checked> {
        Output::of(self).ok()
    }
}

/// Both sides have the same data, the same marks, as many snapshots as savecount says at most, and both programs tell the same of it.
pub fn agree(shell: &Shell, pair: &Pair<'_>) -> Result<()> {
    pair.same()?;
    pair.marked()?;
    pair.has_roles()?;
    let told = shell.run(pair.lab, &["getlastsent", &pair.source])?;
    let newest = pair.newest(&pair.source)?;
    ensure!(
        told.stdout.trim() == newest.name,
        "shell zrep takes {} for the last sent one of {}, whose newest is {}",
        told.stdout.trim(),
        pair.source,
        short_of(&newest)
    );
    let [theirs, ours] = [shell.run(pair.lab, &["status"])?, pair.lab.zrep(&["status"]).ok()?];
    ensure!(theirs.stdout == ours.stdout, "status: {theirs}\n{ours}");
    let savecount = pair.lab.property(&pair.source, "zrep:savecount")?.value;
    let savecount: usize = savecount.parse().context("savecount")?;
    for dataset in [&pair.source, &pair.target] {
        let found = pair.shorts(dataset)?;
        // A failover makes a snapshot and expires none.
        ensure!(found.len() <= savecount + 2, "{dataset} has {found:?}");
    }
    Ok(())
}
