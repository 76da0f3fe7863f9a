//! `sync all` syncs what is master here: no replica, no child that only inherits the
//! properties, and no dataset that belongs to another host.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let ours = Pair::new(lab)?;
    // Mounted in its parent, it would hide a directory there.
    lab.zfs(&["create", "-o", "canmount=off", "src/a b/child"]).ok()?;
    lab.create("src/of another host")?;
    let theirs = Pair::init(lab, "src/of another host", "dst/of another host")?;
    lab.zfs(&["set", "zrep:src-host=elsewhere", &theirs.source]).ok()?;
    lab.create("dst/turned round")?;
    let back = Pair::init(lab, "dst/turned round", "src/turned round")?;

    ours.write("file", "new")?;
    lab.zrep(&["sync", "all"]).ok()?;
    ours.has(TARGET, &["zrep_000000", "zrep_000001"])?;
    ours.has(SOURCE, &["zrep_000000", "zrep_000001"])?;
    ours.same()?;
    back.has(&back.target, &["zrep_000000", "zrep_000001"])?;
    theirs.has(&theirs.source, &["zrep_000000"])?;
    ours.has("src/a b/child", &[])
}
