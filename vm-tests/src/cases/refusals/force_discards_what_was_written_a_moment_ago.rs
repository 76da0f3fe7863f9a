//! What was written to the target and has not reached its disk yet is in the way of a receive as well.
//!
//! The property `written` is of the last transaction group on disk: up to five seconds long it does not know of the file.

use anyhow::{Context, Result, ensure};

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.zfs(&["set", "readonly=off", TARGET]).ok()?;
    lab.zfs(&["mount", TARGET]).ok()?;
    lab.write(SOURCE, "new", "new")?;
    // A fresh transaction group, with five seconds before it.
    lab.zpool(&["sync"]).ok()?;
    lab.write(TARGET, "mine", "written here")?;
    let forced = lab.zrep(&["sync", "-f", SOURCE]).ok()?;
    ensure!(forced.stderr.contains("dst/a copy: rolling back to"), "{forced}");
    let newest = lab.snapshots(TARGET)?.pop().context("no snapshot")?.name;
    lab.checksum(&lab.mountpoint(SOURCE)?)?
        .same_as(&lab.snapshot_tree(&newest)?)
}
