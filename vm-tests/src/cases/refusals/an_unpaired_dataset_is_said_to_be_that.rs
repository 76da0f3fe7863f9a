//! A dataset without zrep's properties, or without those of the tag, is refused by every verb but init.

use anyhow::Result;

use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    lab.create("src/plain one")?;
    lab.unchanged(&[SRC, DST], || {
        for verb in ["sync", "failover", "takeover", "expire", "status"] {
            lab.declines(&[verb, "src/plain one"], "src/plain one: has no zrep pairing")?
                .expects("zrep:dest-fs")?
                .helps("zrep init")?;
            lab.declines(&["-t", "uk", verb, "src/a b"], "src/a b: has no uk pairing")?
                .expects("uk:dest-fs")?;
        }
        lab.declines(
            &["takeover", "-L", "src/plain one"],
            "target src/plain one: has no zrep pairing",
        )?;
        Ok(())
    })
}
