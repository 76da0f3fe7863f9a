//! The file names commands that root runs. So root does not take it from others.

use anyhow::Result;

use crate::fixture::refusal::misconfigured;
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/copy")?;
    let file = lab.defaults("SSH='ssh -p 22'\n")?;
    for (owner, mode) in [(1000, 0o644), (0, 0o664), (0, 0o646)] {
        file.belongs_to(owner, mode)?;
        lab.unchanged(&[SRC, DST], || {
            misconfigured(lab.zrep(&["sync", "src/a b"]), "/etc/default/zrep: others than root")?.helps("file")
        })?;
    }
    file.belongs_to(0, 0o600)?;
    lab.zrep(&["sync", "src/a b"]).ok()?;
    Ok(())
}
