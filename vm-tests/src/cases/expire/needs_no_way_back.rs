//! A replica expires although its master's machine cannot be reached from there, and a master expires alone: shell zrep on the other side asks for both, and need
//! not let anybody in.

use anyhow::Result;

use crate::cases::far::pair_with_beta;
use crate::cases::pair::{SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    pair.sync()?;
    pair.sync()?;
    for side in [SOURCE, TARGET] {
        lab.zfs(&["set", "zrep:savecount=1", side]).ok()?;
    }
    lab.peer()?.cut_network()?;
    lab.peer()?
        .sh(&format!("SSH='ssh -o ConnectTimeout=2' zrep expire '{TARGET}'"))
        .ok()?;
    pair.has(TARGET, &["zrep_000002"])?;
    lab.zrep_over("false", &["expire", "-L", SOURCE]).ok()?;
    pair.has(SOURCE, &["zrep_000002"])?;
    lab.peer()?.restore_network()?;
    pair.sync()?;
    pair.same_far()
}
