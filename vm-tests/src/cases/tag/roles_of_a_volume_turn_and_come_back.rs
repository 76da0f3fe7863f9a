//! failover, takeover, gate, takeover without the source, and rejoin: all of a volume, and all of another tag.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, expect_property, write_volume};
use crate::fixture::Lab;
use crate::fixture::output::Output;

const VOLUME: &str = "src/a volume";
const TARGET: &str = "dst/its copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    uk(lab, &["init", VOLUME, "localhost", TARGET]).ok()?;
    let pair = Pair::known(lab, VOLUME, TARGET);
    uk(lab, &["failover", VOLUME]).ok()?;
    is_master(lab, TARGET, VOLUME)?;
    write_volume(TARGET, 0, &[7; 65536])?;
    uk(lab, &["sync", TARGET]).ok()?;
    pair.turned().same_snapshots()?;

    uk(lab, &["takeover", VOLUME]).ok()?;
    is_master(lab, VOLUME, TARGET)?;
    lab.zfs(&["set", "uk:gate=strict", VOLUME]).ok()?;
    uk(lab, &["gate", VOLUME]).ok()?.says("is the master")?;
    uk(lab, &["takeover", "-L", TARGET]).ok()?;
    uk(lab, &["gate", VOLUME]).exits(1)?.says("rejoin")?;
    write_volume(TARGET, 1 << 20, &[8; 65536])?;
    uk(lab, &["rejoin", VOLUME]).ok()?;
    is_master(lab, TARGET, VOLUME)?;
    pair.turned().same_snapshots()?;
    let left = lab.zfs(&["list", "-H", "-o", "name", "-r", "src"]).ok()?;
    ensure!(!left.stdout.contains("_diverged_"), "it had nothing of its own: {left}");
    Ok(())
}

fn uk(lab: &Lab, args: &[&str]) -> Output {
    lab.zrep(&[&["-t", "uk"], args].concat())
}

fn is_master(lab: &Lab, master: &str, replica: &str) -> Result<()> {
    expect_property(lab, master, "uk:master", "yes", "local")?;
    ensure!(
        lab.property(master, "readonly")?.value == "off",
        "{master} is read-only"
    );
    ensure!(
        lab.property(replica, "uk:master")?.source != "local",
        "{replica} is master, too"
    );
    expect_property(lab, replica, "readonly", "on", "local")
}
