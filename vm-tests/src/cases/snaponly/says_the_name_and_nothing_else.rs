//! `snaponly` makes a snapshot of each master, filesystem or volume, and writes the names to standard output and nothing else: shell zrep's refresh takes all of that
//! for the name.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    says(lab, &["snaponly", SOURCE], "src/a b@zrep_000001\n")?;
    says(lab, &["-D", "snaponly", SOURCE], "src/a b@zrep_000002\n")?;
    pair.has(TARGET, &["zrep_000000"])?;
    pair.unlocked()?;

    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    Pair::init(lab, VOLUME, "dst/its copy")?;
    let all = lab.zrep(&["snaponly", "all"]).ok()?;
    let mut names: Vec<&str> = all.stdout.lines().collect();
    names.sort_unstable();
    ensure!(names == ["src/a b@zrep_000003", "src/a volume@zrep_000001"], "{all}");
    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", "dst/copy for the uk"])
        .ok()?;
    says(lab, &["-t", "uk", "snaponly", SOURCE], "src/a b@uk_000001\n")
}

fn says(lab: &Lab, args: &[&str], expected: &str) -> Result<()> {
    let said = lab.zrep(args).ok()?;
    ensure!(said.stdout == expected, "expected {expected:?}: {said}");
    Ok(())
}
