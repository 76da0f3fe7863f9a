//! A volume with a pairing of another tag is taken by each verb as a filesystem of the default tag is; the default tag knows nothing of it.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, short_of, write_volume};
use crate::fixture::Lab;
use crate::fixture::output::Output;

const VOLUME: &str = "src/a volume";
const TARGET: &str = "dst/its copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    uk(lab, &["init", VOLUME, "localhost", TARGET]).ok()?;
    let pair = Pair::known(lab, VOLUME, TARGET);
    uk(lab, &["uptodate", VOLUME]).ok()?;
    write_volume(VOLUME, 0, &[7; 65536])?;
    uk(lab, &["uptodate", VOLUME]).exits(1)?;
    uk(lab, &["sync", "-c", VOLUME]).ok()?;
    uk(lab, &["sync", "-c", VOLUME]).ok()?.says("up to date")?;
    pair.has(TARGET, &["uk_000000", "uk_000001"])?;
    says(lab, &["snaponly", VOLUME], "src/a volume@uk_000002\n")?;
    uk(lab, &["synconly", VOLUME])
        .ok()?
        .says("sending src/a volume@uk_000002 to localhost:")?;
    says(lab, &["getlastsent", TARGET], "dst/its copy@uk_000002\n")?;
    uk(lab, &["refresh", TARGET]).ok()?;
    pair.has(TARGET, &["uk_000000", "uk_000001", "uk_000002", "uk_000003"])?;
    pair.same_snapshots()?;
    looks(lab)?;

    for side in [VOLUME, TARGET] {
        lab.zfs(&["set", "uk:savecount=1", side]).ok()?;
    }
    uk(lab, &["expire", "-L", VOLUME]).ok()?;
    pair.has(VOLUME, &["uk_000003"])?;
    ensure!(pair.shorts(TARGET)?.len() == 4, "-L has asked the other side");
    uk(lab, &["expire", VOLUME]).ok()?;
    pair.has(TARGET, &["uk_000003"])?;

    lab.zfs(&["snapshot", "dst/its copy@mine"]).ok()?;
    uk(lab, &["sync", VOLUME]).exits(1)?.says("mine")?;
    uk(lab, &["sync", "-f", VOLUME]).ok()?.says("mine")?;
    uk(lab, &["sync", VOLUME, "--every", "0s", "--rounds", "2"]).ok()?;
    ensure!(short_of(&pair.newest(TARGET)?) == "uk_000006");
    pair.same_snapshots()
}

fn looks(lab: &Lab) -> Result<()> {
    let status = uk(lab, &["status", VOLUME]).ok()?;
    ensure!(status.stdout.starts_with(&format!("{VOLUME:<52} last: 2")), "{status}");
    uk(lab, &["status", "-m"]).ok()?.says("ZREP OK: 1 of 1")?;
    says(lab, &["list"], "dst/its copy\nsrc/a volume\n")?;
    let verbose = uk(lab, &["list", "-v", VOLUME]).ok()?;
    verbose
        .says("uk:master\tyes")?
        .says("last snapshot synced: src/a volume@uk_000003")?;
    uk(lab, &["list", "-s"]).ok()?.says("src/a volume@uk_000003")?;
    ensure!(lab.zrep(&["list"]).ok()?.stdout.is_empty());
    Ok(())
}

fn uk(lab: &Lab, args: &[&str]) -> Output {
    lab.zrep(&[&["-t", "uk"], args].concat())
}

fn says(lab: &Lab, args: &[&str], expected: &str) -> Result<()> {
    let said = uk(lab, args).ok()?;
    ensure!(said.stdout == expected, "expected {expected:?}: {said}");
    Ok(())
}
