//! An old master stays mounted, read-only. A failover back to it that was killed between
//! the change of its property and the remount leaves a master whose mount still is
//! read-only; typed again, it ends with one that can be written to.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property, host};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for again in [["takeover", SOURCE], ["failover", TARGET]] {
        lab.zrep(&["failover", SOURCE]).ok()?;
        leave_half_turned(lab)?;
        expect_property(lab, SOURCE, "readonly", "on", "temporary")?;
        lab.zrep(&again).ok()?;
        pair.has_roles()?;
        pair.unlocked()?;
        pair.sync()?;
        pair.same()?;
    }
    Ok(())
}

/// What a kill at that point leaves of `failover TARGET`.
fn leave_half_turned(lab: &Lab) -> Result<()> {
    lab.zfs(&["set", "readonly=on", TARGET]).ok()?;
    let host = host()?;
    let up = [
        format!("zrep:src-fs={SOURCE}"),
        format!("zrep:src-host={host}"),
        format!("zrep:dest-fs={TARGET}"),
        format!("zrep:dest-host={host}"),
        "zrep:master=yes".to_owned(),
    ];
    let up: Vec<&str> = up.iter().map(String::as_str).collect();
    lab.zfs(&[&["set"], &up[..], &[SOURCE]].concat()).ok()?;
    lab.zfs(&["inherit", "readonly", SOURCE]).ok()?;
    lab.sh(&format!("mount -o remount,ro '{}'", lab.mountpoint(SOURCE)?.display()))
        .ok()?;
    Ok(())
}
