//! `zrep gate`: strict leaves a master read-only while its peer cannot be asked; open lets it go; a superseded one is fenced.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zrep(&["gate", "all"]).ok()?.says("has no gate")?;
    lab.zfs(&["set", "zrep:gate=strict", SRC]).ok()?;
    lab.zrep(&["gate", "all"]).ok()?.says("is the master")?;

    lab.zpool(&["export", DST]).ok()?;
    lab.zrep(&["gate", SOURCE])
        .exits(1)?
        .says("read-only until its peer has been asked")?;
    expect_property(lab, SOURCE, "readonly", "on", "local")?;
    lab.zrep(&["gate", SOURCE]).exits(1)?;
    lab.zpool(&["import", DST]).ok()?;
    lab.zrep(&["gate", "all"]).ok()?.says("is the master")?;
    expect_property(lab, SOURCE, "readonly", "off", "default")?;
    pair.write("file", "after the gate")?;
    pair.sync()?;

    lab.zfs(&["set", "zrep:gate=open", SRC]).ok()?;
    lab.zpool(&["export", DST]).ok()?;
    lab.zrep(&["gate", "all"])
        .ok()?
        .says("although its peer cannot be asked")?;
    lab.zpool(&["import", DST]).ok()?;
    lab.zfs(&["set", "zrep:gate=perhaps", SRC]).ok()?;
    lab.zrep(&["gate", SOURCE]).exits(1)?.says("neither strict nor open")?;

    lab.zfs(&["set", "zrep:gate=strict", SRC]).ok()?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    lab.zrep(&["gate", "all"]).exits(1)?.says("zrep rejoin")?;
    expect_property(lab, SOURCE, "zrep:fenced", "1", "local")
}
