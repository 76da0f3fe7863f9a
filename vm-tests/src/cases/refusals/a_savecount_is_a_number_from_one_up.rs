//! A savecount that is no such number is refused on either side, and so is the setting.

use anyhow::Result;

use crate::fixture::output::Output;
use crate::fixture::refusal::misconfigured;
use crate::fixture::{DST, Lab, SRC};

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.create("src/c d")?;
    for dataset in [SOURCE, TARGET] {
        lab.zfs(&["set", "zrep:savecount=5", dataset]).ok()?;
    }
    lab.unchanged(&[SRC, DST], || {
        is_refused(lab, SOURCE, "source src/a b")?;
        is_refused(lab, TARGET, "target dst/a copy")?;
        for bad in ["five", "0", "-1", ""] {
            let mut init = lab.zrep_command(&["init", "src/c d", "localhost", "dst/c copy"]);
            misconfigured(Output::of(init.env("ZREP_SAVE_COUNT", bad)), "ZREP_SAVE_COUNT")?;
        }
        Ok(())
    })?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    Ok(())
}

fn is_refused(lab: &Lab, dataset: &str, side: &str) -> Result<()> {
    for bad in ["five", "0", "-1", "", "5 ", "99999999999999999999999"] {
        lab.zfs(&["set", &format!("zrep:savecount={bad}"), dataset]).ok()?;
        for verb in ["sync", "expire"] {
            lab.declines(&[verb, SOURCE], &format!("{side}: zrep:savecount"))?
                .finds(&format!("zrep:savecount={bad:?}"))?
                .helps("zfs set zrep:savecount=5")?;
        }
    }
    lab.zfs(&["set", "zrep:savecount=5", dataset]).ok()?;
    Ok(())
}
