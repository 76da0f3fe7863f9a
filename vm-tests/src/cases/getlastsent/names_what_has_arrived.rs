//! `getlastsent` names the newest snapshot that is marked as sent, of a filesystem and of a volume, on both sides, and by tag; an empty line where none is.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    says(lab, &["getlastsent", SOURCE], "src/a b@zrep_000000\n")?;
    pair.sync()?;
    lab.zfs(&["snapshot", "src/a b@daily"]).ok()?;
    says(lab, &["lastsent", SOURCE], "src/a b@zrep_000001\n")?;
    says(lab, &["getlastsent", TARGET], &format!("{TARGET}@zrep_000001\n"))?;

    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    Pair::init(lab, VOLUME, "dst/its copy")?;
    says(lab, &["getlastsent", VOLUME], "src/a volume@zrep_000000\n")?;

    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", "dst/copy for the uk"])
        .ok()?;
    says(lab, &["-t", "uk", "getlastsent", SOURCE], "src/a b@uk_000000\n")?;

    lab.zfs(&["inherit", "zrep:sent", "src/a volume@zrep_000000"]).ok()?;
    says(lab, &["getlastsent", VOLUME], "\n")?;
    lab.create("src/unpaired")?;
    let refused = lab.zrep(&["getlastsent", "src/unpaired"]).exits(1)?;
    ensure!(refused.stdout.is_empty(), "{refused}");
    Ok(())
}

fn says(lab: &Lab, args: &[&str], expected: &str) -> Result<()> {
    let said = lab.zrep(args).ok()?;
    ensure!(said.stdout == expected, "expected {expected:?}: {said}");
    Ok(())
}
