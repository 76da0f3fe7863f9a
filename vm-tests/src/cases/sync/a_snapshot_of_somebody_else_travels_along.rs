//! Snapshots that others make of the source between two syncs arrive as well, in order.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for (short, contents) in [("daily 1", "as of one"), ("daily 2", "as of two")] {
        pair.write("file", contents)?;
        lab.zfs(&["snapshot", &format!("{SOURCE}@{short}")]).ok()?;
    }
    pair.write("file", "as of now")?;
    pair.sync()?;
    pair.has(TARGET, &["zrep_000000", "daily 1", "daily 2", "zrep_000001"])?;
    pair.same()?;
    let [ours, theirs] = [lab.snapshots(SOURCE)?, lab.snapshots(TARGET)?];
    for (ours, theirs) in ours.iter().zip(&theirs) {
        ensure!(ours.guid == theirs.guid, "{ours:?}, {theirs:?}");
        lab.snapshot_tree(&ours.name)?
            .same_as(&lab.snapshot_tree(&theirs.name)?)?;
    }
    Ok(())
}
