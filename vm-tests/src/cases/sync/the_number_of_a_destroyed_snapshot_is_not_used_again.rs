//! A number that the target has seen does not come again, even if the source's snapshot
//! of that number is gone.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.sync()?;
    lab.zfs(&["destroy", "src/a b@zrep_000001"]).ok()?;
    pair.write("file", "after the loss")?;
    lab.zrep(&["sync", SOURCE]).fails()?.says("zrep_000001")?;
    lab.zrep(&["sync", "-f", SOURCE]).ok()?.says("zrep_000001")?;
    pair.has(SOURCE, &["zrep_000000", "zrep_000002"])?;
    pair.has(TARGET, &["zrep_000000", "zrep_000002"])?;
    pair.same()
}
