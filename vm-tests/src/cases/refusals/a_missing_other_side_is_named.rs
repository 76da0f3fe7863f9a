//! The other side of a pairing is gone: each verb that needs it names it and its side.

use anyhow::Result;

use crate::fixture::{DST, Lab, SRC};

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.zfs(&["rename", TARGET, "dst/elsewhere"]).ok()?;
    lab.unchanged(&[SRC, DST], || {
        for verb in ["sync", "failover", "expire"] {
            lab.declines(&[verb, SOURCE], "target dst/a copy: dataset does not exist")?;
        }
        Ok(())
    })?;
    lab.zfs(&["rename", "dst/elsewhere", TARGET]).ok()?;
    lab.zfs(&["rename", SOURCE, "src/elsewhere"]).ok()?;
    lab.unchanged(&[SRC, DST], || {
        for verb in ["takeover", "expire"] {
            lab.declines(&[verb, TARGET], "source src/a b: dataset does not exist")?;
        }
        Ok(())
    })?;
    lab.zfs(&["rename", "src/elsewhere", SOURCE]).ok()?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    Ok(())
}
