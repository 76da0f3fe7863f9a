//! Failover on the source's machine, takeover on the target's, and syncs in both directions by push and by pull. `sync all` of the machine that has no master
//! succeeds and does nothing, so one crontab serves both.

use anyhow::Result;

use crate::cases::far::pair_with_beta;
use crate::cases::pair::{SOURCE, TARGET, expect_property};
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    let peer = lab.peer()?;
    pair.write("file", "pulled")?;
    peer.zrep(&["refresh", TARGET]).ok()?;
    pair.same_far()?;
    lab.unchanged(&[SRC, DST], || peer.zrep(&["sync", "all"]).ok())?;

    pair.write("file", "before the failover")?;
    lab.zrep(&["failover", SOURCE]).ok()?;
    expect_property(lab, TARGET, "zrep:master", "yes", "local")?;
    expect_property(lab, TARGET, "zrep:src-host", "beta", "local")?;
    expect_property(lab, SOURCE, "zrep:dest-host", "alpha", "local")?;
    expect_property(lab, SOURCE, "readonly", "on", "local")?;
    lab.unchanged(&[SRC, DST], || lab.zrep(&["sync", "all"]).ok())?;
    peer.write(lab, TARGET, "file", "written on beta")?;
    peer.zrep(&["sync", TARGET]).ok()?;
    lab.zrep(&["refresh", SOURCE]).ok()?;
    pair.turned().same_snapshots()?;

    lab.zrep(&["takeover", SOURCE]).ok()?;
    expect_property(lab, SOURCE, "zrep:master", "yes", "local")?;
    pair.write("file", "back on alpha")?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    pair.same_far()
}
