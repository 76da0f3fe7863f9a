//! A tree that was written to behind a forced takeover rejoins: all of it is kept aside as it was, and what the new master has grows anew from the last
//! states that both have, without a full stream.

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::grove::{CHILDREN, VOLUME, grow, paired};
use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

const ASIDE: &str = "src/a b_diverged_e1";
const DEEP: &str = "one/deep one";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = paired(lab, "localhost")?;
    pair.child("two").write("big", Chance::new().bytes(4 << 20))?;
    pair.sync()?;
    let turned = diverged(lab, &pair)?;

    let said = lab.zrep(&["rejoin", SOURCE]).ok()?;
    said.says(&format!("kept as {ASIDE}"))?;
    turned.same_trees(&[&CHILDREN[..], &[VOLUME]].concat())?;
    turned.same_files(&CHILDREN)?;
    turned.has_roles()?;
    expect_property(lab, SOURCE, "zrep:recursive", "yes", "local")?;
    ensure!(!lab.exists("src/a b/late"), "late was never replicated");
    let copied = lab.property("src/a b/two", "used")?.value;
    ensure!(
        copied.parse::<u64>()? > 4 << 20,
        "the snapshots are the replica's: {copied}"
    );

    is_kept(lab)?;
    lab.zrep(&["rejoin", SOURCE]).ok()?;
    ensure!(
        !lab.exists(&format!("{ASIDE}-2")),
        "nothing was kept aside a second time"
    );
    lab.zfs(&["destroy", "-r", ASIDE]).ok()?;

    lab.zrep(&["failover", TARGET]).ok()?;
    ensure!(lab.read(&pair.child(DEEP).source, "file")? == b"by the new master");
    pair.child(DEEP).write("file", "goes on")?;
    pair.sync()?;
    pair.same_trees(&CHILDREN)
}

/// Both sides are written to, and the old master is fenced.
fn diverged<'a>(lab: &'a Lab, pair: &Pair<'a>) -> Result<Pair<'a>> {
    pair.child(DEEP).write("file", "only on the old master")?;
    lab.zfs(&["snapshot", "src/a b/two@mine"]).ok()?;
    grow(lab, "src/a b/late")?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    let turned = pair.turned();
    turned.child(DEEP).write("file", "by the new master")?;
    lab.zrep(&["sync", SOURCE]).fails()?.says("was superseded")?;
    lab.zrep(&["rejoin", "--dry-run", SOURCE])
        .ok()?
        .says("promote src/a b/one/deep one")?;
    Ok(turned)
}

/// What only the old master had is there under its own name, and stays out of the replica's mountpoints.
fn is_kept(lab: &Lab) -> Result<()> {
    for (child, data) in [(DEEP, "only on the old master"), ("late", "src/a b/late")] {
        let kept = format!("{ASIDE}/{child}");
        expect_property(lab, &kept, "mounted", "no", "-")?;
        expect_property(lab, &kept, "canmount", "noauto", "local")?;
        lab.zfs(&["mount", &kept]).ok()?;
        ensure!(lab.read(&kept, "file")? == data.as_bytes(), "{kept}");
        lab.zfs(&["unmount", &kept]).ok()?;
    }
    ensure!(lab.exists(&format!("{ASIDE}/two@mine")));
    for property in ["zrep:dest-fs", "zrep:recursive", "zrep:master"] {
        expect_property(lab, ASIDE, property, "-", "-")?;
    }
    expect_property(lab, ASIDE, "readonly", "on", "local")
}
