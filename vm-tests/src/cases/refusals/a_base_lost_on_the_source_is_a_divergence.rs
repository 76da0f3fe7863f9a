//! The last sent snapshot is gone on the source: the target has one that the source lacks, and only `-f` gives it up.

use anyhow::{Context, Result, ensure};

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.change_and_sync(SOURCE, "one")?;
    let last = lab.snapshots(SOURCE)?.pop().context("no snapshot")?.name;
    let short = last.rsplit('@').next().unwrap_or_default().to_owned();
    lab.zfs(&["destroy", &last]).ok()?;
    lab.write(SOURCE, "changed", "two")?;
    lab.refuses(
        &["sync", SOURCE],
        "target dst/a copy: has 1 snapshot that src/a b does not have",
    )?
    .finds(&short)?
    .helps("zrep sync -f")?;
    let forced = lab.zrep(&["sync", "-f", SOURCE]).ok()?;
    ensure!(
        forced.stderr.contains(&short),
        "does not say what it discards: {forced}"
    );
    let newest = lab.snapshots(TARGET)?.pop().context("no snapshot")?.name;
    lab.checksum(&lab.mountpoint(SOURCE)?)?
        .same_as(&lab.snapshot_tree(&newest)?)
}
