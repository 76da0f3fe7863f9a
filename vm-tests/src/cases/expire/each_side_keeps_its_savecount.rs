//! Each side keeps as many snapshots as its own savecount says, the newest ones.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for _ in 0..6 {
        pair.sync()?;
    }
    let five = [
        "zrep_000002",
        "zrep_000003",
        "zrep_000004",
        "zrep_000005",
        "zrep_000006",
    ];
    pair.has(SOURCE, &five)?;
    pair.has(TARGET, &five)?;

    lab.zfs(&["set", "zrep:savecount=2", SOURCE]).ok()?;
    lab.zfs(&["set", "zrep:savecount=4", TARGET]).ok()?;
    let shown = lab.zrep(&["expire", "--dry-run", SOURCE]).ok()?;
    shown.says("target: destroy snapshot dst/copy of a b@zrep_000002")?;
    pair.has(SOURCE, &five)?;
    pair.has(TARGET, &five)?;

    lab.zrep(&["expire", SOURCE]).ok()?;
    pair.has(SOURCE, &five[3..])?;
    pair.has(TARGET, &five[1..])?;
    pair.unlocked()?;
    pair.sync()?;
    pair.has(SOURCE, &["zrep_000006", "zrep_000007"])?;
    pair.has(TARGET, &["zrep_000004", "zrep_000005", "zrep_000006", "zrep_000007"])?;
    pair.same()
}
