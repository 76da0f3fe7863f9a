//! The target's pool is full in the middle of the first stream: nothing of it is left, and init works as soon as there is room.

use anyhow::Result;

use crate::fixture::pairing::SMALL;
use crate::fixture::refusal::refusal;
use crate::fixture::{Lab, SRC};

const INIT: [&str; 4] = ["init", "src/a b", "localhost", "small/a copy"];

pub fn run(lab: &Lab) -> Result<()> {
    lab.small_pool()?;
    lab.create("small/filler")?;
    lab.noise("small/filler", 60)?;
    lab.create("src/a b")?;
    lab.noise("src/a b", 70)?;
    let output = lab.unchanged(&[SRC, SMALL], || Ok(lab.zrep(&INIT)))?;
    refusal(output, "target small/a copy: ")?.helps("zpool list small")?;
    lab.zfs(&["destroy", "small/filler"]).ok()?;
    lab.zrep(&INIT).ok()?;
    let newest = lab.snapshots("small/a copy")?.pop().map(|snapshot| snapshot.name);
    let live = lab.checksum(&lab.mountpoint("src/a b")?)?;
    live.same_as(&lab.snapshot_tree(&newest.unwrap_or_default())?)
}
