//! Where no snapshot carries the mark of having arrived, status says so.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    Pair::new(lab)?;
    lab.zfs(&["inherit", "zrep:sent", "src/a b@zrep_000000"]).ok()?;
    let said = lab.zrep(&["status", SOURCE]).ok()?;
    ensure!(said.stdout == format!("{SOURCE:<52} last: [NEVER]\n"), "{said}");
    Ok(())
}
