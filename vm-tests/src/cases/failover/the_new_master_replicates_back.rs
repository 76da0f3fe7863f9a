//! The pair works the other way round, and can be turned round again, any number of times.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let mut pair = Pair::new(lab)?;
    let guids = [lab.property(&pair.source, "guid")?, lab.property(&pair.target, "guid")?];
    for round in 0..4 {
        let before = format!("written before {round}");
        pair.write(&before, &before)?;
        lab.zrep(&["failover", &pair.source]).ok()?;
        ensure!(
            lab.write(&pair.source, "not allowed", "").is_err(),
            "the old master {} can be written to",
            pair.source
        );
        pair = pair.turned();
        pair.has_roles()?;
        for old in 0..=round {
            let name = format!("written before {old}");
            ensure!(lab.read(&pair.source, &name)? == name.as_bytes(), "{name} is not there");
        }
        pair.write("in the new direction", round.to_string())?;
        pair.sync()?;
        pair.same()?;
        pair.marked()?;
        pair.unlocked()?;
    }
    let now = [lab.property(&pair.source, "guid")?, lab.property(&pair.target, "guid")?];
    ensure!(guids == now, "datasets were made anew: {guids:?}, {now:?}");
    Ok(())
}
