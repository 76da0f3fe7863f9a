//! `ZREP_R=-R` asks for trees. A sync of the top alone would be less than that, and nobody would hear of it.

use anyhow::{Result, ensure};

use crate::fixture::output::Output;
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let asked = |args: &[&str]| Output::of(lab.zrep_command(args).env("ZREP_R", "-R"));
    lab.pair("src/a b", "dst/copy")?;
    lab.create("src/a b/below")?;
    lab.unchanged(&[SRC, DST], || {
        for verb in [["sync", "src/a b"], ["refresh", "dst/copy"]] {
            asked(&verb).exits(1)?.says("is not paired recursively")?;
        }
        asked(&["failover", "-n", "src/a b"]).ok()?;
        asked(&["status"]).ok()
    })?;
    // It is set for good, and this has no meaning for it.
    asked(&["snaponly", "src/a b"]).ok()?;
    lab.create("src/top")?;
    lab.create("src/top/below")?;
    asked(&["init", "src/top", "localhost", "dst/top"]).ok()?;
    ensure!(lab.exists("dst/top/below@zrep_000000"), "the child has not arrived");
    Ok(())
}
