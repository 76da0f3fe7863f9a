//! A failover that cannot bring the last changes over leaves the source what it was: the
//! master, writable, with `readonly` set or not set as before. Later it can be done.

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    undone(lab, false)?;
    lab.zfs(&["destroy", "-r", SOURCE]).ok()?;
    lab.zfs(&["destroy", "-r", TARGET]).ok()?;
    undone(lab, true)
}

fn undone(lab: &Lab, own_readonly: bool) -> Result<()> {
    let pair = Pair::new(lab)?;
    let origin = if own_readonly { "local" } else { "default" };
    if own_readonly {
        lab.zfs(&["set", "readonly=off", SOURCE]).ok()?;
    }
    lab.zfs(&["set", "quota=24M", TARGET]).ok()?;
    pair.write("too big", Chance::new().bytes(64 << 20))?;
    let refused = lab.zrep(&["failover", SOURCE]).exits(1)?;
    ensure!(refused.stderr.contains(&format!("target {TARGET}")), "{refused}");

    expect_property(lab, SOURCE, "readonly", "off", origin)?;
    pair.has_roles()?;
    pair.unlocked()?;
    pair.has(SOURCE, &["zrep_000000"])?;
    pair.has(TARGET, &["zrep_000000"])?;

    lab.zfs(&["set", "quota=none", TARGET]).ok()?;
    lab.zrep(&["failover", SOURCE]).ok()?;
    pair.turned().same()?;
    pair.turned().has_roles()
}
