//! A failover that was killed when only the new master's mount was missing has turned the
//! roles already; typed again on either side it mounts, and is no error.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for again in [["failover", SOURCE], ["takeover", TARGET]] {
        lab.zrep(&["failover", SOURCE]).ok()?;
        lab.zfs(&["unmount", TARGET]).ok()?;
        lab.zrep(&again).ok()?;
        pair.turned().has_roles()?;
        lab.zrep(&["failover", TARGET]).ok()?;
        pair.has_roles()?;
    }
    Ok(())
}
