//! Who syncs or fails over the replica, or takes over the master, is told which of the two it is.

use anyhow::Result;

use crate::fixture::{DST, Lab, SRC};

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.unchanged(&[SRC, DST], || {
        for args in [&["sync", TARGET][..], &["sync", "-f", TARGET], &["failover", TARGET]] {
            lab.declines(args, "dst/a copy: is not the master")?
                .expects("zrep:master=yes")?
                .finds("src/a b")?
                .helps("zrep takeover")?;
        }
        for args in [&["takeover", SOURCE][..], &["takeover", "-L", SOURCE]] {
            lab.declines(args, "src/a b: is the master already")?;
        }
        Ok(())
    })
}
