//! What scripts read from the one they read from the other: list, list -L, getlastsent, status with and without -v, and the lines of list -v that zrep has.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::cases::shell::{SOURCE, Shell, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let shell = Shell::find()?;
    lab.create(SOURCE)?;
    lab.write(SOURCE, "file", "of the beginning")?;
    let pair = Pair::init(lab, SOURCE, TARGET)?;
    lab.zfs(&["create", "-s", "-V", "16M", "src/vol"]).ok()?;
    Pair::init(lab, "src/vol", "dst/vol")?;
    pair.sync()?;
    for args in [
        &["list"][..],
        &["-l"],
        &["list", "-L"],
        &["list", SOURCE],
        &["getlastsent", SOURCE],
        &["lastsent", TARGET],
        &["getlastsent", "src/vol"],
        &["status"],
        &["status", "-v"],
        &["status", SOURCE],
    ] {
        let [theirs, ours] = [
            shell.run(lab, args)?.stdout.clone(),
            lab.zrep(args).ok()?.stdout.clone(),
        ];
        ensure!(sorted(&theirs) == sorted(&ours), "{args:?}: {theirs:?}, and {ours:?}");
    }
    let [theirs, ours] = [
        shell.run(lab, &["list", "-v", SOURCE])?,
        lab.zrep(&["list", "-v", SOURCE]).ok()?,
    ];
    for line in ours.stdout.lines().filter(|line| !line.starts_with(' ')) {
        ensure!(theirs.stdout.lines().any(|found| found == line), "{line:?}: {theirs}");
    }
    Ok(())
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}
