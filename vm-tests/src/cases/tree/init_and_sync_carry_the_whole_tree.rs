//! What is below the source arrives with it, at any depth, volumes as well; nothing is set on the children of the replica, and none of them is mounted.

use anyhow::{Result, ensure};

use crate::cases::grove::{CHILDREN, VOLUME, grow, paired, txg};
use crate::cases::pair::{SOURCE, TARGET, expect_marks, expect_property, write_volume};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = paired(lab, "localhost")?;
    expect_property(lab, SOURCE, "zrep:recursive", "yes", "local")?;
    expect_property(lab, TARGET, "zrep:recursive", "yes", "received")?;
    grow(lab, "src/a b/one/young")?;
    for round in 0..7 {
        for child in CHILDREN {
            pair.child(child).write("file", format!("{child} in round {round}"))?;
        }
        write_volume("src/a b/a volume", round << 20, &[7; 4096])?;
        pair.sync()?;
        pair.same_trees(&[&CHILDREN[..], &[VOLUME, "one/young"]].concat())?;
    }
    pair.same_files(&CHILDREN)?;
    for child in [&CHILDREN[..], &[VOLUME, "one/young"]].concat() {
        let child = pair.child(child);
        expect_marks(lab, &child.target, &[])?;
        ensure!(
            lab.property(&child.target, "readonly")?.value == "on",
            "{}",
            child.target
        );
        if !child.source.ends_with("volume") {
            expect_property(lab, &child.target, "mounted", "no", "-")?;
        }
        ensure!(lab.snapshots(&child.target)?.len() == 5, "{}", child.target);
        ensure!(lab.snapshots(&child.source)?.len() == 5, "{}", child.source);
        let [top, own] = [pair.newest(SOURCE)?, pair.newest(&child.source)?];
        ensure!(
            txg(lab, &top)? == txg(lab, &own)?,
            "{own:?} is not of the transaction of {top:?}"
        );
    }
    pair.marked()?;
    pair.unlocked()
}
