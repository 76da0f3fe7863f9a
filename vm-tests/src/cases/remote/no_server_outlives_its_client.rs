//! A client that is killed leaves no server behind, in the middle of a stream or between two.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::chance::Chance;
use crate::cases::far::pair_with_beta;
use crate::cases::pair::{PATIENCE, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    let peer = lab.peer()?;
    let mut chance = Chance::new();
    for (line, on_beta) in [
        (["sync", SOURCE, "--every", "0s"].as_slice(), false),
        (&["sync", SOURCE, "--every", "1h"], false),
        (&["sync", SOURCE], false),
        (&["refresh", TARGET], true),
    ] {
        pair.write("big", chance.bytes(24 << 20))?;
        let mut running = if on_beta {
            peer.spawn_zrep(line)?
        } else {
            lab.spawn_zrep_over("ssh", line)?
        };
        thread::sleep(Duration::from_millis(1500));
        running.signal(Signal::KILL)?;
        let _killed = running.wait(PATIENCE)?;
        thread::sleep(Duration::from_secs(5));
        // The server of a pull is on alpha.
        let left = lab.sh("pgrep -x zrep || true").ok()?;
        ensure!(left.stdout.trim().is_empty(), "{line:?}: {left}");
    }
    lab.zrep(&["sync", SOURCE]).ok()?;
    pair.same_far()
}
