//! A case begins with two healthy pools and nothing in them.

use anyhow::{Result, ensure};

use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    for pool in [SRC, DST] {
        let health = lab.zpool(&["list", "-H", "-o", "health", pool]).ok()?;
        ensure!(health.stdout == "ONLINE\n", "{health}");
        let list = lab.zfs(&["list", "-Hr", "-t", "all", "-o", "name", pool]).ok()?;
        ensure!(list.stdout == format!("{pool}\n"), "{list}");
        ensure!(lab.property(pool, "compression")?.value == "lz4");
        ensure!(
            lab.mountpoint(pool)?.read_dir()?.next().is_none(),
            "there are files in {pool}"
        );
    }
    Ok(())
}
