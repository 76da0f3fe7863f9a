//! A dataset and one below it that are paired by themselves, under one tag: the expiry of the upper one takes none of the lower one's snapshots, though they have the same names.
//! A replica without a savecount takes its master's.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const CHILD: &str = "src/a b/child";
const COPY: &str = "dst/copy of the child";

pub fn run(lab: &Lab) -> Result<()> {
    let upper = Pair::new(lab)?;
    // Mounted in its parent, it would hide a directory there.
    lab.zfs(&["create", "-o", "canmount=off", CHILD]).ok()?;
    let lower = Pair::init(lab, CHILD, COPY)?;
    lower.sync()?;
    lab.zfs(&["set", "zrep:savecount=1", SOURCE]).ok()?;
    lab.zfs(&["inherit", "zrep:savecount", TARGET]).ok()?;
    for _ in 0..3 {
        upper.sync()?;
    }
    lab.zrep(&["expire", "all"]).ok()?;
    upper.has(SOURCE, &["zrep_000003"])?;
    upper.has(TARGET, &["zrep_000003"])?;
    for side in [CHILD, COPY] {
        lower.has(side, &["zrep_000000", "zrep_000001"])?;
    }
    lower.sync()?;
    lower.same_snapshots()
}
