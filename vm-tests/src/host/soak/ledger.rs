//! Writers on the master, and what they were told to be safe. The other half is
//! `guest/ledger`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::node::{Node, PATIENCE};
use super::orders::{End, Job, Said};
use super::pair::{Side, violated};
use crate::agent::words::How;
use crate::host::session::quote;

/// When a record counts as acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// When write has returned: safe from all but a power cut of its machine soon after.
    Plain,
    /// When fsync has returned.
    Fsync,
    /// When msync has returned.
    Mmap,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Fsync => "fsync",
            Self::Mmap => "mmap",
        }
    }
}

/// A program that writes records into a file of its own.
#[derive(Debug)]
pub struct Writer {
    pub kind: Kind,
    pub side: Side,
    /// The file's name in the ledger.
    pub file: String,
    /// So many records were acknowledged before its pool was last synced.
    synced: u64,
    job: Job,
}

impl Writer {
    /// Starts it on a side, whose machine NODE is, and waits for the first records.
    pub fn start(node: &Node, side: Side, kind: Kind, file: &str) -> Result<Self> {
        let path = quote(&format!("{}/ledger/{file}", side.mountpoint()));
        // Its number comes first, since zrep is to name it.
        let command = format!("echo $$; exec ledger write {} {path}", kind.name());
        let mut job = node.start(&command)?;
        let said = job.until(PATIENCE, |said| said.stdout.len() > 3)?;
        ensure!(said.end.is_none(), "a writer on {}: {said}", node.name());
        Ok(Self {
            kind,
            side,
            file: file.to_owned(),
            synced: 0,
            job,
        })
    }

    pub fn pid(&mut self) -> String {
        self.job.look().stdout.first().cloned().unwrap_or_default()
    }

    /// How many records were acknowledged.
    pub fn acknowledged(&mut self) -> u64 {
        self.job
            .look()
            .stdout
            .iter()
            .skip(1)
            .last()
            .map_or(0, |line| line.parse().unwrap_or(0))
    }

    /// Its pool is about to be synced.
    pub fn before_sync(&mut self) {
        self.synced = self.acknowledged();
    }

    /// How many records have to be there. A write that has returned, and no more than that, is in memory until its
    /// transaction group is on disk, and ZFS promises nothing else: if its machine's power is lost before, so may it be,
    /// whatever zrep does. What was written before a sync of the pool is no such record.
    pub fn promised(&mut self, power_lost: bool) -> u64 {
        match self.kind {
            Kind::Plain if power_lost => self.synced,
            Kind::Plain | Kind::Fsync | Kind::Mmap => self.acknowledged(),
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.job.look().end.is_none()
    }

    /// Waits for so many records more; none come from a writer that has ended.
    pub fn write_on(&mut self, records: usize, limit: Duration) -> Result<()> {
        let enough = self.job.look().stdout.len() + records;
        self.job.until(limit, |said| said.stdout.len() >= enough)?;
        Ok(())
    }

    /// Waits for it to end by itself.
    pub fn ends(&mut self) -> bool {
        self.job.wait(PATIENCE).is_ok()
    }

    /// For people: its kind, and how many records were acknowledged.
    pub fn to_text(&mut self) -> String {
        format!("{} {}", self.kind.name(), self.acknowledged())
    }

    /// Ends it, if it has not ended by itself, and says what was wrong about its end.
    pub fn stop(&mut self) -> Result<Option<String>> {
        if self.is_running() {
            self.job.end(How::Term)?;
        }
        let said = self.job.wait(PATIENCE)?;
        let fine = matches!(said.end, Some(End::PowerCut | End::Exit(0 | 143)));
        Ok((!fine).then(|| format!("the writer of {} ended badly: {}", self.file, brief(said))))
    }
}

/// Without the numbers that it said.
fn brief(said: &Said) -> Said {
    Said {
        stdout: Vec::new(),
        ..said.clone()
    }
}

/// How many records of each file are promised for all time.
#[derive(Clone, Debug, Default)]
pub struct Ledger(BTreeMap<String, u64>);

/// How many whole records each file has.
pub type Found = BTreeMap<String, u64>;

impl Ledger {
    pub fn promise(&mut self, file: &str, records: u64) {
        self.0.insert(file.to_owned(), records);
    }

    pub fn promised(&self, file: &str) -> u64 {
        self.0.get(file).copied().unwrap_or(0)
    }

    /// The promises that are broken, but for the files that are excused. What was found is
    /// what is promised from now on.
    pub fn settle(&mut self, found: &Found, excused: impl Fn(&str) -> bool) -> Vec<String> {
        let mut broken = Vec::new();
        for (file, promised) in &mut self.0 {
            let there = found.get(file).copied().unwrap_or(0);
            if there < *promised && !excused(file) {
                broken.push(format!(
                    "the ledger: {promised} records of {file} were acknowledged, {there} are there"
                ));
            }
            *promised = there;
        }
        broken
    }

    pub fn records(&self) -> u64 {
        self.0.values().sum()
    }
}

/// Reads the ledger of a dataset that is mounted at MOUNTPOINT. That it is not there is a broken promise, too: it may be
/// mounted where nobody finds it.
pub fn read(node: &Node, mountpoint: &str) -> Result<Found> {
    let said = node.run(&format!("ledger check {}", quote(&format!("{mountpoint}/ledger"))))?;
    if !said.ok() {
        return violated(format!("P3: no ledger in {mountpoint} on {}: {said}", node.name()));
    }
    said.stdout
        .iter()
        .map(|line| parse(line).with_context(|| line.clone()))
        .collect()
}

fn parse(line: &str) -> Option<(String, u64)> {
    let (file, count) = line.split_once('\t')?;
    Some((file.to_owned(), count.parse().ok()?))
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records in {} files", self.records(), self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_record_is_found_once_and_an_excused_one_never() {
        let mut ledger = Ledger::default();
        ledger.promise("a", 5);
        ledger.promise("b", 5);
        ledger.promise("c", 5);
        let found: Found = [("a".to_owned(), 5), ("b".to_owned(), 4)].into();
        let broken = ledger.settle(&found, |file| file == "c");
        assert_eq!(broken.len(), 1);
        assert!(
            broken[0].contains("5 records of b were acknowledged, 4 are there"),
            "{broken:?}"
        );
        assert_eq!(ledger.records(), 9);
        assert!(ledger.settle(&found, |_| false).is_empty());
    }
}
