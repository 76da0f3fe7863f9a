//! A target of the other kind than its source.

use anyhow::Result;

use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    lab.zfs(&["create", "-V", "16M", "src/a volume"]).ok()?;
    lab.zrep(&["init", "src/a volume", "localhost", "dst/volume copy"])
        .ok()?;
    // The targets in each other's place.
    for [from, to] in [
        ["dst/a copy", "dst/x"],
        ["dst/volume copy", "dst/a copy"],
        ["dst/x", "dst/volume copy"],
    ] {
        lab.zfs(&["rename", from, to]).ok()?;
    }
    lab.unchanged(&[SRC, DST], || {
        for args in [&["sync", "src/a b"][..], &["sync", "-f", "src/a b"]] {
            lab.declines(args, "target dst/a copy: is a volume")?
                .expects("filesystem")?;
        }
        lab.declines(&["sync", "src/a volume"], "target dst/volume copy: is a filesystem")?
            .expects("volume")?;
        Ok(())
    })
}
