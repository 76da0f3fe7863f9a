//! Of a volume with two pairings `clear` takes the one of its tag; the other one goes on.

use anyhow::Result;

use crate::cases::pair::{Pair, expect_property, write_volume};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";
const SECOND: &str = "dst/for the uk";

pub fn run(lab: &Lab) -> Result<()> {
    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    let first = Pair::init(lab, VOLUME, "dst/its copy")?;
    lab.zrep(&["-t", "uk", "init", VOLUME, "localhost", SECOND]).ok()?;
    lab.zrep(&["-t", "uk", "clear", "-f", VOLUME]).ok()?;
    lab.zrep(&["-t", "uk", "clear", "-f", SECOND]).ok()?;
    first.has(VOLUME, &["zrep_000000"])?;
    first.has(SECOND, &[])?;
    lab.zrep(&["-t", "uk", "sync", VOLUME])
        .exits(1)?
        .says("has no uk pairing")?;
    expect_property(lab, VOLUME, "zrep:master", "yes", "local")?;
    write_volume(VOLUME, 0, &[7; 65536])?;
    first.sync()?;
    first.same_snapshots()
}
