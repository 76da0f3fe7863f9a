//! A volume that nothing was written to since its last sync steps down without `-f`, and so does the pair of another tag.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, write_volume};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";
const SECOND: &str = "dst/copy for the uk";

pub fn run(lab: &Lab) -> Result<()> {
    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    write_volume(VOLUME, 0, &[7; 65536])?;
    let pair = Pair::init(lab, VOLUME, "dst/its copy")?;
    lab.zrep(&["failover", "-L", VOLUME]).ok()?;
    lab.zrep(&["takeover", "-L", "dst/its copy"]).ok()?;
    let turned = pair.turned();
    turned.sync()?;
    turned.has_roles()?;

    lab.create(SOURCE)?;
    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", SECOND]).ok()?;
    lab.zrep(&["-t", "uk", "failover", "-L", "-f", SOURCE]).ok()?;
    lab.zrep(&["-t", "uk", "takeover", "-L", SECOND]).ok()?;
    lab.zrep(&["-t", "uk", "sync", SECOND]).ok()?;
    Ok(())
}
