//! The lines that a crontab of shell zrep has, as they stand there: each does what it did.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, expect_property, short_of};
use crate::fixture::Lab;

const SOURCE: &str = "src/fs";
const TARGET: &str = "dst/fs";

pub fn run(lab: &Lab) -> Result<()> {
    lab.create(SOURCE)?;
    lab.zrep(&["-i", SOURCE, "localhost", TARGET]).ok()?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    for (line, short) in [
        ("-S src/fs", "zrep_000001"),
        ("sync -f -v -r src/fs", "zrep_000002"),
        ("sync -c -q 60 all", "zrep_000003"),
        ("sync -q 60 all", "zrep_000004"),
        ("refresh dst/fs", "zrep_000005"),
    ] {
        pair.write("file", line)?;
        typed(lab, line)?;
        ensure!(short_of(&pair.newest(TARGET)?) == short, "{line}: not @{short}");
        pair.same()?;
        pair.marked()?;
    }
    for (line, kept) in [("-e src/fs", 3), ("expire all", 2)] {
        for side in [SOURCE, TARGET] {
            lab.zfs(&["set", &format!("zrep:savecount={kept}"), side]).ok()?;
        }
        typed(lab, line)?;
        for side in [SOURCE, TARGET] {
            ensure!(lab.snapshots(side)?.len() == kept, "{line}: {:?}", pair.shorts(side)?);
        }
    }
    looks(lab)?;
    typed(lab, "-C src/fs beta dst/moved")?;
    expect_property(lab, SOURCE, "zrep:dest-fs", "dst/moved", "local")?;
    typed(lab, "-C -f src/fs localhost dst/fs")?;
    typed(lab, "-t uk -i src/fs localhost dst/uk")?;
    typed(lab, "-t uk sync all")?;
    pair.has("dst/uk", &["uk_000000", "uk_000001"])?;
    typed(lab, "sync all")?;
    ensure!(short_of(&pair.newest(TARGET)?) == "zrep_000006");
    pair.same()
}

/// What is asked of them by pipes and by people.
fn looks(lab: &Lab) -> Result<()> {
    ensure!(typed(lab, "-l")? == "dst/fs\nsrc/fs\n");
    ensure!(typed(lab, "list -L")? == "src/fs\n");
    ensure!(typed(lab, "lastsent src/fs")? == "src/fs@zrep_000005\n");
    let both = typed(lab, "status -a -v")?;
    let column = format!("{SOURCE:<25}->{:<35} 2", "localhost:dst/fs");
    ensure!(
        both.lines().filter(|line| line.starts_with(&column)).count() == 2,
        "{both}"
    );
    ensure!(typed(lab, "status -v -a")? == both);
    ensure!(typed(lab, "-s")?.starts_with(&format!("{SOURCE:<52} last: 2")));
    Ok(())
}

/// zrep with the words of a line.
fn typed(lab: &Lab, line: &str) -> Result<String> {
    let args: Vec<&str> = line.split(' ').collect();
    Ok(lab.zrep(&args).ok()?.stdout.clone())
}
