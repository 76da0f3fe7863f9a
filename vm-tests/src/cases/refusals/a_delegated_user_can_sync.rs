//! The rights that the refusal names are all that a user needs to sync, expiry included.

use anyhow::{Result, ensure};

use super::an_unprivileged_user_may_nothing::as_nobody;
use crate::fixture::Lab;
use crate::fixture::output::Output;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.sh("chmod 666 /dev/zfs").ok()?;
    let refused = lab.refuses_as(&mut as_nobody(&["sync", SOURCE]), "source src/a b")?;
    for command in refused.commands() {
        let words = command
            .replace("USER", "nobody")
            .replace("SOURCE", "'src/a b'")
            .replace("TARGET", "'dst/a copy'");
        lab.sh(&words).ok()?;
    }
    for dataset in [SOURCE, TARGET] {
        lab.zfs(&["set", "zrep:savecount=1", dataset]).ok()?;
    }
    for contents in ["one", "two", "three"] {
        lab.write(SOURCE, "changed", contents)?;
        Output::of(&mut as_nobody(&["sync", SOURCE])).ok()?;
    }
    let (source, target) = (lab.snapshots(SOURCE)?, lab.snapshots(TARGET)?);
    ensure!(
        source.len() == 1 && target.len() == 1 && source[0].guid == target[0].guid,
        "{source:?} {target:?}"
    );
    ensure!(lab.property(SOURCE, "zrep:lock-pid")?.value == "-", "a lock is left");
    lab.checksum(&lab.mountpoint(SOURCE)?)?
        .same_as(&lab.snapshot_tree(&target[0].name)?)
}
