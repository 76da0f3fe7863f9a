//! Two snapshots of one name that were made independently are no base: `sentsync` compares their guids, and changes nothing.

use anyhow::Result;

use crate::cases::pair::{SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    for dataset in [SOURCE, TARGET] {
        lab.create(dataset)?;
        lab.zfs(&["snapshot", &format!("{dataset}@zrep_000001")]).ok()?;
    }
    lab.zfs(&["snapshot", "src/a b@daily"]).ok()?;
    lab.refuses(&["sentsync", "src/a b@zrep_000001"], "has no zrep pairing")?;
    lab.zrep(&["changeconfig", SOURCE, "localhost", TARGET]).ok()?;
    lab.refuses(&["sentsync", "src/a b@zrep_000001"], "their guids differ")?;
    lab.refuses(&["sentsync", "src/a b@daily"], "was not named by zrep")?;
    lab.refuses(&["sentsync", "src/a b@zrep_000002"], "has no snapshot")?;
    lab.zrep(&["sentsync", "-L", "src/a b@zrep_000001"]).ok()?;
    lab.refuses(&["sync", SOURCE], "has no snapshot in common")?;
    Ok(())
}
