//! `snaponly` makes one atomic snapshot of the tree, and says the top's name; `synconly` sends that of each child, and no more. A child that came later goes
//! with the next sync.

use anyhow::{Result, ensure};

use crate::cases::grove::{CHILDREN, grow, paired, txg};
use crate::cases::pair::SOURCE;
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = paired(lab, "localhost")?;
    for (args, short) in [
        (&["-R", "snaponly", SOURCE][..], "zrep_000001"),
        (&["snaponly", "all"], "zrep_000002"),
    ] {
        for child in CHILDREN {
            lab.write(&format!("{SOURCE}/{child}"), short, child)?;
        }
        let said = lab.zrep(args).ok()?.stdout.clone();
        ensure!(said == format!("{SOURCE}@{short}\n"), "{said:?}");
        let of_top = txg(lab, &pair.newest(SOURCE)?)?;
        for child in CHILDREN {
            let newest = pair.newest(&pair.child(child).source)?;
            ensure!(
                newest.name.ends_with(short) && txg(lab, &newest)? == of_top,
                "{newest:?}"
            );
        }
    }
    grow(lab, "src/a b/late")?;
    lab.write("src/a b/two", "file", "written behind the snapshot")?;

    lab.zrep(&["-R", "synconly", SOURCE])
        .ok()?
        .says("src/a b/late has no @zrep_000002: the next sync takes it along.")?;
    pair.same_trees(&CHILDREN)?;
    pair.same_files(&CHILDREN)?;
    for name in ["zrep_000001", "zrep_000002"] {
        ensure!(
            pair.shorts("dst/copy of a b/one/deep one")?.contains(&name.to_owned()),
            "{name}"
        );
    }
    ensure!(!lab.exists("dst/copy of a b/late"));
    lab.zrep(&["synconly", SOURCE]).ok()?.says("zrep_000002 already sent")?;

    // What did not arrive with its tree is sent by itself.
    lab.zfs(&["destroy", "dst/copy of a b/two@zrep_000002"]).ok()?;
    lab.zfs(&["rollback", "dst/copy of a b/two@zrep_000001"]).ok()?;
    lab.zrep(&["synconly", SOURCE]).ok()?.says("synced to")?;
    pair.same_trees(&CHILDREN)?;
    pair.sync()?;
    pair.same_trees(&[&CHILDREN[..], &["late"]].concat())?;
    pair.same_files(&CHILDREN)
}
