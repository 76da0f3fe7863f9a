//! A target's pool that goes and comes back interrupts the loop only for as long.

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::pair::{PATIENCE, Pair};
use crate::fixture::running::until;
use crate::fixture::{DST, Lab};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let mut running = pair.start_loop("100ms")?;
    // Busy while a stream is being received into it.
    until("the pool is exported", PATIENCE, || {
        Ok(lab.zpool(&["export", DST]).success())
    })?;
    until("the loop says so", PATIENCE, || {
        Ok(running.stderr().contains(DST) && running.stderr().contains("help:"))
    })?;
    ensure!(running.is_running()?, "{}", running.stderr());
    pair.write("file", "written meanwhile")?;
    lab.zpool(&["import", DST]).ok()?;
    until("it works again", PATIENCE, || {
        Ok(running.stderr().contains("works again"))
    })?;
    pair.write("another file", "written afterwards")?;
    pair.until_arrived()?;
    running.signal(Signal::TERM)?;
    running.wait(PATIENCE)?.ok()?;
    pair.same()?;
    pair.marked()?;
    pair.unlocked()
}
