//! `list DATASET` names those of its operands that are paired. One that is not there is an error, and does not stop the others.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    Pair::new(lab)?;
    lab.create("src/unpaired")?;
    lab.zfs(&["create", "-o", "canmount=off", "src/a b/child"]).ok()?;
    for (args, expected) in [
        (&["list", SOURCE, TARGET][..], format!("{SOURCE}\n{TARGET}\n")),
        (&["list", "src/unpaired", "src/a b/child"], String::new()),
        (&["-l", "-L", SOURCE, TARGET], format!("{SOURCE}\n")),
    ] {
        let said = lab.zrep(args).ok()?;
        ensure!(said.stdout == expected, "expected {expected:?}: {said}");
    }
    let said = lab.zrep(&["list", "src/nothing", SOURCE]).exits(1)?;
    ensure!(said.stdout == format!("{SOURCE}\n"), "{said}");
    said.says("src/nothing: dataset does not exist")?;
    Ok(())
}
