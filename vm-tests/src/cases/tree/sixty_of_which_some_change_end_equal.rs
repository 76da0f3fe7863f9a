//! A rename, a new child, a destroyed child and one that was written to on the other side, all between two syncs of a tree of sixty: the one that cannot be
//! replicated is named, all others are; what was destroyed on the source is kept, by force, too.

use anyhow::{Result, ensure};

use crate::cases::grove::grow;
use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let names: Vec<String> = (0..59).map(|number| format!("d{number:02}")).collect();
    lab.create(SOURCE)?;
    for name in &names {
        lab.zfs(&["create", &format!("{SOURCE}/{name}")]).ok()?;
    }
    lab.zrep(&["-R", "init", SOURCE, "localhost", TARGET]).ok()?;
    let pair = Pair::known(lab, SOURCE, TARGET);

    for name in &names {
        pair.child(name).write("file", name)?;
    }
    lab.zfs(&["rename", "src/a b/d07", "src/a b/renamed"]).ok()?;
    grow(lab, "src/a b/d05/new")?;
    lab.zfs(&["destroy", "-r", "src/a b/d20"]).ok()?;
    let busy = pair.child("d30");
    lab.zfs(&["set", "readonly=off", &busy.target]).ok()?;
    lab.zfs(&["mount", &busy.target]).ok()?;
    lab.write(&busy.target, "mine", "written here")?;
    lab.zfs(&["inherit", "readonly", &busy.target]).ok()?;

    lab.zrep(&["sync", SOURCE]).fails()?.says(&busy.target)?;
    let gone = ["d07", "d20", "d30"];
    let well: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !gone.contains(name))
        .chain(["renamed", "d05/new"])
        .collect();
    pair.same_trees(&well)?;
    ensure!(!lab.exists("dst/copy of a b/d07"));
    ensure!(lab.exists("dst/copy of a b/d20@zrep_000000"));
    ensure!(
        lab.snapshots(&busy.source)?.len() == 1,
        "the snapshot that did not arrive is left"
    );
    lab.zrep(&["status", "-a"])
        .ok()?
        .says("dst/copy of a b/d20: was not part of the last sync")?;

    lab.zrep(&["sync", "-f", SOURCE]).ok()?;
    pair.same_trees(&[&well[..], &["d30"]].concat())?;
    ensure!(
        lab.exists("dst/copy of a b/d20@zrep_000000"),
        "-f has destroyed what only the target has"
    );
    pair.same_files(&["d30", "renamed", "d05/new"])?;
    pair.unlocked()
}
