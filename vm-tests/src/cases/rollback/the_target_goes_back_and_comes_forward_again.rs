//! `sync DATASET@SNAPSHOT` rolls the target back to that snapshot; the source loses nothing, and the next sync brings the target forward again.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for turn in ["one", "two"] {
        pair.write("file", turn)?;
        pair.sync()?;
    }
    let said = lab.zrep(&["sync", "src/a b@zrep_000000"]).ok()?;
    ensure!(said.stderr.contains("2 snapshots (zrep_000001, zrep_000002)"), "{said}");
    pair.has(TARGET, &["zrep_000000"])?;
    pair.has(SOURCE, &["zrep_000000", "zrep_000001", "zrep_000002"])?;
    let last = lab.zrep(&["getlastsent", SOURCE]).ok()?;
    ensure!(last.stdout == "src/a b@zrep_000000\n", "{last}");
    pair.unlocked()?;
    pair.sync()?;
    pair.same()?;
    pair.marked()
}
