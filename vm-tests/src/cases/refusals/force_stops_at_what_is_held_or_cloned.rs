//! One of the target's own snapshots is held, or has a clone: `-f` destroys none of them, rather than some.

use anyhow::Result;

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, "dst/a copy")?;
    for snapshot in ["dst/a copy@first", "dst/a copy@kept", "dst/a copy@last"] {
        lab.zfs(&["snapshot", snapshot]).ok()?;
    }
    lab.zfs(&["hold", "mine", "dst/a copy@kept"]).ok()?;
    lab.refuses(&["sync", "-f", SOURCE], "dst/a copy@kept: ")?
        .helps("zfs holds")?;
    lab.zfs(&["release", "mine", "dst/a copy@kept"]).ok()?;
    lab.zfs(&["clone", "dst/a copy@kept", "dst/a clone"]).ok()?;
    lab.refuses(&["sync", "-f", SOURCE], "dst/a copy@kept: ")?
        .helps("clone")?;
    lab.zfs(&["destroy", "dst/a clone"]).ok()?;
    lab.zrep(&["sync", "-f", SOURCE]).ok()?;
    Ok(())
}
