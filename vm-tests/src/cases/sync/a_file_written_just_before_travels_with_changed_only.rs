//! What was written a moment ago and is still on its way to the disk counts as changed.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    // Without this the disk would be written to within five seconds anyway.
    lab.sh("echo 600 >/sys/module/zfs/parameters/zfs_txg_timeout").ok()?;
    lab.zpool(&["sync"]).ok()?;
    pair.write("file", "new")?;
    let synced = lab.zrep(&["sync", "-c", SOURCE]);
    lab.sh("echo 5 >/sys/module/zfs/parameters/zfs_txg_timeout").ok()?;
    let said = synced.ok()?;
    ensure!(!said.stdout.contains("up to date"), "{said}");
    pair.same()
}
