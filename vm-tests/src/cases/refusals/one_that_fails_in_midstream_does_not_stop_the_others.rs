//! Two streams at once, of which one meets a quota: the other arrives, and the one leaves nothing behind.

use anyhow::{Result, ensure};

use crate::fixture::Lab;
use crate::fixture::refusal::Refusal;

pub fn run(lab: &Lab) -> Result<()> {
    for name in ["a b", "narrow", "z"] {
        lab.pair(&format!("src/{name}"), &format!("dst/{name}"))?;
        lab.noise(&format!("src/{name}"), 8)?;
    }
    lab.zfs(&["set", "quota=4M", "dst/narrow"]).ok()?;
    let before = lab.snapshots("src/narrow")?;
    let output = lab.zrep(&["sync", "src/a b", "src/narrow", "src/z"]).exits(1)?;
    let refusal = Refusal::only(&output)?;
    ensure!(refusal.headline.starts_with("target dst/narrow: "), "{output}");
    for good in ["a b", "z"] {
        ensure!(lab.snapshots(&format!("dst/{good}"))?.len() == 2, "{good}: {output}");
    }
    ensure!(lab.snapshots("src/narrow")? == before, "a snapshot is left: {output}");
    for (dataset, property) in [("dst/narrow", "receive_resume_token"), ("src/narrow", "zrep:lock-pid")] {
        ensure!(
            lab.property(dataset, property)?.value == "-",
            "{property} is left on {dataset}"
        );
    }
    lab.zfs(&["set", "quota=none", "dst/narrow"]).ok()?;
    lab.zrep(&["sync", "all"]).ok()?;
    Ok(())
}
