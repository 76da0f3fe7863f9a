//! A dataset has one pairing of a tag: a master gets no second target, and a replica is no source.

use anyhow::{Result, ensure};

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    for target in [TARGET, "dst/second"] {
        lab.refuses(
            &["init", SOURCE, "localhost", target],
            "source src/a b: is paired with localhost:dst/a copy already",
        )?;
    }
    let replica = lab.refuses(
        &["init", TARGET, "localhost", "src/back"],
        "source dst/a copy: is paired with",
    )?;
    ensure!(
        replica.headline.contains(SOURCE) || replica.found.contains(SOURCE),
        "does not tell whose replica it is: {replica:?}"
    );
    Ok(())
}
