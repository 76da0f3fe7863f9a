//! Where no snapshot carries the mark of having arrived, status says so; with `-v`, too, and behind a dataset that has one.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    Pair::new(lab)?;
    lab.pair("src/arrived", "dst/arrived")?;
    lab.zfs(&["inherit", "zrep:sent", "src/a b@zrep_000000"]).ok()?;
    let said = lab.zrep(&["status", SOURCE]).ok()?;
    ensure!(said.stdout == format!("{SOURCE:<52} last: [NEVER]\n"), "{said}");
    let said = lab.zrep(&["status", "-v", "src/arrived", SOURCE]).ok()?;
    let never = format!("{SOURCE:<25}->{:<35} [NEVER]", format!("localhost:{TARGET}"));
    let lines: Vec<&str> = said.stdout.lines().collect();
    ensure!(
        lines.len() == 2 && !lines[0].contains("[NEVER]") && lines[1] == never,
        "{said}"
    );
    Ok(())
}
