//! `list` names every dataset that is one side of a pairing, `list -L` this host's masters.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    Pair::new(lab)?;
    lab.create("src/a b/child")?;
    lab.create("src/unpaired")?;
    for (args, expected) in [(&["list"][..], vec![TARGET, SOURCE]), (&["list", "-L"], vec![SOURCE])] {
        let said = lab.zrep(args).ok()?;
        let mut names: Vec<_> = said.stdout.lines().collect();
        names.sort_unstable();
        ensure!(names == expected, "expected {expected:?}: {said}");
    }
    Ok(())
}
