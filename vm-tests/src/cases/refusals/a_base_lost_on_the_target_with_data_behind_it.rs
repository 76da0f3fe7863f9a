//! The last sent snapshot is gone on the target, but its data is still there: an older base does not fit, until `-f` goes back to it.

use anyhow::{Context, Result};

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.change_and_sync(SOURCE, "one")?;
    let last = lab.snapshots(TARGET)?.pop().context("no snapshot")?.name;
    lab.zfs(&["destroy", &last]).ok()?;
    lab.write(SOURCE, "changed", "two")?;
    lab.refuses(&["sync", SOURCE], "target dst/a copy: ")?
        .helps("zrep sync -f")?;
    lab.zrep(&["sync", "-f", SOURCE])
        .ok()?
        .says("rolling back to @zrep_000000")?;
    let newest = lab.snapshots(TARGET)?.pop().context("no snapshot")?.name;
    lab.checksum(&lab.mountpoint(SOURCE)?)?
        .same_as(&lab.snapshot_tree(&newest)?)
}
