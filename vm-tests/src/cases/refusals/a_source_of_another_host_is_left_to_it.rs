//! The properties name another host as the source's: this one keeps away, until it is told that it is the one. An `init` writes the name that it is told.

use anyhow::{Result, ensure};

use crate::cases::pair::expect_property;
use crate::fixture::output::Output;
use crate::fixture::{DST, Lab, SRC};

const SOURCE: &str = "src/a b";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, "dst/a copy")?;
    lab.pair("src/our own", "dst/our copy")?;
    lab.zfs(&["set", "zrep:src-host=elsewhere", SOURCE]).ok()?;
    lab.unchanged(&[SRC, DST], || {
        for verb in ["sync", "failover", "expire"] {
            lab.declines(&[verb, SOURCE], "source src/a b: belongs to host elsewhere")?
                .finds("src-host=elsewhere")?
                .helps("ZREP_SRC_HOST=elsewhere")?;
        }
        Ok(())
    })?;
    let all = lab.zrep(&["sync", "all"]).ok()?;
    ensure!(
        !all.stdout.contains(SOURCE) && all.stdout.contains("src/our own"),
        "{all}"
    );
    let status = lab.zrep(&["status"]).ok()?;
    ensure!(!status.stdout.contains(SOURCE), "{status}");
    let mut sync = lab.zrep_command(&["sync", SOURCE]);
    Output::of(sync.env("ZREP_SRC_HOST", "elsewhere")).ok()?;
    lab.create("src/new")?;
    let mut init = lab.zrep_command(&["init", "src/new", "localhost", "dst/new"]);
    Output::of(init.env("ZREP_SRC_HOST", "elsewhere")).ok()?;
    expect_property(lab, "src/new", "zrep:src-host", "elsewhere", "local")
}
