//! What `_refreshpull` writes, a `zfs receive` takes: one stream, and several as a package, of a filesystem, a volume and another tag. `_refreshcomplete` marks it.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property, write_volume};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";
const SECOND: &str = "dst/copy for the uk";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("file", "one")?;
    pull(lab, "", SOURCE, TARGET)?;
    pair.same()?;
    expect_property(lab, "src/a b@zrep_000001", "zrep:sent", "1795372017", "local")?;

    for turn in ["two", "three"] {
        pair.write("file", turn)?;
        lab.zfs(&["snapshot", &format!("src/a b@of-mine-{turn}")]).ok()?;
    }
    pair.write("file", "four")?;
    pull(lab, "", SOURCE, TARGET)?;
    pair.same()?;
    pair.has(
        TARGET,
        &[
            "zrep_000000",
            "zrep_000001",
            "of-mine-two",
            "of-mine-three",
            "zrep_000002",
        ],
    )?;
    pair.unlocked()?;

    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    let volume = Pair::init(lab, VOLUME, "dst/its copy")?;
    write_volume(VOLUME, 0, &[7; 65536])?;
    pull(lab, "", VOLUME, "dst/its copy")?;
    ensure!(volume.newest(VOLUME)?.guid == volume.newest("dst/its copy")?.guid);

    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", SECOND]).ok()?;
    lab.zfs(&["snapshot", "src/a b@another"]).ok()?;
    pull(lab, "-t uk", SOURCE, SECOND)?;
    pair.has(SECOND, &["uk_000000", "uk_000001"])
}

/// What shell zrep's refresh does.
fn pull(lab: &Lab, flags: &str, source: &str, target: &str) -> Result<()> {
    let tag = if flags.is_empty() { "zrep" } else { "uk" };
    lab.sh(&format!(
        "name=$(zrep {flags} snaponly '{source}')
         zrep {flags} -D _refreshpull \"$name\" 2>/dev/null | zfs receive '{target}'
         zrep {flags} _refreshcomplete \"$name\" {tag}:sent=1795372017"
    ))
    .ok()?;
    Ok(())
}
