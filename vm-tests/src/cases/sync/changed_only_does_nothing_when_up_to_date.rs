//! `sync -c` makes no snapshot where nothing was written, and one where something was.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE};
use crate::fixture::state::differences;
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let before = [lab.pool_state(SRC)?, lab.pool_state(DST)?];
    lab.zrep(&["sync", "-c", SOURCE]).ok()?.says("up to date")?;
    for (pool, before) in [SRC, DST].into_iter().zip(before) {
        let changes = differences(&before, &lab.pool_state(pool)?);
        ensure!(changes.is_empty(), "{pool} has changed: {changes:#?}");
    }
    pair.write("file", "new")?;
    lab.zpool(&["sync", SRC]).ok()?;
    lab.zrep(&["sync", "-c", SOURCE]).ok()?;
    pair.has(SOURCE, &["zrep_000000", "zrep_000001"])?;
    pair.same()
}
