//! A replica's tree that was mounted before the failover is mounted read-only, each of its filesystems by itself. It becomes writable where it is, with one
//! mounted in another, and while a file of it is open.

use std::fs;

use anyhow::{Result, ensure};

use crate::cases::grove::{CHILDREN, paired};
use crate::cases::pair::{SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = paired(lab, "localhost")?;
    lab.zfs(&["mount", TARGET]).ok()?;
    for child in CHILDREN {
        let child = pair.child(child);
        lab.zfs(&["mount", &child.target]).ok()?;
        expect_property(lab, &child.target, "readonly", "on", "inherited from dst/copy of a b")?;
    }
    let open = fs::File::open(lab.mountpoint("dst/copy of a b/one")?.join("file"))?;
    lab.zrep(&["failover", SOURCE]).ok()?;
    let turned = pair.turned();
    turned.has_roles()?;
    for child in CHILDREN {
        let child = turned.child(child);
        child.write("file", "by the new master")?;
        ensure!(
            lab.property(&child.source, "readonly")?.value == "off",
            "{}",
            child.source
        );
    }
    drop(open);
    lab.zrep(&["sync", TARGET]).ok()?;
    turned.same_trees(&CHILDREN)?;
    turned.same_files(&CHILDREN)
}
