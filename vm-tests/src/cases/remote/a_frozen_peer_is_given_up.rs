//! A peer that does not move any more is given up after `--timeout`; the next sync completes what it left.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::cases::chance::Chance;
use crate::cases::far::{pair_with_beta, turns};
use crate::cases::pair::{PATIENCE, SOURCE};
use crate::fixture::Lab;
use crate::fixture::running::until;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    let peer = lab.peer()?;
    let mut chance = Chance::new();
    for turn in 0..turns(3) {
        pair.write("big", chance.bytes(16 << 20))?;
        let mut running = lab.spawn_zrep_over("ssh", &["sync", SOURCE, "--timeout", "3s"])?;
        until("the stream begins", PATIENCE, || {
            Ok(running.stdout().contains("sending "))
        })?;
        chance.pause(Duration::from_millis(1500));
        peer.signal_servers(Signal::STOP)?;
        let frozen = Instant::now();
        let output = running.wait(PATIENCE)?;
        if !output.success() {
            ensure!(output.stderr.contains("host beta"), "turn {turn}: {output}");
            ensure!(frozen.elapsed() < Duration::from_secs(60), "turn {turn}: {output}");
        }
        peer.signal_servers(Signal::CONT)?;
        peer.until_servers(0)?;
        thread::sleep(Duration::from_millis(100));
        lab.zrep(&["sync", SOURCE])
            .ok()
            .with_context(|| format!("turn {turn}, after {output}"))?;
        pair.same_far()?;
        pair.consistent()?;
    }
    Ok(())
}
