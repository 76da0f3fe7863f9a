//! A verb that works on one dataset refuses `-R`, and does nothing; the verbs that look, and those that take trees along, take it.

use anyhow::Result;

use crate::cases::pair::SOURCE;
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, "dst/a copy")?;
    lab.unchanged(&[SRC, DST], || {
        for args in [
            &["sentsync", "-R", "src/a b@zrep_000000"][..],
            &["-R", "_refreshpull", "src/a b@zrep_000000"],
            &["_refreshcomplete", "src/a b@zrep_000000", "-R", "zrep:sent=1"],
        ] {
            lab.zrep(args).exits(1)?.says("-R")?;
        }
        lab.zrep(&["-R", "status"]).ok()?;
        lab.zrep(&["list", "-R"]).ok()?;
        // It was a name of `refresh` once.
        lab.zrep(&["-R", "dst/a copy"]).exits(2)?;
        Ok(())
    })
}
