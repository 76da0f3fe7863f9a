//! Streams are raw, so a source whose key is not loaded is synced all the same.

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
    let pair = Pair::init(lab, SOURCE, TARGET)?;
    pair.write("file", "a secret")?;
    lab.zfs(&["unmount", SOURCE]).ok()?;
    lab.zfs(&["unload-key", SOURCE]).ok()?;
    pair.sync()?;
    let [ours, theirs] = [pair.newest(SOURCE)?, pair.newest(TARGET)?];
    ensure!(
        ours.guid == theirs.guid && ours.name.ends_with("@zrep_000001"),
        "{ours:?} {theirs:?}"
    );

    lab.zfs(&["load-key", SOURCE]).ok()?;
    lab.zfs(&["mount", SOURCE]).ok()?;
    lab.zfs(&["load-key", "-L", &format!("file://{}", key.display()), TARGET])
        .ok()?;
    pair.same()
}
