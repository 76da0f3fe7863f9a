//! A client that fetches a stream and stops to read it does not hold a server for ever, though that sits in the kernel.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::chance::Chance;
use crate::cases::far::pair_with_beta;
use crate::cases::pair::{PATIENCE, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::running::until;

const SERVER: &str = "pgrep -f '^zrep [s]erve' || true";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    let peer = lab.peer()?;
    pair.write("big", Chance::new().bytes(48 << 20))?;
    let before = lab.snapshots(SOURCE)?.len();
    let mut running = peer.spawn_zrep(&["refresh", TARGET, "--timeout", "4s"])?;
    until("the stream is about to begin", PATIENCE, || {
        Ok(lab.snapshots(SOURCE)?.len() > before)
    })?;
    running.signal_all(Signal::STOP)?;
    ensure!(
        !lab.sh(SERVER).ok()?.stdout.trim().is_empty(),
        "no server to be given up"
    );
    until("the server gives its client up", Duration::from_secs(90), || {
        Ok(lab.sh(SERVER).ok()?.stdout.trim().is_empty())
    })?;
    running.signal_all(Signal::CONT)?;
    ensure!(!running.wait(PATIENCE)?.success(), "half a stream is no success");

    peer.zrep(&["refresh", TARGET]).ok()?;
    pair.same_far()?;
    pair.consistent()
}
