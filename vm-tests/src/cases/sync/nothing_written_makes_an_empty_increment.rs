//! Without -c each sync makes its snapshot, so that its age tells that syncs happen.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for _ in 0..2 {
        pair.sync()?;
        pair.same()?;
        pair.marked()?;
    }
    pair.has(SOURCE, &["zrep_000000", "zrep_000001", "zrep_000002"])?;
    pair.has(TARGET, &["zrep_000000", "zrep_000001", "zrep_000002"])
}
