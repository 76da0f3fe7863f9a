//! A snapshot that somebody holds does not expire. That is said, and is no failure; when
//! the hold is gone, so is the snapshot with the next sync.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let held = ["src/a b@zrep_000000", "dst/copy of a b@zrep_000000"];
    for snapshot in held {
        lab.zfs(&["hold", "somebody", snapshot]).ok()?;
    }
    for side in [SOURCE, TARGET] {
        lab.zfs(&["set", "zrep:savecount=2", side]).ok()?;
    }
    pair.write("file", "one")?;
    pair.sync()?;
    let said = pair.sync()?;
    said.says(&format!("{}: was kept", held[0]))?
        .says(&format!("{}: was kept", held[1]))?;
    pair.sync()?;
    for side in [SOURCE, TARGET] {
        pair.has(side, &["zrep_000000", "zrep_000002", "zrep_000003"])?;
    }
    pair.same()?;
    pair.marked()?;
    let said = lab.zrep(&["expire", SOURCE]).ok()?;
    said.says(&format!("{}: was kept", held[0]))?
        .says(&format!("{}: was kept", held[1]))?;
    for snapshot in held {
        lab.zfs(&["release", "somebody", snapshot]).ok()?;
    }
    pair.sync()?;
    for side in [SOURCE, TARGET] {
        pair.has(side, &["zrep_000003", "zrep_000004"])?;
    }
    Ok(())
}
