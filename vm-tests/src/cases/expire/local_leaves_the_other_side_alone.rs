//! `expire -L` works on the side it was asked on; asked on the target, so does `expire`.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.sync()?;
    pair.sync()?;
    let all = ["zrep_000000", "zrep_000001", "zrep_000002"];
    for side in [SOURCE, TARGET] {
        lab.zfs(&["set", "zrep:savecount=1", side]).ok()?;
    }
    lab.zrep(&["expire", "-L", SOURCE]).ok()?;
    pair.has(SOURCE, &all[2..])?;
    pair.has(TARGET, &all)?;
    lab.zfs(&["set", "zrep:savecount=2", TARGET]).ok()?;
    lab.zrep(&["expire", TARGET]).ok()?;
    pair.has(SOURCE, &all[2..])?;
    pair.has(TARGET, &all[1..])?;
    pair.unlocked()?;
    pair.sync()?;
    pair.same()
}
