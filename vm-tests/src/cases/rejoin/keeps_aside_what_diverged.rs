//! The old master was written to after a forced takeover: it is fenced at its first contact, and rejoins without a full send and without
//! losing what only it has.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

const ASIDE: &str = "src/a b_diverged_e1";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("big", vec![7_u8; 8 << 20])?;
    pair.sync()?;
    lab.zfs(&["snapshot", "src/a b@mine"]).ok()?;
    pair.write("file", "only on the old master")?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    lab.write(TARGET, "file", "by the new master")?;

    lab.zrep(&["sync", SOURCE])
        .exits(1)?
        .says("in epoch 1")?
        .says("zrep rejoin 'src/a b'")?;
    expect_property(lab, SOURCE, "zrep:fenced", "1", "local")?;
    expect_property(lab, SOURCE, "readonly", "on", "local")?;
    ensure!(lab.read(TARGET, "file")? == b"by the new master");
    lab.zrep(&["sync", SOURCE]).exits(1)?.says("fenced")?;
    lab.zrep(&["status", SOURCE]).ok()?.says("zrep rejoin 'src/a b'")?;

    let said = lab.zrep(&["--json", "rejoin", SOURCE]).ok()?;
    let bytes = said
        .stdout
        .split_once("\"bytes\":")
        .and_then(|(_, rest)| rest.split([',', '}']).next()?.parse::<u64>().ok());
    ensure!(
        bytes.is_some_and(|bytes| bytes < 400_000),
        "sent {bytes:?} bytes: {said}"
    );
    lab.zfs(&["mount", ASIDE]).ok()?;
    ensure!(lab.read(ASIDE, "file")? == b"only on the old master");
    ensure!(lab.exists("src/a b_diverged_e1@mine"));
    expect_property(lab, ASIDE, "readonly", "on", "local")?;
    expect_property(lab, ASIDE, "zrep:dest-fs", "-", "-")?;

    let turned = pair.turned();
    turned.same()?;
    turned.has_roles()?;
    lab.write(TARGET, "file", "goes on")?;
    turned.sync()?;
    turned.same()?;
    lab.zrep(&["failover", TARGET]).ok()?;
    pair.has_roles()?;
    ensure!(lab.read(SOURCE, "file")? == b"goes on");
    lab.zfs(&["destroy", "-r", ASIDE]).ok()?;
    Ok(())
}
