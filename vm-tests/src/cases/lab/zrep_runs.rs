//! The zrep of this build is in PATH.

use anyhow::Result;

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.zrep(&["version"]).ok()?;
    lab.spawn_zrep(&["version"])?
        .wait(std::time::Duration::from_secs(30))?
        .ok()?;
    Ok(())
}
