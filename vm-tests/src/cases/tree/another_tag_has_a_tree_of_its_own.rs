//! `-t` and `-R` go together in every verb that takes trees: init, sync with and without `-c`, refresh, failover, takeover, expire. No mount point travels, and `-f` destroys nothing
//! that only the target has. The default tag's pairing of the top is of the top alone.

use anyhow::{Result, ensure};

use crate::cases::grove::{CHILDREN, VOLUME, plant};
use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;
use crate::fixture::output::Output;

pub fn run(lab: &Lab) -> Result<()> {
    plant(lab)?;
    let point = lab.dir().join("mounted here");
    lab.zfs(&["set", &format!("mountpoint={}", point.display()), "src/a b/two"])
        .ok()?;
    uk(lab, &["-R", "init", SOURCE, "localhost", TARGET]).ok()?;
    expect_property(lab, SOURCE, "uk:recursive", "yes", "local")?;
    ensure!(lab.mountpoint("dst/copy of a b/two")? != point);
    let pair = Pair::known(lab, SOURCE, TARGET);
    let all = [&CHILDREN[..], &[VOLUME]].concat();
    pair.child("one").write("file", "pushed")?;
    uk(lab, &["sync", "-R", "-c", SOURCE]).ok()?;
    pair.same_trees(&all)?;
    uk(lab, &["sync", "-c", SOURCE]).ok()?.says("up to date")?;
    pair.child("two").write("file", "fetched")?;
    uk(lab, &["-R", "refresh", TARGET]).ok()?;
    pair.same_trees(&all)?;
    pair.same_files(&CHILDREN)?;

    uk(lab, &["failover", SOURCE]).ok()?;
    let turned = pair.turned();
    turned.child("one/deep one").write("file", "by the new master")?;
    uk(lab, &["sync", TARGET]).ok()?;
    turned.same_trees(&all)?;
    uk(lab, &["takeover", SOURCE]).ok()?;
    expect_property(lab, SOURCE, "uk:master", "yes", "local")?;
    ensure!(lab.read("src/a b/one/deep one", "file")? == b"by the new master");

    for side in [SOURCE, TARGET] {
        lab.zfs(&["set", "uk:savecount=1", side]).ok()?;
    }
    uk(lab, &["expire", SOURCE]).ok()?;
    for name in &all {
        let child = pair.child(name);
        ensure!(lab.snapshots(&child.source)?.len() == 1, "{}", child.source);
        ensure!(lab.snapshots(&child.target)?.len() == 1, "{}", child.target);
    }
    lab.zfs(&["create", "-o", "canmount=off", "dst/copy of a b/kept"])
        .ok()?;
    lab.zfs(&["snapshot", "dst/copy of a b/kept@mine"]).ok()?;
    uk(lab, &["sync", "-f", SOURCE]).ok()?;
    pair.same_trees(&all)?;
    ensure!(lab.exists("dst/copy of a b/kept@mine"));

    lab.zrep(&["init", SOURCE, "localhost", "dst/single"]).ok()?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    ensure!(!lab.exists("dst/single/one"), "the children came along");
    Ok(())
}

fn uk(lab: &Lab, args: &[&str]) -> Output {
    lab.zrep(&[&["-t", "uk"], args].concat())
}
