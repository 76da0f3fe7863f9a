//! In a pause of the loop its replica is made the master, and the loop is not told. Its next round does not come back with what ZFS says
//! of the stream, but looks again and says what has happened.

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::pair::{PATIENCE, Pair, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::running::until;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let mut running = pair.start_loop("3s")?;
    until("the loop rests", PATIENCE, || Ok(pair.unlocked().is_ok()))?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    until("the loop says so", PATIENCE, || {
        Ok(running.stderr().contains("superseded"))
    })?;
    ensure!(!running.stderr().contains("EINVAL"), "{}", running.stderr());
    running.signal(Signal::TERM)?;
    running.wait(PATIENCE)?.fails()?;
    ensure!(lab.property(SOURCE, "zrep:fenced")?.value == "1", "it was not fenced");
    lab.zrep(&["rejoin", SOURCE]).ok()?;
    pair.turned().has_roles()
}
