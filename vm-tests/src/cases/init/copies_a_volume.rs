//! A volume gets a target of the same size with the same blocks.

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::pair::{Pair, volume_digest, write_volume};
use crate::fixture::Lab;

const SOURCE: &str = "src/a volume";
const TARGET: &str = "dst/its copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.zfs(&["create", "-V", "48M", SOURCE]).ok()?;
    write_volume(SOURCE, 3 << 20, &Chance::new().bytes(20 << 20))?;
    let pair = Pair::init(lab, SOURCE, TARGET)?;
    pair.has(TARGET, &["zrep_000000"])?;
    ensure!(lab.property(TARGET, "volsize")?.value == (48_u64 << 20).to_string());
    let [ours, theirs] = [
        volume_digest(lab, SOURCE)?,
        volume_digest(lab, "dst/its copy@zrep_000000")?,
    ];
    ensure!(ours == theirs, "the volumes differ: {ours}, {theirs}");
    let empty = lab.sh("head -c 48M /dev/zero | sha256sum").ok()?;
    ensure!(ours != empty.stdout, "there is nothing in the volume");
    Ok(())
}
