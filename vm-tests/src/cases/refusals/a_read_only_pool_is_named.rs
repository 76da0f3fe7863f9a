//! The pool of either side is imported read-only: the sync says so, and leaves nothing on the side that can be written to.

use anyhow::{Result, ensure};

use crate::fixture::refusal::refusal;
use crate::fixture::state::differences;
use crate::fixture::{DST, Lab, SRC};

const SOURCE: &str = "src/a b";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, "dst/a copy")?;
    lab.write(SOURCE, "new", "new")?;
    // An import mounts it, too.
    lab.zfs(&["mount", "dst/a copy"]).ok()?;
    for (pool, other, side) in [(DST, SRC, "target dst/a copy"), (SRC, DST, "source src/a b")] {
        let before = lab.pool_state(pool)?;
        lab.zpool(&["export", pool]).ok()?;
        lab.zpool(&["import", "-o", "readonly=on", pool]).ok()?;
        for verb in ["sync", "failover"] {
            let output = lab.unchanged(&[other], || Ok(lab.zrep(&[verb, SOURCE])))?;
            refusal(output, side)?
                .finds("a pool that takes no changes")?
                .helps(&format!("zpool status {pool}"))?;
        }
        lab.zpool(&["export", pool]).ok()?;
        lab.zpool(&["import", pool]).ok()?;
        let changed = differences(&before, &lab.pool_state(pool)?);
        ensure!(changed.is_empty(), "{}", changed.join("\n"));
    }
    lab.zrep(&["sync", SOURCE]).ok()?;
    Ok(())
}
