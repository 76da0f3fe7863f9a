//! A failover of a tree makes all of it writable on one side and read-only on the other, mounted on both; and back, by increments.

use anyhow::{Result, ensure};

use crate::cases::grove::{CHILDREN, VOLUME, paired};
use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = paired(lab, "localhost")?;
    // One that says for itself that it can be written to follows its top, too.
    lab.zfs(&["set", "readonly=off", "src/a b/two"]).ok()?;
    turn(lab, &pair)?;
    turn(lab, &pair.turned())?;
    turn(lab, &pair)?;
    lab.zrep(&["takeover", SOURCE]).ok()?;
    pair.has_roles()?;
    pair.sync()?;
    pair.same_trees(&[&CHILDREN[..], &[VOLUME]].concat())?;
    pair.same_files(&CHILDREN)
}

fn turn(lab: &Lab, pair: &Pair<'_>) -> Result<()> {
    for child in CHILDREN {
        pair.child(child).write("file", format!("{child} of {}", pair.source))?;
    }
    let turned = lab.zrep(&["failover", &pair.source]).ok()?;
    ensure!(!turned.stdout.contains("in full"), "{}", turned.stdout);
    let turned = pair.turned();
    turned.has_roles()?;
    for child in [&CHILDREN[..], &[VOLUME]].concat() {
        let child = turned.child(child);
        let readonly = |name: &str| -> Result<String> { Ok(lab.property(name, "readonly")?.value) };
        ensure!(readonly(&child.source)? == "off", "{} is read-only", child.source);
        ensure!(readonly(&child.target)? == "on", "{} can be written to", child.target);
        if !child.source.ends_with("volume") {
            child.write("written by the master", "now")?;
            ensure!(
                lab.write(&child.target, "written by the replica", "now").is_err(),
                "{} can be written to",
                child.target
            );
        }
    }
    lab.zrep(&["sync", &turned.source]).ok()?;
    turned.same_trees(&[&CHILDREN[..], &[VOLUME]].concat())?;
    ensure!([SOURCE, TARGET].contains(&turned.source.as_str()));
    Ok(())
}
