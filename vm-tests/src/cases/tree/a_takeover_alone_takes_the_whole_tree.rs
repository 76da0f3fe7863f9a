//! A takeover without the source makes all that is there writable; the old tree is fenced as a whole, and steps down where it has nothing of its own.

use anyhow::{Result, ensure};

use crate::cases::grove::{CHILDREN, VOLUME, paired};
use crate::cases::pair::{SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = paired(lab, "localhost")?;
    // Not even the time of an access is written.
    lab.zfs(&["set", "readonly=on", SOURCE]).ok()?;
    pair.sync()?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    let turned = pair.turned();
    for child in CHILDREN {
        turned.child(child).write("file", "by the new master")?;
    }
    lab.zrep(&["sync", SOURCE]).fails()?.says("was superseded")?;
    for child in [&CHILDREN[..], &[VOLUME]].concat() {
        ensure!(
            lab.property(&pair.child(child).source, "readonly")?.value == "on",
            "{child}"
        );
    }
    lab.zrep(&["rejoin", SOURCE]).ok()?;
    turned.same_trees(&[&CHILDREN[..], &[VOLUME]].concat())?;
    turned.same_files(&CHILDREN)
}
