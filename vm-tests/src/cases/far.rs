//! Pairs whose target is on the second host.

use anyhow::{Context, Result, ensure};

use super::pair::{Pair, SOURCE, TARGET, short_of};
use crate::fixture::Lab;

/// `src/a b` on alpha, with a file in it, and its target on beta.
pub fn pair_with_beta(lab: &Lab) -> Result<Pair<'_>> {
    let _peer = lab.peer()?;
    lab.create(SOURCE)?;
    lab.write(SOURCE, "dir one/file", "of the beginning")?;
    lab.zrep(&["init", SOURCE, "beta", TARGET]).ok()?;
    Ok(Pair::known(lab, SOURCE, TARGET))
}

/// How often a case of accidents tries its luck: `ZREP_CASE_TURNS`, or `usual`.
pub fn turns(usual: u32) -> u32 {
    let given = std::env::var("ZREP_CASE_TURNS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

impl Pair<'_> {
    /// The target has what the source has, and both sides are marked.
    pub fn same_far(&self) -> Result<()> {
        self.same()?;
        self.marked()
    }

    /// The target's newest snapshot is one of the source's.
    pub fn same_snapshots(&self) -> Result<()> {
        let [source, target] = [self.newest(&self.source)?, self.newest(&self.target)?];
        ensure!(source.guid == target.guid, "{source:?} {target:?}");
        Ok(())
    }

    /// What the target has is a part of the source's history, in the same order.
    pub fn consistent(&self) -> Result<()> {
        let of_source = self.lab.snapshots(&self.source)?;
        let mut rest = of_source.iter();
        for snapshot in self.lab.snapshots(&self.target)? {
            let found = rest.any(|other| other.guid == snapshot.guid);
            found
                .then_some(())
                .with_context(|| format!("@{} does not fit into {of_source:?}", short_of(&snapshot)))?;
        }
        Ok(())
    }
}
