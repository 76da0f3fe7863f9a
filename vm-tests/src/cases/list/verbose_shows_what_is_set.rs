//! `list -v` shows what shell zrep shows: a line with the name, what is set on the dataset in two columns that a tab divides, and the last snapshot that
//! was sent. The role, the epoch and the condition follow.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, host};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zfs(&["set", "my:note=of mine", SOURCE]).ok()?;
    pair.sync()?;
    let said = lab.zrep(&["list", "-v", SOURCE]).ok()?;
    let lines: Vec<&str> = said.stdout.lines().collect();
    ensure!(lines[0] == format!("{SOURCE}:"), "{said}");
    for line in [
        "zrep:master\tyes",
        &format!("zrep:dest-fs\t{TARGET}"),
        &format!("zrep:src-host\t{}", host()?),
        "my:note\tof mine",
        "last snapshot synced: src/a b@zrep_000001",
    ] {
        ensure!(lines.contains(&line), "{line:?}: {said}");
    }
    ensure!(said.stdout.contains("    master in epoch 0: "), "{said}");
    let all = lab.zrep(&["list", "-v"]).ok()?;
    for line in [&format!("{TARGET}:"), "readonly\ton", "zrep:savecount\t5", ""] {
        ensure!(all.stdout.lines().any(|found| found == line), "{line:?}: {all}");
    }
    Ok(())
}
