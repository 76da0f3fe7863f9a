//! The script and zrep do each step of a pairing's life by turns, on the same datasets, and neither notices the other.

use anyhow::Result;

use crate::cases::pair::Pair;
use crate::cases::shell::{SOURCE, Shell, TARGET, agree};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let shell = Shell::find()?;
    lab.create(SOURCE)?;
    lab.write(SOURCE, "file", "of the beginning")?;
    shell.run(lab, &["init", SOURCE, "localhost", TARGET])?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    for turn in 0..7 {
        pair.write("file", format!("turn {turn}"))?;
        if turn % 2 == 0 {
            pair.sync()?;
        } else {
            shell.run(lab, &["sync", SOURCE])?;
        }
        agree(&shell, &pair)?;
    }
    lab.write(SOURCE, "file", "before our failover")?;
    lab.zrep(&["failover", SOURCE]).ok()?;
    let turned = pair.turned();
    turned.has_roles()?;
    shell.run(lab, &["sync", TARGET])?;
    agree(&shell, &turned)?;

    turned.write("file", "before the script's failover")?;
    shell.run(lab, &["failover", TARGET])?;
    pair.has_roles()?;
    pair.sync()?;
    agree(&shell, &pair)
}
