//! `zrep help VERB` is a success, and tells of that verb.

use anyhow::{Result, ensure};

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    for verb in [
        "init", "sync", "refresh", "status", "list", "expire", "failover", "takeover",
    ] {
        let help = lab.zrep(&["help", verb]).ok()?;
        // Verbs that are flags, too, stand in braces there.
        let usage = help.stdout.lines().find(|line| line.starts_with("Usage: zrep "));
        ensure!(usage.is_some_and(|usage| usage.contains(verb)), "{help}");
        let same = lab.zrep(&[verb, "--help"]).ok()?;
        ensure!(same.stdout == help.stdout, "{help}\n{same}");
    }
    lab.zrep(&["help", "resync"]).exits(2)?;
    Ok(())
}
