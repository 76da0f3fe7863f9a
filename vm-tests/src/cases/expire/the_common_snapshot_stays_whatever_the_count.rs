//! However many unsent snapshots the source has, and however few it is to keep, what the
//! next sync builds on does not expire.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for side in [SOURCE, TARGET] {
        lab.zfs(&["set", "zrep:savecount=1", side]).ok()?;
    }
    for number in 1..4 {
        lab.zfs(&["snapshot", &format!("{SOURCE}@zrep_00000{number}")]).ok()?;
    }
    lab.zrep(&["expire", SOURCE]).ok()?;
    pair.has(SOURCE, &["zrep_000000", "zrep_000001", "zrep_000002", "zrep_000003"])?;
    pair.has(TARGET, &["zrep_000000"])?;
    let guid = lab.property(TARGET, "guid")?;
    pair.sync()?;
    pair.same()?;
    ensure!(
        guid == lab.property(TARGET, "guid")?,
        "the target is another dataset now"
    );
    lab.zrep(&["expire", SOURCE]).ok()?;
    pair.has(SOURCE, &["zrep_000004"])?;
    pair.has(TARGET, &["zrep_000004"])
}
