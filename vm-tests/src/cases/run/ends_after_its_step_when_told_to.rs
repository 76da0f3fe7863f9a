//! SIGTERM and SIGINT end the loop when its step is done: with success, all marks set,
//! and no lock left.

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::pair::{PATIENCE, Pair};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for (signal, every) in [
        (Signal::TERM, "0s"),
        (Signal::INT, "0s"),
        (Signal::TERM, "1h"),
        (Signal::INT, "1h"),
    ] {
        let mut running = pair.start_loop(every)?;
        running.signal(signal)?;
        let output = running.wait(PATIENCE)?.ok()?;
        ensure!(output.stderr.contains("ending after the current step"), "{output}");
        ensure!(output.stderr.contains(", 0 failures"), "{output}");
        pair.unlocked()?;
        pair.marked()?;
        pair.same()?;
        pair.has_roles()?;
    }
    Ok(())
}
