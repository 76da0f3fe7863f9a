//! `failover -f` rolls the target back to the last common snapshot before the last sync, as `sync -f` does, and tells what that discards: of a filesystem, of a volume
//! of another tag, and of a tree.

use anyhow::Result;

use crate::cases::grove::grow;
use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property, write_volume};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";
const COPY: &str = "dst/its copy";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zfs(&["snapshot", &format!("{TARGET}@mine")]).ok()?;
    pair.write("file", "new")?;
    lab.zrep(&["failover", SOURCE]).exits(1)?.says("does not have")?;
    pair.has_roles()?;
    lab.zrep(&["failover", "-f", SOURCE]).ok()?.says("mine")?;
    let turned = pair.turned();
    turned.has_roles()?;
    turned.sync()?;
    turned.same()?;
    of_a_volume(lab)?;
    of_a_tree(lab)
}

fn of_a_volume(lab: &Lab) -> Result<()> {
    let uk = |args: &[&str]| lab.zrep(&[&["-t", "uk"], args].concat());
    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    uk(&["init", VOLUME, "localhost", COPY]).ok()?;
    lab.zfs(&["snapshot", &format!("{COPY}@mine")]).ok()?;
    write_volume(VOLUME, 0, &[7; 65536])?;
    uk(&["failover", VOLUME]).exits(1)?.says("does not have")?;
    uk(&["failover", "-f", VOLUME]).ok()?.says("1 snapshot (mine)")?;
    expect_property(lab, COPY, "uk:master", "yes", "local")?;
    uk(&["sync", COPY]).ok()?;
    Pair::known(lab, COPY, VOLUME).same_snapshots()
}

/// One child of it is what was written to.
fn of_a_tree(lab: &Lab) -> Result<()> {
    grow(lab, "src/tree")?;
    grow(lab, "src/tree/one")?;
    lab.zrep(&["-R", "init", "src/tree", "localhost", "dst/tree"]).ok()?;
    lab.zfs(&["snapshot", "dst/tree/one@mine"]).ok()?;
    lab.zrep(&["failover", "src/tree"]).exits(1)?.says("does not have")?;
    lab.zrep(&["failover", "-f", "src/tree"])
        .ok()?
        .says("1 snapshot (mine)")?;
    let turned = Pair::known(lab, "dst/tree", "src/tree");
    turned.has_roles()?;
    turned.child("one").write("file", "by the new master")?;
    turned.sync()?;
    turned.same_trees(&["one"])
}
