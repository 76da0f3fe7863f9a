//! All common snapshots are gone, on either side: the data is the same, but ZFS cannot know that.

use anyhow::{Context, Result};

use crate::fixture::{DST, Lab, SRC};

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.change_and_sync(SOURCE, "one")?;
    lab.zfs(&["snapshot", "dst/a copy@mine"]).ok()?;
    lab.zfs(&["destroy", "dst/a copy@zrep_000000%zrep_000001"]).ok()?;
    is_refused(lab, "newest on the source: zrep_000001 (guid ")?;
    lab.zfs(&["destroy", "src/a b@%"]).ok()?;
    is_refused(lab, "newest on the source: none; newest here: mine (guid ")?;
    // The same names are no common snapshots.
    lab.zfs(&["snapshot", "src/a b@mine"]).ok()?;
    is_refused(lab, "newest on the source: mine (guid ")
}

fn is_refused(lab: &Lab, found: &str) -> Result<()> {
    lab.unchanged(&[SRC, DST], || {
        for args in [&["sync", SOURCE][..], &["sync", "-f", SOURCE], &["failover", SOURCE]] {
            lab.declines(args, "target dst/a copy: has no snapshot in common with src/a b")?
                .finds(found)?;
        }
        Ok(())
    })
    .with_context(|| found.to_owned())
}
