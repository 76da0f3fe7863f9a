//! `changeconfig` writes the pair on one side, and keeps its savecount, its role and what is read-only. Without a snapshot of zrep's it wants `-f`.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property, host};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zfs(&["set", "zrep:savecount=7", SOURCE]).ok()?;
    let said = lab.zrep(&["changeconfig", SOURCE, "beta", "dst/moved"]).ok()?;
    ensure!(said.stdout.is_empty() && said.stderr.is_empty(), "{said}");
    for (name, value) in [
        ("zrep:src-fs", SOURCE),
        ("zrep:src-host", &host()?),
        ("zrep:dest-fs", "dst/moved"),
        ("zrep:dest-host", "beta"),
        ("zrep:savecount", "7"),
        ("zrep:master", "yes"),
    ] {
        expect_property(lab, SOURCE, name, value, "local")?;
    }
    lab.zrep(&["-C", SOURCE, "localhost", TARGET]).ok()?;
    lab.zrep(&["changeconfig", "-d", "-f", TARGET, "localhost", SOURCE])
        .ok()?;
    expect_property(lab, TARGET, "zrep:src-host", "localhost", "local")?;
    expect_property(lab, TARGET, "readonly", "on", "local")?;
    pair.unlocked()?;
    pair.sync()?;
    pair.same()?;

    lab.create("src/fresh")?;
    lab.refuses(
        &["changeconfig", "src/fresh", "beta", "dst/x"],
        "no snapshot that zrep has named",
    )?;
    lab.zrep(&["changeconfig", "-f", "src/fresh", "beta", "dst/x"]).ok()?;
    expect_property(lab, "src/fresh", "zrep:savecount", "5", "local")?;
    lab.refuses(
        &["changeconfig", "-d", SOURCE, "beta", "dst/x"],
        "is the master already",
    )?;
    lab.zrep(&["changeconfig", SOURCE, "-oProxyCommand=x", "dst/x"])
        .exits(2)?;
    Ok(())
}
