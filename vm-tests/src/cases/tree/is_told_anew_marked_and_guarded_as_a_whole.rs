//! `changeconfig` and `sentsync` are asked of the top, and the tree follows: after the target was renamed, and after the marks were lost. A gate that is closed makes the whole tree
//! read-only.

use anyhow::{Result, ensure};

use crate::cases::grove::{CHILDREN, VOLUME, paired};
use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::{Lab, SRC};

const MOVED: &str = "dst/moved";

pub fn run(lab: &Lab) -> Result<()> {
    paired(lab, "localhost")?;
    let all = [&CHILDREN[..], &[VOLUME]].concat();
    lab.zfs(&["rename", TARGET, MOVED]).ok()?;
    lab.zrep(&["sync", SOURCE]).exits(1)?;
    lab.zrep(&["changeconfig", SOURCE, "localhost", MOVED]).ok()?;
    lab.zrep(&["changeconfig", "-d", MOVED, "localhost", SOURCE]).ok()?;
    let pair = Pair::known(lab, SOURCE, MOVED);
    pair.child("one/deep one").write("file", "after the move")?;
    pair.sync()?;
    pair.same_trees(&all)?;

    for side in [SOURCE, MOVED] {
        for snapshot in lab.snapshots(side)? {
            lab.zfs(&["inherit", "zrep:sent", &snapshot.name]).ok()?;
        }
    }
    lab.zrep(&["sentsync", "src/a b@zrep_000001"]).ok()?;
    let last = lab.zrep(&["getlastsent", SOURCE]).ok()?;
    ensure!(last.stdout == "src/a b@zrep_000001\n", "{last}");
    pair.child("two").write("file", "after the marks")?;
    pair.sync()?;
    pair.same_trees(&all)?;
    pair.same_files(&CHILDREN)?;

    lab.zfs(&["set", "zrep:gate=strict", SRC]).ok()?;
    lab.zfs(&["rename", MOVED, "dst/away"]).ok()?;
    lab.zrep(&["gate", "all"]).exits(1)?;
    is_readonly(&pair, &all, "on")?;
    lab.zfs(&["rename", "dst/away", MOVED]).ok()?;
    lab.zrep(&["gate", "all"]).ok()?.says("is the master")?;
    is_readonly(&pair, &all, "off")?;
    pair.sync()?;
    pair.same_trees(&all)
}

fn is_readonly(pair: &Pair<'_>, children: &[&str], expected: &str) -> Result<()> {
    for child in children {
        let source = pair.child(child).source;
        let found = pair.lab.property(&source, "readonly")?.value;
        ensure!(found == expected, "{source}: readonly={found}");
    }
    Ok(())
}
