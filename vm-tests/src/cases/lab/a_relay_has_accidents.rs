//! A relay cuts a connection at a byte, as ssh says it; or it lets nothing through any
//! more, with all left open.

use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::pair::PATIENCE;
use crate::fixture::Lab;
use crate::fixture::running::{Running, until};

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    for ssh in ["local-ssh", "ssh"] {
        let up = format!("head -c 100000 /dev/zero | relay --cut-after 70000 {ssh} beta 'cat >/tmp/got; sleep 1000'");
        lab.sh(&up).exits(255)?;
        let down = format!("relay --cut-after-down 5 {ssh} beta 'echo 123456789; sleep 1000'");
        let down = lab.sh(&down).exits(255)?;
        ensure!(down.stdout == "12345", "{down}");
        // What ssh has taken is not always sent when it is killed.
        if ssh == "local-ssh" {
            until("the bytes before the cut arrive", PATIENCE, || {
                Ok(peer.path("/tmp/got").metadata()?.len() == 70000)
            })?;
        }
    }

    let mut command = Command::new("relay");
    command.args(["--freeze-after-down", "2", "ssh", "beta", "echo 123; sleep 1"]);
    let mut frozen = Running::start(command, lab.dir())?;
    until("it speaks", PATIENCE, || Ok(frozen.stdout() == "12"))?;
    thread::sleep(Duration::from_secs(3));
    ensure!(frozen.is_running()? && frozen.stdout() == "12");
    frozen.signal(Signal::KILL)?;
    Ok(())
}
