//! Where the other machine has another name than in the pair, the name behind the dataset counts, with a user before it or without, and is written down; by a
//! takeover that does not ask it, too.

use anyhow::Result;

use crate::cases::far::pair_with_beta;
use crate::cases::pair::{SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    lab.zfs(&["set", "zrep:dest-host=gone.example.com", SOURCE]).ok()?;
    lab.zrep(&["failover", SOURCE, "root@beta"]).ok()?;
    pair.same_snapshots()?;
    expect_property(lab, SOURCE, "zrep:src-host", "root@beta", "local")?;
    expect_property(lab, TARGET, "zrep:src-host", "beta", "local")?;
    expect_property(lab, TARGET, "zrep:master", "yes", "local")?;
    lab.zfs(&["set", "zrep:src-host=gone.example.com", SOURCE]).ok()?;
    lab.zrep(&["takeover", SOURCE, "beta"]).ok()?;
    expect_property(lab, SOURCE, "zrep:master", "yes", "local")?;
    lab.zrep(&["failover", SOURCE, "-oProxyCommand=x"]).exits(2)?;
    lab.peer()?.zrep(&["takeover", "-L", TARGET, "root@alpha"]).ok()?;
    expect_property(lab, TARGET, "zrep:dest-host", "root@alpha", "local")?;
    expect_property(lab, TARGET, "zrep:master", "yes", "local")
}
