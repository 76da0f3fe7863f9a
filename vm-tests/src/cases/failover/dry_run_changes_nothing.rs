//! `failover --dry-run` shows its steps with the point of no return, and takes none.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE};
use crate::fixture::state::differences;
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let before = [lab.pool_state(SRC)?, lab.pool_state(DST)?];
    let shown = lab.zrep(&["failover", "-n", SOURCE]).ok()?;
    shown
        .says("source: set readonly=on zrep:intent=failover 1 - ")?
        .says("point of no return")?;
    for (pool, before) in [SRC, DST].into_iter().zip(before) {
        let changes = differences(&before, &lab.pool_state(pool)?);
        ensure!(changes.is_empty(), "{pool} has changed: {changes:#?}");
    }
    pair.has_roles()
}
