//! A dataset that is not paired yet may be locked already: by an init that is under way.

use anyhow::Result;

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("src/a b")?;
    let process = lab.idler()?;
    let pid = process.pid().as_raw_nonzero().to_string();
    lab.lock("src/a b", &pid, "now")?;
    let init = ["init", "src/a b", "localhost", "dst/a copy"];
    lab.refuses(
        &init,
        &format!("source src/a b: process {pid} (sleep 1000) works on it"),
    )?;
    drop(process);
    lab.zrep(&init).ok()?.says(&format!("process {pid}"))?;
    Ok(())
}
