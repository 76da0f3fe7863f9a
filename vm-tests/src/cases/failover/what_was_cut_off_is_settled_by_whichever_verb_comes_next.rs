//! A failover that was cut off before its point of no return is undone by the next sync, by `--abort`, or gone on with by typing it again;
//! without its peer nothing is decided unless it is forced.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::{DST, Lab};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zrep(&["failover", "--abort", SOURCE])
        .exits(1)?
        .says("no failover was begun")?;
    for verb in [&["sync"][..], &["failover", "--abort"]] {
        cut_off(lab, "off")?;
        lab.zrep(&["status", SOURCE]).ok()?.says("in doubt")?;
        lab.zrep(&[verb, &[SOURCE]].concat()).ok()?;
        expect_property(lab, SOURCE, "readonly", "off", "local")?;
        expect_property(lab, SOURCE, "zrep:intent", "-", "-")?;
        expect_property(lab, TARGET, "zrep:intent", "aborted 7-1", "local")?;
    }
    lab.zfs(&["inherit", "readonly", SOURCE]).ok()?;
    pair.write("file", "goes on")?;
    pair.sync()?;
    pair.has_roles()?;

    cut_off(lab, "-")?;
    lab.zpool(&["export", DST]).ok()?;
    lab.zrep(&["sync", SOURCE]).fails()?;
    expect_property(lab, SOURCE, "readonly", "on", "local")?;
    lab.zpool(&["import", DST]).ok()?;
    lab.zrep(&["failover", SOURCE]).ok()?.says("No side was writable for")?;
    pair.turned().has_roles()?;
    for dataset in [SOURCE, TARGET] {
        expect_property(lab, dataset, "zrep:epoch", "1", "local")?;
        expect_property(lab, dataset, "zrep:intent", "-", "-")?;
    }
    ensure!(lab.read(TARGET, "file")? == b"goes on");
    Ok(())
}

/// What a failover leaves that dies right before its point of no return.
fn cut_off(lab: &Lab, readonly: &str) -> Result<()> {
    let intent = format!("zrep:intent=failover 1 {readonly} 7-1");
    lab.zfs(&["set", "readonly=on", &intent, SOURCE]).ok()?;
    lab.zfs(&["set", "zrep:intent=prepared 1 7-1", TARGET]).ok()?;
    Ok(())
}
