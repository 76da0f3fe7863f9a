//! After a case with two hosts, there is one host again.

use anyhow::{Result, ensure};

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    super::pools_are_fresh::run(lab)?;
    ensure!(lab.sh("uname -n").ok()?.stdout != "alpha\n");
    lab.sh("ls /sys/class/net/lab0").fails()?;
    lab.sh("pgrep -x 'sshd|unshare'").exits(1)?;
    lab.sh("ssh -o ConnectTimeout=2 beta true").exits(255)?;
    Ok(())
}
