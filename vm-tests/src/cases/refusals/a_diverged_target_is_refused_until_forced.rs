//! The target has snapshots of its own behind the base: a sync refuses and names them, and `-f` destroys no others.

use anyhow::{Context, Result, ensure};

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.change_and_sync(SOURCE, "one")?;
    lab.create("dst/a copy/child")?;
    for snapshot in ["dst/a copy@mine", "dst/a copy@mine too", "dst/a copy/child@mine"] {
        lab.zfs(&["snapshot", snapshot]).ok()?;
    }
    let before = lab.snapshots(TARGET)?;
    lab.write(SOURCE, "changed", "two")?;
    for args in [vec!["sync", SOURCE], vec!["failover", SOURCE]] {
        lab.refuses(&args, "target dst/a copy: has 2 snapshots that src/a b does not have")?
            .expects("zrep_000001")?
            .finds("mine, mine too")?
            .helps("zrep sync -f")?;
    }
    let forced = lab.zrep(&["sync", "-f", SOURCE]).ok()?;
    ensure!(forced.stderr.contains("2 snapshots (mine, mine too)"), "{forced}");
    let after = lab.snapshots(TARGET)?;
    ensure!(
        after[..2] == before[..2],
        "older ones were changed: {before:?} {after:?}"
    );
    ensure!(after.len() == 3 && lab.exists("dst/a copy/child@mine"), "{after:?}");
    let newest = &after.last().context("no snapshot")?.name;
    lab.checksum(&lab.mountpoint(SOURCE)?)?
        .same_as(&lab.snapshot_tree(newest)?)
}
