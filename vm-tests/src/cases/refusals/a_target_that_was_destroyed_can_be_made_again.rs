//! Where the target is lost, what zrep says leads to a new one: nobody must edit properties by hand.

use anyhow::{Context, Result};

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.zfs(&["destroy", "-r", TARGET]).ok()?;
    lab.refuses(&["sync", SOURCE], "target dst/a copy: dataset does not exist")?
        .helps("zrep init")?;
    lab.zrep(&["init", SOURCE, "localhost", TARGET])
        .ok()
        .context("init again")?;
    lab.change_and_sync(SOURCE, "after")?;
    Ok(())
}
