//! `clear -f` destroys the snapshots that zrep has named and unsets what it has set, of one tag and one side; what only looks like that stays.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_marks, expect_property};
use crate::fixture::Lab;

const SECOND: &str = "dst/copy for the uk";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zrep(&["-t", "uk-zrep", "init", SOURCE, "localhost", SECOND]).ok()?;
    for short in ["zrep_backup1", "zrep_ab", "daily"] {
        lab.zfs(&["snapshot", &format!("{SOURCE}@{short}")]).ok()?;
    }
    lab.zfs(&["set", "myzrep:foo=bar", "zrep:note=mine", SOURCE]).ok()?;
    pair.sync()?;
    let said = lab.zrep(&["clear", "-f", SOURCE]).ok()?;
    ensure!(said.stderr.contains(TARGET), "no word of the other side: {said}");
    pair.has(SOURCE, &["uk-zrep_000000", "zrep_backup1", "zrep_ab", "daily"])?;
    expect_marks(lab, SOURCE, &["zrep:note=mine (local)".to_owned()])?;
    expect_property(lab, SOURCE, "myzrep:foo", "bar", "local")?;
    expect_property(lab, SOURCE, "uk-zrep:master", "yes", "local")?;
    lab.zrep(&["-t", "uk-zrep", "sync", SOURCE]).ok()?;

    lab.zrep(&["clear", "-f", TARGET]).ok()?.says("stays read-only")?;
    lab.zrep(&["list"]).ok()?;
    lab.zrep(&["clear", "-f", TARGET]).ok()?.says("nothing to do")?;
    ensure!(lab.zrep(&["list"]).ok()?.stdout.is_empty());
    Ok(())
}
