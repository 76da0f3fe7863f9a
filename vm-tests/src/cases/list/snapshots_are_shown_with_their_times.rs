//! `list -s` shows all snapshots of a dataset and of those below it, by whomever, as `zfs list` does.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let none = lab.zrep(&["list", "-s"]).ok()?;
    ensure!(none.stdout.is_empty() && none.stderr.contains("no master"), "{none}");
    let pair = Pair::new(lab)?;
    lab.zfs(&["snapshot", "src/a b@daily"]).ok()?;
    lab.zfs(&["create", "-o", "canmount=off", "src/a b/child"]).ok()?;
    lab.zfs(&["snapshot", "src/a b/child@own"]).ok()?;
    pair.sync()?;
    let list = [
        "list",
        "-r",
        "-t",
        "snapshot",
        "-o",
        "name,creation",
        "-s",
        "name",
        SOURCE,
    ];
    let zfs = lab.zfs(&list).ok()?;
    for args in [&["list", "-s"][..], &["list", "-s", SOURCE]] {
        let said = lab.zrep(args).ok()?;
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(words).collect();
            lines.sort();
            lines
        };
        ensure!(sorted(&said.stdout) == sorted(&zfs.stdout), "{said}\n{zfs}");
        ensure!(said.stdout.starts_with("NAME"), "{said}");
    }
    Ok(())
}

/// The columns are as wide as each program likes them.
fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
