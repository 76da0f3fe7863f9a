//! Zrep runs on the second host, and signals reach it there.

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::pair::PATIENCE;
use crate::fixture::Lab;
use crate::fixture::output::Status;

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    let version = lab.zrep(&["version"]).ok()?.stdout.clone();
    ensure!(peer.zrep(&["version"]).ok()?.stdout == version);
    let ended = peer.spawn_zrep(&["version"])?.wait(PATIENCE)?.ok()?;
    ensure!(ended.stdout == version, "{ended}");

    // A pair of its own, on its own pool.
    peer.sh("zfs create dst/one && zrep init dst/one localhost dst/other")
        .ok()?;
    let mut looping = peer.spawn_zrep(&["sync", "dst/one", "--every", "1h"])?;
    ensure!(looping.is_running()?, "{:?}", looping.wait(PATIENCE)?);
    looping.signal(Signal::STOP)?;
    looping.signal(Signal::TERM)?;
    looping.signal(Signal::CONT)?;
    let ended = looping.wait(PATIENCE)?;
    ensure!(!matches!(ended.status, Status::Signal(9)), "{ended}");

    let mut looping = peer.spawn_zrep(&["sync", "dst/one", "--every", "1h"])?;
    looping.signal_all(Signal::KILL)?;
    let ended = looping.wait(PATIENCE)?;
    ensure!(ended.status == Status::Signal(9), "{ended}");
    Ok(())
}
