//! A volume of another tag that was written to before the other side took over alone rejoins, and what only it has is kept aside.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, device_of, expect_property, volume_digest, write_volume};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";
const TARGET: &str = "dst/its copy";
const ASIDE: &str = "src/a volume_diverged_e1";

pub fn run(lab: &Lab) -> Result<()> {
    let uk = |args: &[&str]| lab.zrep(&[&["-t", "uk"], args].concat());
    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    uk(&["init", VOLUME, "localhost", TARGET]).ok()?;
    write_volume(VOLUME, 0, &[7; 65536])?;
    let digest = format!("sha256sum <'{}'", device_of(VOLUME).display());
    let written = lab.sh(&digest).ok()?.stdout.clone();
    uk(&["takeover", "-L", TARGET]).ok()?;
    write_volume(TARGET, 1 << 20, &[8; 65536])?;

    uk(&["rejoin", VOLUME]).ok()?.says(&format!("kept as {ASIDE}"))?;
    let kept = format!("{ASIDE}@diverged_e1");
    ensure!(volume_digest(lab, &kept)? == written, "{kept} is not what was written");
    expect_property(lab, ASIDE, "readonly", "on", "local")?;
    expect_property(lab, ASIDE, "uk:dest-fs", "-", "-")?;
    expect_property(lab, VOLUME, "readonly", "on", "local")?;
    expect_property(lab, VOLUME, "uk:master", "-", "-")?;
    let turned = Pair::known(lab, TARGET, VOLUME);
    turned.same_snapshots()?;
    uk(&["sync", TARGET]).ok()?;
    turned.same_snapshots()
}
