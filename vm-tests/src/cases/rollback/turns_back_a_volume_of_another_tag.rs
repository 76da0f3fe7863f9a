//! A volume goes back, too, and that of another tag; what the other tag's pair has stays.

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::pair::{Pair, volume_digest, write_volume};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";
const TARGET: &str = "dst/its copy";

pub fn run(lab: &Lab) -> Result<()> {
    let mut chance = Chance::new();
    lab.zfs(&["create", "-s", "-V", "32M", VOLUME]).ok()?;
    write_volume(VOLUME, 0, &chance.bytes(1 << 20))?;
    Pair::init(lab, VOLUME, "dst/of the first tag")?;
    lab.zrep(&["-t", "uk", "init", VOLUME, "localhost", TARGET]).ok()?;
    let before = volume_digest(lab, &format!("{VOLUME}@uk_000000"))?;
    write_volume(VOLUME, 5 << 20, &chance.bytes(1 << 20))?;
    lab.zrep(&["-t", "uk", "sync", VOLUME]).ok()?;
    lab.zrep(&["-t", "uk", "sync", "src/a volume@uk_000000"]).ok()?;
    let pair = Pair::known(lab, VOLUME, TARGET);
    pair.has(TARGET, &["uk_000000"])?;
    ensure!(
        volume_digest(lab, TARGET)? == before,
        "the volume differs from its snapshot"
    );
    pair.has("dst/of the first tag", &["zrep_000000"])?;
    lab.zrep(&["-t", "uk", "sync", VOLUME]).ok()?;
    pair.has(TARGET, &["uk_000000", "uk_000002"])
}
