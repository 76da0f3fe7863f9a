//! `uptodate` succeeds only while nothing was written since the last *sent* snapshot: a snapshot that somebody else made in between does not make it so.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, write_volume};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    // Reading a file would count as writing.
    lab.zfs(&["set", "atime=off", SOURCE]).ok()?;
    pair.sync()?;
    is(lab, SOURCE, 0)?;
    is(lab, TARGET, 0)?;
    pair.write("file", "a moment ago")?;
    is(lab, SOURCE, 1)?;
    lab.zfs(&["snapshot", "src/a b@daily"]).ok()?;
    is(lab, SOURCE, 1)?;
    pair.sync()?;
    is(lab, SOURCE, 0)?;

    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    Pair::init(lab, VOLUME, "dst/its copy")?;
    is(lab, VOLUME, 0)?;
    write_volume(VOLUME, 0, &[7; 4096])?;
    is(lab, VOLUME, 1)?;
    lab.zfs(&["inherit", "zrep:sent", "src/a volume@zrep_000000"]).ok()?;
    is(lab, VOLUME, 1)
}

fn is(lab: &Lab, dataset: &str, code: i32) -> Result<()> {
    let said = lab.zrep(&["uptodate", dataset]).exits(code)?;
    ensure!(said.stdout.is_empty(), "it has nothing to say: {said}");
    Ok(())
}
