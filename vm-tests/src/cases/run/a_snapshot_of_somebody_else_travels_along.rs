//! The loop carries the snapshots that others make, at whatever moment of a round they
//! make them, and is not disturbed by them.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::chance::Chance;
use crate::cases::pair::{PATIENCE, Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const SNAPSHOTS: usize = 30;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let mut chance = Chance::new();
    let mut running = pair.start_loop("0s")?;
    for number in 0..SNAPSHOTS {
        pair.write("file", format!("as of {number}"))?;
        lab.zfs(&["snapshot", &format!("{SOURCE}@somebody {number}")]).ok()?;
        chance.pause(Duration::from_millis(500));
    }
    pair.until_arrived()?;
    running.signal(Signal::TERM)?;
    let output = running.wait(PATIENCE)?.ok()?;
    ensure!(output.stderr.contains(", 0 failures"), "{output}");

    let arrived = lab.snapshots(TARGET)?;
    for ours in lab
        .snapshots(SOURCE)?
        .iter()
        .filter(|one| one.name.contains("somebody"))
    {
        let name = ours.name.replace(SOURCE, TARGET);
        let theirs = arrived.iter().find(|theirs| theirs.name == name);
        ensure!(
            theirs.is_some_and(|theirs| theirs.guid == ours.guid),
            "{name}: {theirs:?}"
        );
    }
    let last = format!("somebody {}", SNAPSHOTS - 1);
    lab.snapshot_tree(&format!("{SOURCE}@{last}"))?
        .same_as(&lab.snapshot_tree(&format!("{TARGET}@{last}"))?)?;
    pair.same()
}
