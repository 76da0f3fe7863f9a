//! `--abort` decides nothing while the other side cannot be asked; `--abort --force` does, with an epoch above any that the other side has.
//! If the other one had stayed a replica, it is one still; if it had become the master, it is fenced, and keeps what was written to it.

use anyhow::{Result, ensure};

use crate::cases::far::pair_with_beta;
use crate::cases::pair::{SOURCE, TARGET, expect_property};
use crate::fixture::Lab;
use crate::fixture::output::Output;

/// A way that leads nowhere while the network is cut.
const SSH: &str = "ssh -o ConnectTimeout=2";

const ASIDE: &str = "dst/copy of a b_diverged_e4";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    let peer = lab.peer()?;
    cut_off(lab, 1)?;
    peer.cut_network()?;
    abort(lab, &[]).fails()?.says("beta")?;
    expect_property(lab, SOURCE, "readonly", "on", "local")?;
    abort(lab, &["--force"]).ok()?.says("without knowing")?;
    pair.write("file", "goes on")?;
    expect_property(lab, SOURCE, "zrep:epoch", "2", "local")?;
    peer.restore_network()?;
    lab.zrep(&["sync", SOURCE])
        .ok()?
        .says("a failover to it was given up")?;
    pair.same_far()?;
    expect_property(lab, TARGET, "zrep:epoch", "2", "local")?;
    expect_property(lab, TARGET, "zrep:intent", "-", "-")?;

    cut_off(lab, 3)?;
    peer.cut_network()?;
    peer.zrep(&["takeover", "-L", TARGET]).ok()?;
    peer.write(lab, TARGET, "file", "written on beta")?;
    abort(lab, &["--force"]).ok()?;
    pair.write("file", "written on alpha")?;
    peer.restore_network()?;
    lab.zrep(&["sync", SOURCE]).exits(1)?.says("zrep rejoin")?;
    expect_property(lab, TARGET, "zrep:fenced", "4", "local")?;
    peer.zrep(&["rejoin", TARGET]).ok()?.says("_diverged_e")?;
    pair.same_far()?;
    ensure!(lab.exists(ASIDE), "{}", lab.zfs(&["list", "-r", "dst"]));
    Ok(())
}

fn abort(lab: &Lab, more: &[&str]) -> Output {
    lab.zrep_over(SSH, &[&["failover", "--abort", SOURCE][..], more].concat())
}

/// What a failover leaves that dies right before its point of no return.
fn cut_off(lab: &Lab, epoch: u64) -> Result<()> {
    let intent = format!("zrep:intent=failover {epoch} - 7-{epoch}");
    lab.zfs(&["set", "readonly=on", &intent, SOURCE]).ok()?;
    lab.zfs(&["set", &format!("zrep:intent=prepared {epoch} 7-{epoch}"), TARGET])
        .ok()?;
    Ok(())
}
