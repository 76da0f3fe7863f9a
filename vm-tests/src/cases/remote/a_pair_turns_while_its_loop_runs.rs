//! On alpha a loop runs without pauses; from beta the pair is turned, and turned back. The loop says that it is not the master, and goes on
//! when it is again.

use anyhow::Result;
use rustix::process::Signal;

use crate::cases::far::pair_with_beta;
use crate::cases::pair::{PATIENCE, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;
use crate::fixture::running::until;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    let peer = lab.peer()?;
    let mut running = lab.spawn_zrep(&["sync", SOURCE, "--every", "0s"])?;
    pair.write("file", "by the loop")?;
    pair.until_arrived()?;
    let turned = peer.zrep(&["takeover", TARGET]).ok()?;
    turned.says("waiting for the end of its round")?;
    expect_property(lab, TARGET, "zrep:master", "yes", "local")?;
    until("the loop says so", PATIENCE, || {
        Ok(running.stderr().contains("is not the master"))
    })?;
    peer.write(lab, TARGET, "file", "written on beta")?;
    peer.zrep(&["failover", TARGET]).ok()?;
    expect_property(lab, SOURCE, "zrep:master", "yes", "local")?;
    pair.write("other", "by the loop again")?;
    until("the loop goes on", PATIENCE, || {
        Ok(running.stderr().contains("works again"))
    })?;
    pair.until_arrived()?;
    running.signal(Signal::TERM)?;
    running.wait(PATIENCE)?.ok()?;
    pair.same_far()?;
    expect_property(lab, SOURCE, "zrep:lock-pid", "-", "-")
}
