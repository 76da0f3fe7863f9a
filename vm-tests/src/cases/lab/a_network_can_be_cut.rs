//! What is sent into a cut network is lost without a word, and arrives when the network
//! is whole again.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cases::pair::PATIENCE;
use crate::fixture::Lab;
use crate::fixture::running::{Running, until};

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    let mut command = std::process::Command::new("ssh");
    command.args(["beta", "echo up; while ! test -e /tmp/go; do sleep 0.1; done; echo on"]);
    let mut ssh = Running::start(command, lab.dir())?;
    until("it speaks", PATIENCE, || Ok(ssh.stdout() == "up\n"))?;
    peer.cut_network()?;
    peer.sh("touch /tmp/go").ok()?;
    thread::sleep(Duration::from_secs(2));
    ensure!(ssh.is_running()? && ssh.stdout() == "up\n", "{}", ssh.stdout());
    lab.sh("ssh -o ConnectTimeout=2 beta true").exits(255)?;
    peer.restore_network()?;
    let ended = ssh.wait(PATIENCE)?.ok()?;
    ensure!(ended.stdout == "up\non\n", "{ended}");
    Ok(())
}
