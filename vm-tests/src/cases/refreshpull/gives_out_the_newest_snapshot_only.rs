//! The secret verbs refuse what shell zrep never asks for, write nothing to standard output then, and are in no help.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    Pair::new(lab)?;
    for _ in 0..2 {
        lab.zrep(&["snaponly", SOURCE]).ok()?;
    }
    for (args, says) in [
        (&["_refreshpull", "src/a b@zrep_000001"][..], "is not the newest"),
        (&["_refreshpull", "src/a b@zrep_000009"], "has no snapshot"),
        (&["_refreshpull", &format!("{TARGET}@zrep_000000")], "is not the master"),
        (
            &["_refreshcomplete", "src/a b@zrep_000002", "zrep:master=no"],
            "something else",
        ),
        (
            &["_refreshcomplete", "src/a b@zrep_000002", "readonly=on"],
            "something else",
        ),
        (
            &["_refreshcomplete", "src/a b@zrep_000009", "zrep:sent=1"],
            "has no snapshot",
        ),
    ] {
        lab.refuses(args, says)?;
        ensure!(lab.zrep(args).stdout.is_empty(), "{args:?}");
    }
    lab.zrep(&["_refreshpull", "src/a b@zrep_000002", "1-no-token"])
        .exits(1)?;
    let help = lab.zrep(&["--help"]).ok()?;
    ensure!(!help.stdout.contains("_refresh"), "{help}");
    Ok(())
}
