//! A snapshot that is nowhere but on the target stops a roll back, which then changes nothing; `-f` discards it. Only a master may ask for it.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.sync()?;
    lab.zfs(&["snapshot", &format!("{TARGET}@mine")]).ok()?;
    lab.refuses(&["sync", "src/a b@zrep_000000"], "would lose what only this side has")?
        .finds("mine")?
        .helps("zrep sync -f")?;
    lab.refuses(&["sync", "src/a b@zrep_000009"], "has no snapshot @zrep_000009")?;
    lab.refuses(&["sync", &format!("{TARGET}@zrep_000000")], "is not the master")?;
    lab.zrep(&["sync", "-f", "src/a b@zrep_000000"])
        .ok()?
        .says("(zrep_000001, mine)")?;
    pair.has(TARGET, &["zrep_000000"])?;
    lab.zrep(&["sync", "src/a b@zrep_000000", SOURCE]).exits(1)?;
    pair.sync()?;
    pair.same()
}
