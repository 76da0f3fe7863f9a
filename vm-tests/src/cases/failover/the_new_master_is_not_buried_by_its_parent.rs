//! A boot may mount what lies above after a failover has mounted the new master: then nobody would find its files.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, expect_property};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.sh("zfs create dst/above && zfs create -o canmount=noauto dst/above/by-hand")
        .ok()?;
    lab.create(SOURCE)?;
    let pair = Pair::init(lab, SOURCE, "dst/above/by-hand/copy")?;
    pair.write("file", "here")?;
    // As at a boot that has imported the pool and mounted nothing yet.
    lab.sh("zfs unmount dst/above").ok()?;
    lab.zrep(&["failover", SOURCE]).ok()?;
    expect_property(lab, "dst/above", "mounted", "yes", "-")?;
    expect_property(lab, "dst/above/by-hand", "mounted", "no", "-")?;
    lab.sh("zfs mount -a").ok()?;
    let said = lab
        .sh("cat \"$(zfs get -H -o value mountpoint dst/above/by-hand/copy)/file\"")
        .ok()?;
    ensure!(said.stdout == "here", "{said}");
    Ok(())
}
