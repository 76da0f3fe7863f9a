//! The lines that a crontab of shell zrep has, as they stand there: each does what it did.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, expect_property, short_of};
use crate::fixture::Lab;

const SOURCE: &str = "src/fs";
const TARGET: &str = "dst/fs";

pub fn run(lab: &Lab) -> Result<()> {
    lab.create(SOURCE)?;
    // Reading a file would count as writing.
    lab.zfs(&["set", "atime=off", SOURCE]).ok()?;
    lab.zrep(&["-i", SOURCE, "localhost", TARGET]).ok()?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    for (line, short) in [
        ("-S src/fs", "zrep_000001"),
        ("sync -f -v -r src/fs", "zrep_000002"),
        ("sync -c -q 60 all", "zrep_000003"),
        ("sync -q 60 all", "zrep_000004"),
        ("-R sync all", "zrep_000005"),
        ("refresh dst/fs", "zrep_000006"),
    ] {
        pair.write("file", line)?;
        let said = typed(lab, line)?;
        ensure!(said.contains("Expiring zrep snaps on "), "{line}: {said}");
        ensure!(short_of(&pair.newest(TARGET)?) == short, "{line}: not @{short}");
        pair.same()?;
        pair.marked()?;
    }
    ensure!(typed(lab, "snaponly all")? == "src/fs@zrep_000007\n");
    typed(lab, "synconly all")?;
    ensure!(short_of(&pair.newest(TARGET)?) == "zrep_000007");
    expires(lab, &pair)?;
    looks(lab)?;
    typed(lab, "-C src/fs beta dst/moved")?;
    expect_property(lab, SOURCE, "zrep:dest-fs", "dst/moved", "local")?;
    typed(lab, "-C -f src/fs localhost dst/fs")?;
    typed(lab, "-t uk -i src/fs localhost dst/uk")?;
    typed(lab, "-t uk sync all")?;
    pair.has("dst/uk", &["uk_000000", "uk_000001"])?;
    typed(lab, "sync all")?;
    ensure!(typed(lab, "sync -c -q 60 all")? == "src/fs: up to date.\n");
    ensure!(typed(lab, "uptodate src/fs")?.is_empty());
    ensure!(short_of(&pair.newest(TARGET)?) == "zrep_000008");
    pair.same()
}

fn expires(lab: &Lab, pair: &Pair<'_>) -> Result<()> {
    for (line, of_source, of_target) in [
        ("-e src/fs", 4, 4),
        ("expire all", 3, 3),
        ("expire", 2, 2),
        ("expire -L src/fs", 1, 2),
    ] {
        for (side, kept) in [(SOURCE, of_source), (TARGET, of_target)] {
            lab.zfs(&["set", &format!("zrep:savecount={kept}"), side]).ok()?;
        }
        let said = typed(lab, line)?;
        ensure!(said.contains("Expiring zrep snaps on src/fs\n"), "{line}: {said}");
        for (side, kept) in [(SOURCE, of_source), (TARGET, of_target)] {
            ensure!(lab.snapshots(side)?.len() == kept, "{line}: {:?}", pair.shorts(side)?);
        }
    }
    Ok(())
}

/// What is asked of them by pipes and by people.
fn looks(lab: &Lab) -> Result<()> {
    ensure!(typed(lab, "-l")? == "dst/fs\nsrc/fs\n");
    ensure!(typed(lab, "list -L")? == "src/fs\n");
    ensure!(typed(lab, "lastsent src/fs")? == "src/fs@zrep_000007\n");
    let verbose = typed(lab, "list -v")?;
    ensure!(
        verbose.contains("last snapshot synced: src/fs@zrep_000007\n"),
        "{verbose}"
    );
    let snapshots = typed(lab, "list -s")?;
    ensure!(snapshots.contains("\nsrc/fs@zrep_000007  "), "{snapshots}");
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
