//! `takeover` of a target whose source is in reach is a failover: nothing is lost.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("file", "not synced before")?;
    lab.zrep(&["takeover", TARGET]).ok()?;
    let turned = pair.turned();
    turned.same()?;
    turned.has_roles()?;
    turned.marked()?;
    turned.unlocked()?;
    ensure!(lab.read(TARGET, "file")? == b"not synced before");
    turned.sync()?;
    turned.same()?;

    turned.write("file", "and back")?;
    lab.zrep(&["takeover", SOURCE]).ok()?;
    pair.same()?;
    pair.has_roles()?;
    pair.unlocked()
}
