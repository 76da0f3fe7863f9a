//! `failover -L` makes the master a replica of a side that it does not ask: at the state of the last sync, read-only. What was not sent is discarded by `-f` only.
//! `takeover -L` on the other side completes it, and the new master replicates back.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::{DST, Lab};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("file", "synced")?;
    pair.sync()?;
    pair.write("file", "not synced")?;
    lab.zfs(&["snapshot", "src/a b@mine"]).ok()?;
    lab.zpool(&["export", DST]).ok()?;
    lab.zrep(&["failover", "-L", SOURCE])
        .exits(1)?
        .says("would lose what only this side has")?
        .says("1 snapshot (mine)")?
        .says("zrep failover -L -f")?;
    expect_property(lab, SOURCE, "readonly", "off", "default")?;

    let said = lab.zrep(&["failover", "-L", "-f", SOURCE]).ok()?;
    for line in [
        "Failover for src/a b in LOCAL mode",
        "Rolling back to last sync src/a b@zrep_000001",
    ] {
        ensure!(said.stdout.lines().any(|found| found == line), "{line:?}: {said}");
    }
    ensure!(said.stderr.contains(&format!("zrep takeover -L '{TARGET}'")), "{said}");
    ensure!(lab.read(SOURCE, "file")? == b"synced");
    expect_property(lab, SOURCE, "readonly", "on", "local")?;
    ensure!(lab.property(SOURCE, "zrep:master")?.source != "local");
    lab.zrep(&["sync", SOURCE]).exits(1)?.says("is not the master")?;

    lab.zpool(&["import", DST]).ok()?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    let turned = pair.turned();
    turned.write("file", "by the new master")?;
    turned.sync()?;
    turned.same()?;
    turned.has_roles()
}
