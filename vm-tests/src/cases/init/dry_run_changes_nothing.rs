//! `init --dry-run` says what it would do, and does nothing of it.

use anyhow::{Result, ensure};

use crate::cases::pair::{SOURCE, TARGET};
use crate::fixture::state::differences;
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.create(SOURCE)?;
    let before = [lab.pool_state(SRC)?, lab.pool_state(DST)?];
    let shown = lab.zrep(&["init", "--dry-run", SOURCE, "localhost", TARGET]).ok()?;
    let shown = shown.says(&format!("source: snapshot {SOURCE}@zrep_000000"))?;
    shown.says(&format!("send {SOURCE}@zrep_000000 into {TARGET}, in full"))?;
    for (pool, before) in [SRC, DST].into_iter().zip(before) {
        let changes = differences(&before, &lab.pool_state(pool)?);
        ensure!(changes.is_empty(), "{pool} has changed: {changes:#?}");
    }
    Ok(())
}
