//! `--raw` is for who wants nothing but ciphertext to leave: a source in the clear is refused, an encrypted one is sent as ever.

use std::fs;

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("src/clear")?;
    lab.refuses(
        &["init", "--raw", "src/clear", "localhost", "dst/clear"],
        "is not encrypted",
    )?
    .helps("--raw")?;

    let key = lab.dir().join("key");
    fs::write(&key, Chance::new().bytes(32))?;
    let location = format!("keylocation=file://{}", key.display());
    let options = ["-o", "encryption=on", "-o", "keyformat=raw", "-o", &location];
    lab.zfs(&[&["create"], &options[..], &[SOURCE]].concat()).ok()?;
    lab.write(SOURCE, "file", "a secret")?;
    lab.zrep(&["init", "--raw", SOURCE, "localhost", TARGET]).ok()?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    pair.write("file", "another")?;
    pair.sync()?;
    pair.marked()?;
    let found = lab.property(TARGET, "keystatus")?.value;
    ensure!(found == "unavailable", "keystatus of the target: {found}");
    Ok(())
}
