//! What both sides have in common is told by guid: a name can change on either side.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for side in [SOURCE, TARGET] {
        pair.sync()?;
        let newest = pair.newest(side)?;
        lab.zfs(&[
            "rename",
            &newest.name,
            &format!("{side}@kept under another name in {}", &side[..3]),
        ])
        .ok()?;
        pair.write("file", side)?;
        let said = pair.sync()?;
        ensure!(said.stderr.is_empty(), "{said}");
        pair.same()?;
    }
    Ok(())
}
