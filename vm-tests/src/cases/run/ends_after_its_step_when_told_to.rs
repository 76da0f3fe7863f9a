//! SIGTERM and SIGINT end the loop when its step is done: with success, all marks set,
//! and no lock left.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::chance::Chance;
use crate::cases::pair::{PATIENCE, Pair};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let mut chance = Chance::new();
    let busy = [(Signal::TERM, "0s"), (Signal::INT, "0s")].repeat(6);
    for (signal, every) in [busy, vec![(Signal::TERM, "1h"), (Signal::INT, "1h")]].concat() {
        let mut running = pair.start_loop(every)?;
        chance.pause(Duration::from_millis(700));
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
