//! The loop keeps no more snapshots than each side is to keep, from its first round on.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zfs(&["set", "zrep:savecount=2", SOURCE]).ok()?;
    lab.zfs(&["set", "zrep:savecount=3", TARGET]).ok()?;
    lab.zrep(&["sync", SOURCE, "--every", "0s", "--rounds", "6"]).ok()?;
    pair.has(SOURCE, &["zrep_000005", "zrep_000006"])?;
    pair.has(TARGET, &["zrep_000004", "zrep_000005", "zrep_000006"])?;
    pair.same()?;
    pair.marked()?;
    pair.unlocked()
}
