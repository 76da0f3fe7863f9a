//! A volume's new master can be written to, its old one cannot, and it replicates back.

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::pair::{Pair, device_of, volume_digest, write_volume};
use crate::fixture::Lab;

const SOURCE: &str = "src/a volume";
const TARGET: &str = "dst/its copy";

pub fn run(lab: &Lab) -> Result<()> {
    let mut chance = Chance::new();
    lab.zfs(&["create", "-s", "-V", "32M", SOURCE]).ok()?;
    write_volume(SOURCE, 0, &chance.bytes(1 << 20))?;
    let pair = Pair::init(lab, SOURCE, TARGET)?;
    write_volume(SOURCE, 5 << 20, &chance.bytes(1 << 20))?;
    let before = volume_digest(lab, SOURCE)?;
    lab.zrep(&["failover", SOURCE]).ok()?;

    let turned = pair.turned();
    turned.has_roles()?;
    ensure!(volume_digest(lab, TARGET)? == before, "the volumes differ");
    let refused = lab.sh(&format!(
        "dd if=/dev/zero of='{}' bs=1M count=1 oflag=direct",
        device_of(SOURCE).display()
    ));
    refused.fails()?;
    write_volume(TARGET, 9 << 20, &chance.bytes(1 << 20))?;
    turned.sync()?;
    turned.marked()?;
    let [ours, theirs] = [
        volume_digest(lab, TARGET)?,
        volume_digest(lab, "src/a volume@zrep_000002")?,
    ];
    ensure!(
        ours == theirs && ours != before,
        "the volumes differ after the sync back"
    );
    Ok(())
}
