//! `status -m` answers as a check for monitoring does: the state in the first line and in the exit status, the ages as numbers, and why.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::output::Output;

pub fn run(lab: &Lab) -> Result<()> {
    check(lab, &[], 0, "ZREP OK: no master on this host")?;
    let pair = Pair::new(lab)?;
    pair.write("file", "unsent")?;
    lab.zpool(&["sync"]).ok()?;
    check(lab, &[], 0, "ZREP OK: 1 of 1 | 'src/a b'=")?;
    let now: u64 = lab.sh("date +%s").ok()?.stdout.trim().parse()?;
    for side in [SOURCE, TARGET] {
        let mark = format!("zrep:sent={}", now - 7200);
        lab.zfs(&["set", &mark, &pair.newest(side)?.name]).ok()?;
    }
    check(lab, &["--warn", "3h", "--crit", "1d"], 0, "ZREP OK")?;
    check(
        lab,
        &["--warn", "1h"],
        1,
        "ZREP WARNING: 1 of 1, first src/a b: synced 72",
    )?;
    check(
        lab,
        &["--warn", "1h", "--crit", "2h"],
        2,
        "ZREP CRITICAL: 1 of 1, first src/a b: synced 72",
    )?;
    check(lab, &["--warn", "1h", TARGET], 1, "ZREP WARNING")?;
    check(lab, &["-a", "--crit", "1h"], 2, "ZREP CRITICAL: 2 of 2")?;
    check(
        lab,
        &["src/nothing"],
        3,
        "ZREP UNKNOWN: 1 of 1, first src/nothing: dataset does not exist",
    )?;
    check(lab, &["src/nothing", SOURCE, "--warn", "1h"], 1, "ZREP WARNING")?;

    lab.zfs(&["inherit", "zrep:sent", "src/a b@zrep_000000"]).ok()?;
    check(lab, &[], 2, "ZREP CRITICAL: 1 of 1, first src/a b: never synced")?;
    lab.zrep(&["status", "--warn", "1h"]).exits(2)?;
    // What keeps it from looking is no warning, and no silence.
    let unset = Output::of(lab.zrep_command(&["status", "-m"]).env("ZREP_R", "-r")).exits(3)?;
    ensure!(unset.stdout.starts_with("ZREP UNKNOWN: ZREP_R"), "{unset}");
    Ok(())
}

fn check(lab: &Lab, more: &[&str], code: i32, first: &str) -> Result<()> {
    let said = lab.zrep(&[&["status", "-m"], more].concat()).exits(code)?;
    ensure!(said.stdout.starts_with(first), "expected {first:?}: {said}");
    Ok(())
}
