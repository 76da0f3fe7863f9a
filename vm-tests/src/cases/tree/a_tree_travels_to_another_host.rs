//! Over ssh: pushed, pulled, turned from either side, with a rename and a new child in between.

use anyhow::Result;

use crate::cases::grove::{CHILDREN, VOLUME, grow, paired};
use crate::cases::pair::{SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    let pair = paired(lab, "beta")?;
    pair.child("one").write("file", "pushed")?;
    pair.sync()?;
    pair.child("two").write("file", "pulled")?;
    peer.zrep(&["refresh", TARGET]).ok()?;
    let all = [&CHILDREN[..], &[VOLUME]].concat();
    pair.same_trees(&all)?;
    pair.same_files(&CHILDREN)?;

    lab.zfs(&["rename", "src/a b/two", "src/a b/three"]).ok()?;
    grow(lab, "src/a b/one/young")?;
    lab.zrep(&["failover", SOURCE]).ok()?;
    let all = ["one", "one/deep one", "three", VOLUME, "one/young"];
    pair.same_trees(&all)?;
    peer.write(lab, "dst/copy of a b/three", "file", "written on beta")?;
    peer.zrep(&["sync", TARGET]).ok()?;
    pair.turned().same_trees(&all)?;
    lab.zrep(&["takeover", SOURCE]).ok()?;
    expect_property(lab, SOURCE, "zrep:master", "yes", "local")?;
    pair.child("three").write("file", "back on alpha")?;
    pair.sync()?;
    pair.same_trees(&all)
}
