//! The pool of either side is exported: the side and its dataset are named, and after the import everything is as before.

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
    without(lab, DST, "target dst/a copy: ", &["sync", "failover", "expire"])?;
    without(lab, SRC, "source src/a b: ", &["sync", "failover", "expire", "status"])?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    Ok(())
}

fn without(lab: &Lab, pool: &str, says: &str, verbs: &[&str]) -> Result<()> {
    let other = if pool == SRC { DST } else { SRC };
    let before = lab.pool_state(pool)?;
    lab.zpool(&["export", pool]).ok()?;
    for verb in verbs {
        let output = lab.unchanged(&[other], || Ok(lab.zrep(&[verb, SOURCE])))?;
        refusal(output, says)?.helps("zpool import")?;
    }
    lab.zpool(&["import", pool]).ok()?;
    let changed = differences(&before, &lab.pool_state(pool)?);
    ensure!(changed.is_empty(), "{}", changed.join("\n"));
    Ok(())
}
