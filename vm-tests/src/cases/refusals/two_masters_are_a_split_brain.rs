//! Both sides are master in one epoch, as after a takeover by shell zrep without the source: neither is synced over the other.

use anyhow::{Result, ensure};

use crate::fixture::{DST, Lab, SRC};

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    lab.zfs(&["inherit", "zrep:epoch", TARGET]).ok()?;
    lab.write(SOURCE, "file", "of the old master")?;
    lab.write(TARGET, "file", "of the new master")?;
    lab.unchanged(&[SRC, DST], || {
        neither_is_synced(lab, SOURCE, TARGET)?;
        neither_is_synced(lab, TARGET, SOURCE)?;
        let all = lab.zrep(&["sync", "all"]).exits(1)?;
        for says in [
            "source src/a b: dst/a copy is master, too",
            "source dst/a copy: src/a b is master, too",
        ] {
            ensure!(all.stderr.contains(says), "{all}");
        }
        Ok(())
    })
}

fn neither_is_synced(lab: &Lab, one: &str, other: &str) -> Result<()> {
    let says = format!("source {one}: {other} is master, too");
    for args in [
        &["sync", one][..],
        &["sync", "-f", one],
        &["failover", one],
        &["expire", one],
    ] {
        lab.declines(args, &says)?.expects("one master")?.helps("zrep:master")?;
    }
    lab.declines(&["takeover", one], &format!("{one}: "))?;
    Ok(())
}
