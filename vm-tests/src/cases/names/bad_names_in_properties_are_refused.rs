//! Whoever may set a property may write anything into it: names from there are checked like those that are typed.

use anyhow::Result;

use crate::fixture::{DST, Lab, SRC};

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";
const BAD: [&str; 8] = [
    "b/$(reboot)",
    "",
    "../x",
    "dst/%recv",
    "dst/a copy@zrep_000000",
    "/dst",
    "dst/ä",
    "-f",
];

const HOSTS: [&str; 5] = ["$(reboot)", "", "two words", "it's", "-oProxyCommand=reboot"];

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.unchanged(&[SRC, DST], || {
        for bad in BAD {
            on_the_source(lab, bad)?;
            on_the_target(lab, bad)?;
        }
        for host in HOSTS {
            lab.zfs(&["set", &format!("zrep:dest-host={host}"), SOURCE]).ok()?;
            lab.declines(&["sync", SOURCE], "source src/a b: zrep:dest-host")?
                .helps("zfs get zrep:dest-host")?;
        }
        lab.zfs(&["set", "zrep:dest-host=localhost", SOURCE]).ok()?;
        Ok(())
    })?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    Ok(())
}

fn on_the_source(lab: &Lab, bad: &str) -> Result<()> {
    lab.zfs(&["set", &format!("zrep:dest-fs={bad}"), SOURCE]).ok()?;
    for verb in ["sync", "failover", "expire"] {
        lab.declines(&[verb, SOURCE], "source src/a b: zrep:dest-fs")?
            .helps("zfs set zrep:dest-fs=")?;
    }
    lab.zfs(&["set", "zrep:dest-fs=dst/a copy", SOURCE]).ok()?;
    Ok(())
}

fn on_the_target(lab: &Lab, bad: &str) -> Result<()> {
    lab.zfs(&["set", &format!("zrep:src-fs={bad}"), TARGET]).ok()?;
    for verb in ["takeover", "expire"] {
        lab.declines(&[verb, TARGET], "target dst/a copy: zrep:src-fs")?
            .helps("zfs set zrep:src-fs=")?;
    }
    lab.zfs(&["inherit", "-S", "zrep:src-fs", TARGET]).ok()?;
    Ok(())
}
