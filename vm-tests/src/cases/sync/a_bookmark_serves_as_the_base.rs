//! A base whose snapshot was destroyed on the source is still one while it has a bookmark.

use anyhow::Result;

use crate::cases::pair::{Pair, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.sync()?;
    lab.zfs(&["bookmark", "src/a b@zrep_000001", "src/a b#kept"]).ok()?;
    lab.zfs(&["destroy", "src/a b@zrep_000001"]).ok()?;
    pair.write("file", "after the bookmark")?;
    pair.sync()?;
    pair.has(TARGET, &["zrep_000000", "zrep_000001", "zrep_000002"])?;
    pair.same()
}
