//! A variable of zrep whose value only a shell could tell: status 2, the line and its number, and nothing is done. Half of the settings would
//! be other settings.

use anyhow::Result;

use crate::fixture::refusal::misconfigured;
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/copy")?;
    for line in [
        "ZREP_SRC_HOST=$(hostname)",
        "ZREP_SRC_HOST=`hostname`",
        "if true; then ZREP_SRC_HOST=x; fi",
        "[ -f /x ] && ZREP_SRC_HOST=x",
        "ZREP_SRC_HOST='x",
    ] {
        let _file = lab.defaults(&format!("# one\n{line}\n"))?;
        lab.unchanged(&[SRC, DST], || {
            misconfigured(lab.zrep(&["sync", "src/a b"]), "/etc/default/zrep:2: ")?.expects("NAME=VALUE")
        })?;
    }
    lab.zrep(&["sync", "src/a b"]).ok()?;
    Ok(())
}
