//! User properties are inherited: a child shows all of its parent's, and is no pairing by that.

use anyhow::{Result, ensure};

use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    for child in ["src/a b/child", "dst/a copy/child"] {
        lab.create(child)?;
        ensure!(lab.property(child, "zrep:dest-fs")?.value == "dst/a copy");
    }
    lab.unchanged(&[SRC, DST], || {
        for child in ["src/a b/child", "dst/a copy/child"] {
            for verb in ["sync", "failover", "takeover", "expire", "status"] {
                lab.declines(&[verb, child], &format!("{child}: has no zrep pairing"))?;
            }
        }
        Ok(())
    })?;
    let listed = lab.zrep(&["list"]).ok()?;
    ensure!(listed.stdout == "dst/a copy\nsrc/a b\n", "{listed}");
    let all = lab.zrep(&["sync", "all"]).ok()?;
    ensure!(!all.stdout.contains("child"), "{all}");
    Ok(())
}
