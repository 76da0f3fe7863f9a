//! A dataset that does not exist is refused by its name, in a pool that exists as in one that does not.

use anyhow::Result;

use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    lab.unchanged(&[SRC, DST], || {
        ["src/no such", "src/a b/no such", "no-pool/a b"]
            .into_iter()
            .try_for_each(|name| is_named(lab, name))
    })
}

fn is_named(lab: &Lab, name: &str) -> Result<()> {
    let missing = |side| format!("{side} {name}: dataset does not exist");
    for args in [
        &["sync", name][..],
        &["sync", "-n", name],
        &["init", name, "localhost", "dst/new"],
        &["failover", name],
    ] {
        lab.declines(args, &missing("source"))?.helps("zfs list")?;
    }
    for args in [&["takeover", name][..], &["takeover", "-L", name]] {
        lab.declines(args, &missing("target"))?.helps("zpool import")?;
    }
    // These are for either side.
    for verb in ["status", "expire"] {
        lab.declines(&[verb, name], &format!("{name}: dataset does not exist"))?;
    }
    Ok(())
}
