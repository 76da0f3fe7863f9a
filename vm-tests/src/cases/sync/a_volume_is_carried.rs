//! A volume's changed blocks arrive, and its target stays read-only.

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::pair::{Pair, expect_property, volume_digest, write_volume};
use crate::fixture::Lab;

const SOURCE: &str = "src/a volume";
const TARGET: &str = "dst/its copy";

pub fn run(lab: &Lab) -> Result<()> {
    let mut chance = Chance::new();
    lab.zfs(&["create", "-s", "-V", "64M", SOURCE]).ok()?;
    let pair = Pair::init(lab, SOURCE, TARGET)?;
    for round in 1..4 {
        write_volume(SOURCE, chance.below(60 << 20), &chance.bytes(2 << 20))?;
        pair.sync()?;
        let [ours, theirs] = [
            volume_digest(lab, SOURCE)?,
            volume_digest(lab, &format!("{TARGET}@zrep_00000{round}"))?,
        ];
        ensure!(ours == theirs, "round {round}: the volumes differ");
    }
    pair.marked()?;
    expect_property(lab, TARGET, "readonly", "on", "local")
}
