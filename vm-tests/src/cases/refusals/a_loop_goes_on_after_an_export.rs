//! The target's pool is exported between two rounds: the loop says so once, tries again, and goes on after the import.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::fixture::refusal::Refusal;
use crate::fixture::running::until;
use crate::fixture::{DST, Lab};

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";
const LIMIT: Duration = Duration::from_secs(60);

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    let mut zrep = lab.spawn_zrep(&["sync", SOURCE, "--every", "200ms"])?;
    until("two rounds", LIMIT, || Ok(lab.snapshots(TARGET)?.len() > 2))?;
    until("the export", LIMIT, || Ok(lab.zpool(&["export", "-f", DST]).success()))?;
    until("it is said", LIMIT, || Ok(!Refusal::all(&zrep.stderr()).is_empty()))?;
    // The pauses between attempts are one second and two; the count of failures below tells whether they were made.
    let said = Instant::now();
    until("two more attempts", LIMIT, || {
        Ok(said.elapsed() > Duration::from_millis(4500))
    })?;
    lab.zpool(&["import", DST]).ok()?;
    lab.write(SOURCE, "after", "the import")?;
    until("it works again", LIMIT, || Ok(zrep.stderr().contains("works again")))?;
    until("the data arrives", LIMIT, || {
        let newest = lab.snapshots(TARGET)?.pop().map(|snapshot| snapshot.name);
        let tree = lab.snapshot_tree(&newest.unwrap_or_default());
        Ok(tree.is_ok_and(|tree| tree.len() == 3))
    })?;
    zrep.signal(Signal::TERM)?;
    let output = zrep.wait(LIMIT)?.ok()?;
    let said = Refusal::all(&output.stderr);
    ensure!(said.len() == 1, "said more than once: {output}");
    ensure!(said[0].headline.starts_with("target dst/a copy: "), "{output}");
    ensure!(
        !output.stderr.contains(", 1 failure "),
        "there was only one attempt: {output}"
    );
    ensure!(lab.property(SOURCE, "zrep:lock-pid")?.value == "-", "a lock is left");
    Ok(())
}
