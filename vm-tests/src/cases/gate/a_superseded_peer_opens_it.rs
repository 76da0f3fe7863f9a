//! A strict gate that was closed because its peer could not be asked opens when the peer is back, also where that one was superseded.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("file", "only on the old master")?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    lab.zfs(&["set", "zrep:gate=strict", DST]).ok()?;
    lab.zpool(&["export", SRC]).ok()?;
    lab.zrep(&["gate", TARGET]).exits(1)?;
    expect_property(lab, TARGET, "readonly", "on", "local")?;

    lab.zpool(&["import", SRC]).ok()?;
    lab.zrep(&["gate", TARGET]).ok()?.says("is the master")?;
    expect_property(lab, TARGET, "readonly", "off", "default")?;
    expect_property(lab, TARGET, "zrep:intent", "-", "-")?;
    expect_property(lab, SOURCE, "zrep:fenced", "1", "local")?;
    lab.write(TARGET, "file", "by the new master")
}
