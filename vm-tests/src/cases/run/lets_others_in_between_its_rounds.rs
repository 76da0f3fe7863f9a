//! In a pause of the loop the source is free: it can be synced by hand, and the pair can be turned. The loop notices, says so once, and goes
//! on when its source is the master again.

use anyhow::Result;
use rustix::process::Signal;

use crate::cases::pair::{PATIENCE, Pair, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::running::until;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let mut running = pair.start_loop("4s")?;
    until("the loop rests", PATIENCE, || Ok(pair.unlocked().is_ok()))?;
    pair.write("file", "synced by hand")?;
    in_a_pause(lab, &["sync", SOURCE])?;
    pair.same()?;
    in_a_pause(lab, &["failover", SOURCE])?;
    pair.turned().has_roles()?;
    until("the loop says so", PATIENCE, || {
        Ok(running.stderr().contains("is not the master"))
    })?;
    in_a_pause(lab, &["failover", TARGET])?;
    pair.has_roles()?;
    pair.write("file", "by the loop again")?;
    pair.until_arrived()?;
    running.signal(Signal::TERM)?;
    running.wait(PATIENCE)?.ok()?;
    pair.has_roles()?;
    pair.unlocked()
}

/// A round may be under way just now.
fn in_a_pause(lab: &Lab, verb: &[&str]) -> Result<()> {
    until(&format!("zrep {verb:?}"), PATIENCE, || Ok(lab.zrep(verb).success()))
}
