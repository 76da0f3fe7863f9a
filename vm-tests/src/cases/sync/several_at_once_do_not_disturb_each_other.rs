//! Syncs of different datasets, started at the same moment, all succeed. Of two syncs of
//! one dataset one may be refused, because the other has the lock, and nothing breaks.

use anyhow::{Result, ensure};

use crate::cases::pair::{PATIENCE, Pair};
use crate::fixture::Lab;
use crate::fixture::running::Running;

pub fn run(lab: &Lab) -> Result<()> {
    let mut pairs = Vec::new();
    for name in ["a b", "c", "d"] {
        let source = format!("src/{name}");
        lab.create(&source)?;
        pairs.push(Pair::init(lab, &source, &format!("dst/{name}"))?);
    }
    for round in 0..4 {
        for pair in &pairs {
            pair.write("file", round.to_string())?;
        }
        all_at_once(lab, &pairs, 1)?.into_iter().try_for_each(|mut running| {
            running.wait(PATIENCE)?.ok()?;
            Ok::<_, anyhow::Error>(())
        })?;
        pairs.iter().try_for_each(Pair::same)?;
    }
    for mut running in all_at_once(lab, &pairs, 3)? {
        let output = running.wait(PATIENCE)?;
        if !output.success() {
            let refused = output.exits(1)?;
            ensure!(refused.stderr.contains("works on it"), "{refused}");
        }
    }
    for pair in &pairs {
        pair.sync()?;
        pair.same()?;
        pair.unlocked()?;
    }
    Ok(())
}

fn all_at_once(lab: &Lab, pairs: &[Pair<'_>], each: usize) -> Result<Vec<Running>> {
    let sources = pairs.iter().flat_map(|pair| vec![&pair.source; each]);
    sources.map(|source| lab.spawn_zrep(&["sync", source])).collect()
}
