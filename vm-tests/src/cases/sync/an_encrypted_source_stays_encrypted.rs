//! What is encrypted on the source is sent as it is: the target has no key and needs
//! none, and whoever brings the key finds the same files there.

use std::fs;

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let key = lab.dir().join("key");
    fs::write(&key, Chance::new().bytes(32))?;
    let location = format!("keylocation=file://{}", key.display());
    let options = ["-o", "encryption=on", "-o", "keyformat=raw", "-o", &location];
    lab.zfs(&[&["create"], &options[..], &[SOURCE]].concat()).ok()?;
    lab.write(SOURCE, "file", "a secret")?;
    let pair = Pair::init(lab, SOURCE, TARGET)?;
    for round in ["one", "two", "three"] {
        pair.write(round, round)?;
        pair.sync()?;
    }
    ensure!(
        lab.property(TARGET, "encryption")?.value != "off",
        "the target is not encrypted"
    );
    ensure!(
        lab.property(TARGET, "keystatus")?.value == "unavailable",
        "the target has a key"
    );
    lab.zfs(&["mount", TARGET]).fails()?;

    let from = format!("file://{}", key.display());
    lab.zfs(&["load-key", "-L", &from, TARGET]).ok()?;
    pair.same()?;
    pair.marked()
}
