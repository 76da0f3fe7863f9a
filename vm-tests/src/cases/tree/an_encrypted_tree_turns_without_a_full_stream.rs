//! An encrypted tree is replicated raw to a side that has no key. A failover there succeeds, and says that nothing could be mounted; the key is loaded by hand, and
//! what is written then comes back, by increments alone.

use std::fs;

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::grove::grow;
use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const CHILDREN: [&str; 2] = ["one", "one/deep one"];

pub fn run(lab: &Lab) -> Result<()> {
    let key = lab.dir().join("key");
    fs::write(&key, Chance::new().bytes(32))?;
    let from = format!("file://{}", key.display());
    let location = format!("keylocation={from}");
    let options = ["-o", "encryption=on", "-o", "keyformat=raw", "-o", &location];
    lab.zfs(&[&["create"], &options[..], &[SOURCE]].concat()).ok()?;
    for child in CHILDREN {
        grow(lab, &format!("{SOURCE}/{child}"))?;
    }
    lab.zrep(&["-R", "init", SOURCE, "localhost", TARGET]).ok()?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    pair.child("one").write("file", "a secret")?;
    pair.sync()?;
    let targets: Vec<String> = [TARGET.to_owned()]
        .into_iter()
        .chain(CHILDREN.map(|child| format!("{TARGET}/{child}")))
        .collect();
    for target in &targets {
        ensure!(
            lab.property(target, "keystatus")?.value == "unavailable",
            "{target} has a key"
        );
    }
    let guids = guids(lab, &targets)?;

    let mut said = lab.zrep(&["failover", SOURCE]).ok()?;
    for target in &targets {
        said = said.says(&format!("could not mount {target}: "))?.says(&format!(
            "It is the master all the same; when that is cured, `zfs mount '{target}'` brings it up."
        ))?;
    }
    for target in &targets {
        if lab.property(target, "keystatus")?.value == "unavailable" {
            lab.zfs(&["load-key", "-L", &from, target]).ok()?;
        }
        lab.zfs(&["mount", target]).ok()?;
    }
    ensure!(lab.read(&targets[1], "file")? == b"a secret");
    let turned = pair.turned();
    turned.child("one").write("file", "written with the key")?;
    lab.zrep(&["sync", TARGET]).ok()?;
    turned.same_trees(&CHILDREN)?;
    lab.zrep(&["failover", TARGET]).ok()?;
    ensure!(lab.read("src/a b/one", "file")? == b"written with the key");
    pair.child("one/deep one").write("file", "back")?;
    pair.sync()?;
    pair.same_trees(&CHILDREN)?;
    ensure!(guids == self::guids(lab, &targets)?, "a target was made anew");
    Ok(())
}

fn guids(lab: &Lab, names: &[String]) -> Result<Vec<String>> {
    names.iter().map(|name| Ok(lab.property(name, "guid")?.value)).collect()
}
