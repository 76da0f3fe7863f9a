//! Two pairings of one source have a loop each, which do not wait for one another.

use anyhow::{Result, ensure};

use crate::cases::pair::{PATIENCE, Pair, SOURCE};
use crate::fixture::Lab;

const SECOND: &str = "dst/copy for the uk";

pub fn run(lab: &Lab) -> Result<()> {
    let first = Pair::new(lab)?;
    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", SECOND]).ok()?;
    let rounds = ["sync", SOURCE, "--every", "0s", "--rounds", "40"];
    let mut loops = [
        lab.spawn_zrep(&rounds)?,
        lab.spawn_zrep(&[&["-t", "uk"], &rounds[..]].concat())?,
    ];
    for running in &mut loops {
        let output = running.wait(PATIENCE)?.ok()?;
        // A snapshot of the other one may come between a round's look and its own; then the next round takes it along.
        ensure!(output.stderr.contains("40 rounds, "), "{output}");
        ensure!(output.stderr.contains(", 0 failures"), "{output}");
    }
    first.write("file", "after both")?;
    first.sync()?;
    first.same()?;
    lab.zrep(&["-t", "uk", "sync", SOURCE]).ok()?;
    Pair::known(lab, SOURCE, SECOND).same()
}
