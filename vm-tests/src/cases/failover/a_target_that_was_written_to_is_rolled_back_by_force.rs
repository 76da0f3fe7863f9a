//! `failover -f` rolls the target back to the last common snapshot before the last sync, as `sync -f` does, and tells what that discards.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zfs(&["snapshot", &format!("{TARGET}@mine")]).ok()?;
    pair.write("file", "new")?;
    lab.zrep(&["failover", SOURCE]).exits(1)?.says("does not have")?;
    pair.has_roles()?;
    lab.zrep(&["failover", "-f", SOURCE]).ok()?.says("mine")?;
    let turned = pair.turned();
    turned.has_roles()?;
    turned.sync()?;
    turned.same()
}
