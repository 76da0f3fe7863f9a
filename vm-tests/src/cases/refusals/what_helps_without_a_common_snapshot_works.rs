//! Who follows the refusal's help step by step, has a pairing that works, and the old target's data beside it.

use anyhow::{Context, Result, ensure};

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.zfs(&["destroy", "src/a b@%"]).ok()?;
    let refusal = lab.refuses(&["sync", SOURCE], "no snapshot in common")?;
    ensure!(refusal.help.contains("zrep init"), "{refusal:?}");
    lab.zfs(&["rename", TARGET, "dst/a copy.old"]).ok()?;
    lab.zrep(&["init", SOURCE, "localhost", TARGET])
        .ok()
        .context("the help says that this will do")?;
    lab.change_and_sync(SOURCE, "two")
}
