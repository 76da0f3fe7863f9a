//! A copy that zrep has adopted the script syncs; a master that zrep has lowered alone the script takes over from; what zrep has cleared is nothing to the script, which
//! sets it up again.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::cases::shell::{SOURCE, Shell, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let shell = Shell::find()?;
    lab.create(SOURCE)?;
    lab.write(SOURCE, "file", "of the beginning")?;
    lab.sh(&format!(
        "zfs snapshot {SOURCE}@zrep_000001
         zfs send {SOURCE}@zrep_000001 | zfs receive -u -o readonly=on {TARGET}"
    ))
    .ok()?;
    lab.zrep(&["changeconfig", SOURCE, "localhost", TARGET]).ok()?;
    lab.zrep(&["changeconfig", "-d", TARGET, "localhost", SOURCE]).ok()?;
    lab.zrep(&["sentsync", &format!("{SOURCE}@zrep_000001")]).ok()?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    pair.write("file", "by the script")?;
    shell.run(lab, &["sync", SOURCE])?;
    pair.same()?;

    lab.zrep(&["sync", &format!("{SOURCE}@zrep_000001")]).ok()?;
    shell.run(lab, &["sync", SOURCE])?;
    pair.same()?;

    pair.write("file", "never sent")?;
    lab.zrep(&["failover", "-L", "-f", SOURCE]).ok()?;
    shell.run(lab, &["takeover", "-L", TARGET])?;
    let turned = pair.turned();
    turned.write("file", "by the new master")?;
    shell.run(lab, &["sync", TARGET])?;
    turned.same()?;

    for side in [SOURCE, TARGET] {
        lab.zrep(&["clear", "-f", side]).ok()?;
    }
    let left = shell.run(lab, &["list"])?;
    ensure!(left.stdout.is_empty(), "{left}");
    shell.run(lab, &["init", TARGET, "localhost", "dst/again"])?;
    Pair::known(lab, TARGET, "dst/again").same_snapshots()
}
