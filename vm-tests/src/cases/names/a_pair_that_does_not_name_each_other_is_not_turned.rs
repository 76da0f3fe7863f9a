//! The source names a target that belongs to another source: its roles are not changed, and it is not written to.

use anyhow::Result;

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    lab.pair("src/c d", "dst/c copy")?;
    lab.zfs(&["set", "zrep:dest-fs=dst/c copy", "src/a b"]).ok()?;
    for verb in ["failover", "sync"] {
        lab.refuses(&[verb, "src/a b"], ": ")?;
    }
    lab.refuses(&["takeover", "dst/a copy"], "src/a b: ")?;
    Ok(())
}
