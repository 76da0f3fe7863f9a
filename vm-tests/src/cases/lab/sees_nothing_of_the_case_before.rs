//! After a case that left everything behind, nothing of it is there.

use anyhow::{Result, ensure};

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    super::pools_are_fresh::run(lab)?;
    ensure!(!lab.exists("src/left behind"));
    lab.sh("pgrep -fx 'sleep 1000'").exits(1)?;
    lab.sh("grep /mnt/left /proc/mounts").exits(1)?;
    let namespaces = lab.sh("ip netns list").ok()?;
    ensure!(namespaces.stdout.is_empty(), "{namespaces}");
    let newer = lab.sh("test $(date +%s) -gt $(($(stat -c %Y /run/lab/main) + 43200))");
    newer.exits(1)?;
    Ok(())
}
