//! A rejoin whose first sync failed is typed again. The replica that it has made counts as written to, because its base was taken while the
//! intent log was in use: that is not kept aside as if it were data. What somebody has written to it is.

use std::fs::File;

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const ASIDE: &str = "src/a b_diverged_e1";
const SECOND: &str = "src/a b_diverged_e1-2";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("file", "in the intent log")?;
    File::open(lab.mountpoint(SOURCE)?.join("file"))?.sync_all()?;
    pair.sync()?;
    pair.write("file", "only on the old master")?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;

    // Somebody holds the new master, so that nothing can be sent from there.
    let somebody = lab.idler()?;
    lab.lock(TARGET, &somebody.pid().to_string(), "now")?;
    lab.zrep(&["rejoin", SOURCE]).exits(1)?.says("lock")?;
    drop(somebody);
    let written = lab.property(SOURCE, "written")?.value;
    ensure!(written != "0", "the base has no intent log, so this shows nothing");

    lab.zrep(&["rejoin", "--dry-run", SOURCE])
        .ok()?
        .says("only if ZFS finds")?;
    lab.zrep(&["rejoin", SOURCE]).ok()?.says("brought up to date")?;
    ensure!(lab.exists(ASIDE) && !lab.exists(SECOND));
    let turned = pair.turned();
    turned.same()?;
    turned.has_roles()?;

    lab.zfs(&["set", "readonly=off", SOURCE]).ok()?;
    lab.zfs(&["mount", SOURCE]).ok()?;
    lab.write(SOURCE, "file", "by mistake")?;
    lab.zfs(&["set", "readonly=on", SOURCE]).ok()?;
    lab.zrep(&["rejoin", SOURCE]).ok()?.says(SECOND)?;
    lab.zfs(&["mount", SECOND]).ok()?;
    ensure!(lab.read(SECOND, "file")? == b"by mistake");
    turned.same()
}
