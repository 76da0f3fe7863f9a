//! With the default tag the snapshots of others that lie before the one that is sent travel along, with another tag they do not; those behind it never do.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const SECOND: &str = "dst/copy for the uk";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", SECOND]).ok()?;
    lab.zfs(&["snapshot", "src/a b@before"]).ok()?;
    lab.zrep(&["snaponly", SOURCE]).ok()?;
    lab.zrep(&["-t", "uk", "snaponly", SOURCE]).ok()?;
    lab.zfs(&["snapshot", "src/a b@behind"]).ok()?;
    lab.zrep(&["synconly", SOURCE]).ok()?;
    lab.zrep(&["-t", "uk", "synconly", SOURCE]).ok()?;
    pair.has(TARGET, &["zrep_000000", "uk_000000", "before", "zrep_000001"])?;
    pair.has(SECOND, &["uk_000000", "uk_000001"])
}
