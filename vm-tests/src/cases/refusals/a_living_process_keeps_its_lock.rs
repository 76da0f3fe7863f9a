//! A lock whose process lives keeps every verb away that would change the source, and tells the process.

use anyhow::{Result, ensure};

use crate::fixture::{DST, Lab, SRC};

const SOURCE: &str = "src/a b";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, "dst/a copy")?;
    for contents in ["1", "2", "3"] {
        lab.change_and_sync(SOURCE, contents)?;
    }
    lab.zfs(&["set", "zrep:savecount=1", SOURCE]).ok()?;
    let process = lab.idler()?;
    let pid = process.pid().as_raw_nonzero().to_string();
    lab.lock(SOURCE, &pid, "now")?;
    lab.unchanged(&[SRC, DST], || every_verb_keeps_away(lab, &pid))?;
    // Without a time nobody knows who of two processes of one number it was.
    lab.zfs(&["inherit", "zrep:lock-time", SOURCE]).ok()?;
    lab.unchanged(&[SRC, DST], || every_verb_keeps_away(lab, &pid))?;

    drop(process);
    lab.zrep(&["expire", SOURCE]).ok()?;
    let left = lab.snapshots(SOURCE)?;
    ensure!(left.len() == 1, "there was nothing to expire: {left:?}");
    Ok(())
}

fn every_verb_keeps_away(lab: &Lab, pid: &str) -> Result<()> {
    for args in [
        &["sync", SOURCE][..],
        &["sync", "-f", SOURCE],
        &["sync", "-c", SOURCE],
        &["sync", "--every", "1s", "--rounds", "1", SOURCE],
        &["failover", SOURCE],
        &["takeover", "dst/a copy"],
        &["expire", SOURCE],
    ] {
        lab.declines(args, &format!("source src/a b: process {pid} (sleep 1000) works on it"))?
            .finds(&format!("zrep:lock-pid={pid}"))?;
    }
    Ok(())
}
