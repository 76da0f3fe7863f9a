//! Somebody has written to the target: a sync refuses, and `-f` says what it discards. What lies beside and in the target is not touched.

use anyhow::{Context, Result, ensure};

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";
const OTHERS: [&str; 3] = ["dst/a copy/child", "dst/a copy too", "dst/other"];

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.zfs(&["set", "readonly=off", TARGET]).ok()?;
    lab.zfs(&["mount", TARGET]).ok()?;
    lab.write(TARGET, "mine", "written here")?;
    for other in OTHERS {
        lab.create(other)?;
        lab.write(other, "file", "kept")?;
        lab.zfs(&["snapshot", &format!("{other}@kept")]).ok()?;
        lab.write(other, "later", "kept, too")?;
    }
    lab.write(SOURCE, "new", "new")?;
    for args in [vec!["sync", SOURCE], vec!["failover", SOURCE]] {
        lab.refuses(&args, "target dst/a copy: ")?
            .finds("newer than its newest common snapshot")?
            .helps("zrep sync -f")?;
    }
    let before = others(lab)?;
    let forced = lab.zrep(&["sync", "-f", SOURCE]).ok()?;
    ensure!(
        forced.stderr.contains("dst/a copy: rolling back to @zrep_000000") && forced.stderr.contains("discards"),
        "{forced}"
    );
    ensure!(others(lab)? == before, "others were changed: {before}{}", others(lab)?);
    let newest = lab.snapshots(TARGET)?.pop().context("no snapshot")?.name;
    lab.checksum(&lab.mountpoint(SOURCE)?)?
        .same_as(&lab.snapshot_tree(&newest)?)
}

fn others(lab: &Lab) -> Result<String> {
    lab.zpool(&["sync"]).ok()?;
    let list = ["list", "-Hpr", "-t", "all", "-o", "name,guid,written,createtxg,mounted"];
    let mut text = String::new();
    for other in OTHERS {
        text.push_str(&lab.zfs(&[&list[..], &[other]].concat()).ok()?.stdout);
        ensure!(lab.read(other, "later")? == b"kept, too");
    }
    Ok(text)
}
