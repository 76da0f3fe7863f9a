//! With the source's pool gone, `takeover -L` makes the target master with what it has,
//! and says how old that is and that the rest is not there.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property, host};
use crate::fixture::{Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("file", "synced")?;
    pair.sync()?;
    pair.write("file", "not synced")?;
    // As if the last sync had been an hour and more ago.
    let newest = pair.newest(TARGET)?.name;
    let now: u64 = lab.sh("date +%s").ok()?.stdout.trim().parse()?;
    lab.zfs(&["set", &format!("zrep:sent={}", now - 5000), &newest]).ok()?;
    lab.zpool(&["export", SRC]).ok()?;
    lab.zrep(&["takeover", TARGET]).exits(1)?.says(SOURCE)?;

    let said = lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    let age = said
        .stderr
        .split_once("zrep_000001, ")
        .and_then(|(_, rest)| rest.split(' ').next())
        .and_then(|number| number.parse::<u64>().ok());
    ensure!(
        age.is_some_and(|age| (5000..6000).contains(&age)),
        "the age is {age:?}: {said}"
    );
    let said = said.says(&format!("{}:{SOURCE}", host()?))?;
    said.says("is not here")?;

    for (name, value) in [
        ("zrep:src-fs", TARGET),
        ("zrep:src-host", &host()?),
        ("zrep:dest-fs", SOURCE),
        ("zrep:master", "yes"),
    ] {
        expect_property(lab, TARGET, name, value, "local")?;
    }
    expect_property(lab, TARGET, "readonly", "off", "default")?;
    expect_property(lab, TARGET, "mounted", "yes", "-")?;
    ensure!(lab.read(TARGET, "file")? == b"synced");
    lab.write(TARGET, "file", "by the new master")
}
