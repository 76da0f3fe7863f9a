//! A pairing with a tag of its own carries its own snapshots only.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.create(SOURCE)?;
    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", TARGET]).ok()?;
    lab.write(SOURCE, "file", "as of one")?;
    lab.zfs(&["snapshot", "src/a b@daily 1"]).ok()?;
    lab.write(SOURCE, "file", "as of now")?;
    lab.zrep(&["-t", "uk", "sync", SOURCE]).ok()?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    pair.has(TARGET, &["uk_000000", "uk_000001"])?;
    pair.same()
}
