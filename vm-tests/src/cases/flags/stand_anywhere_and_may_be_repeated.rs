//! The flags that every verb has stand before it or behind it, in any order, and more than once: shell zrep on the other side writes
//! them so.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE};
use crate::fixture::Lab;

const SECOND: &str = "dst/copy for the uk";

pub fn run(lab: &Lab) -> Result<()> {
    let first = Pair::new(lab)?;
    lab.zrep(&["-D", "-t", "uk", "-D", "init", SOURCE, "-t", "uk", "localhost", SECOND])
        .ok()?;
    lab.zrep(&["-t", "us", "-t", "uk", "-D", "sync", "-D", SOURCE]).ok()?;
    first.has(SECOND, &["uk_000000", "uk_000001"])?;
    lab.zrep(&["sync", SOURCE, "-t", "uk"]).ok()?;
    first.has(SECOND, &["uk_000000", "uk_000001", "uk_000002"])
}
