//! A target that was renamed is told to both sides by `changeconfig`, for a volume and another tag; what the default tag says of the volume stays.

use anyhow::Result;

use crate::cases::pair::{Pair, expect_property, write_volume};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";
const FIRST: &str = "dst/for the uk";
const MOVED: &str = "dst/moved";

pub fn run(lab: &Lab) -> Result<()> {
    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    Pair::init(lab, VOLUME, "dst/its copy")?;
    lab.zrep(&["-t", "uk", "init", VOLUME, "localhost", FIRST]).ok()?;
    lab.zfs(&["rename", FIRST, MOVED]).ok()?;
    lab.zrep(&["-t", "uk", "sync", VOLUME]).exits(1)?;
    lab.zrep(&["-t", "uk", "-C", VOLUME, "localhost", MOVED]).ok()?;
    lab.zrep(&["-t", "uk", "changeconfig", "-d", MOVED, "localhost", VOLUME])
        .ok()?;
    expect_property(lab, VOLUME, "zrep:dest-fs", "dst/its copy", "local")?;
    write_volume(VOLUME, 0, &[7; 65536])?;
    lab.zrep(&["-t", "uk", "sync", VOLUME]).ok()?;
    Pair::known(lab, VOLUME, MOVED).same_snapshots()
}
