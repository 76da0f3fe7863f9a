//! While a program writes, with its files open, the source becomes read-only all the
//! same; and what fsync has acknowledged before is on the new master.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, Result, bail, ensure};

use crate::cases::pair::{PATIENCE, Pair, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::running::until;

const WRITERS: usize = 4;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let root = lab.mountpoint(SOURCE)?;
    let acknowledged: Vec<AtomicUsize> = (0..WRITERS).map(|_| AtomicUsize::new(0)).collect();
    fail_over_while_written_to(lab, &root, &acknowledged)?;
    for (number, count) in acknowledged.iter().enumerate() {
        let text = String::from_utf8(lab.read(TARGET, &format!("log {number}"))?)?;
        let count = count.load(Ordering::SeqCst);
        let records: Vec<usize> = text.lines().map(str::parse).collect::<Result<_, _>>()?;
        ensure!(
            records.iter().copied().eq(0..records.len()),
            "log {number} has gaps: {text}"
        );
        ensure!(
            records.len() >= count,
            "log {number}: {count} acknowledged, {} there",
            records.len()
        );
    }
    // Nothing that came later may be on the old master, either.
    lab.checksum(&root)?.same_as(&lab.checksum(&lab.mountpoint(TARGET)?)?)?;
    pair.turned().has_roles()
}

fn fail_over_while_written_to(lab: &Lab, root: &Path, acknowledged: &[AtomicUsize]) -> Result<()> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = acknowledged
            .iter()
            .enumerate()
            .map(|(number, count)| {
                let (path, stop) = (root.join(format!("log {number}")), &stop);
                scope.spawn(move || write_until_refused(&path, count, stop))
            })
            .collect();
        let turned = until("all have written", PATIENCE, || {
            Ok(acknowledged.iter().all(|count| count.load(Ordering::SeqCst) > 3))
        })
        .and_then(|()| lab.zrep(&["failover", SOURCE]).ok());
        let refused = || Ok(writers.iter().all(|writer| writer.is_finished()));
        let result = turned.and_then(|_| until("no writer goes on", PATIENCE, refused));
        stop.store(true, Ordering::SeqCst);
        let join =
            |writer: ScopedJoinHandle<'_, Result<()>>| writer.join().unwrap_or_else(|_| bail!("a writer panicked"));
        let written = writers.into_iter().try_for_each(join);
        result.and(written)
    })
}

/// Writes numbered lines, each with an fsync, and counts those that were acknowledged.
fn write_until_refused(path: &Path, count: &AtomicUsize, stop: &AtomicBool) -> Result<()> {
    let mut file = File::create(path)?;
    while !stop.load(Ordering::SeqCst) {
        let line = format!("{}\n", count.load(Ordering::SeqCst));
        match file.write_all(line.as_bytes()).and_then(|()| file.sync_all()) {
            Ok(()) => count.fetch_add(1, Ordering::SeqCst),
            Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => return Ok(()),
            Err(error) => return Err(error).context("not the error that was expected"),
        };
    }
    bail!("{} can be written to all the time", path.display())
}
