//! The target's pool is full in the middle of an increment: nothing of it is left, and the next sync works as soon as there is room.

use anyhow::Result;

use crate::fixture::pairing::SMALL;
use crate::fixture::refusal::refusal;
use crate::fixture::{Lab, SRC};

const SOURCE: &str = "src/a b";
const TARGET: &str = "small/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.small_pool()?;
    lab.pair(SOURCE, TARGET)?;
    lab.create("small/filler")?;
    lab.noise("small/filler", 60)?;
    lab.noise(SOURCE, 70)?;
    for verb in ["sync", "failover"] {
        let output = lab.unchanged(&[SRC, SMALL], || Ok(lab.zrep(&[verb, SOURCE])))?;
        refusal(output, "target small/a copy: ")?.helps("zpool list small")?;
    }
    lab.zfs(&["destroy", "small/filler"]).ok()?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    let newest = lab.snapshots(TARGET)?.pop().map(|snapshot| snapshot.name);
    let live = lab.checksum(&lab.mountpoint(SOURCE)?)?;
    live.same_as(&lab.snapshot_tree(&newest.unwrap_or_default())?)
}
