//! What a long stream has brought before the kill is not sent again.

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::chance::Chance;
use crate::cases::pair::{PATIENCE, Pair, SOURCE, TARGET, allocated, until_filled};
use crate::fixture::{DST, Lab};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("big", Chance::new().bytes(256 << 20))?;
    let before = allocated(lab, DST)?;
    let mut running = lab.spawn_zrep(&["sync", SOURCE])?;
    until_filled(lab, DST, before, 64 << 20)?;
    running.signal_all(Signal::KILL)?;
    let killed = running.wait(PATIENCE)?;
    ensure!(!killed.success(), "it was done before it was killed: {killed}");
    pair.write("small", "written after the kill")?;

    let said = pair.sync()?;
    let there = said
        .stderr
        .split_once("going on with the interrupted receive of @zrep_000001, ")
        .and_then(|(_, rest)| rest.split(' ').next())
        .and_then(|number| number.parse::<u64>().ok());
    ensure!(
        there.is_some_and(|bytes| bytes > 32 << 20),
        "it goes on behind {there:?}: {said}"
    );
    pair.has(TARGET, &["zrep_000000", "zrep_000001", "zrep_000002"])?;
    pair.same()?;
    pair.marked()?;
    pair.unlocked()
}
