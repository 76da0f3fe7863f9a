//! A command that was started over `local-ssh` has pipes to its caller, nothing of its
//! caller's environment, and lives on when its caller is killed or itself is stopped.

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::pair::PATIENCE;
use crate::fixture::Lab;
use crate::fixture::running::{Running, until};

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    let said = lab
        .sh("echo in | X=1 local-ssh -o A=b -p 22 root@beta 'cat; uname -n; pwd; echo x$X; echo err >&2; exit 3'")
        .exits(3)?;
    ensure!(
        said.stdout == "in\nbeta\n/root\nx\n" && said.stderr == "err\n",
        "{said}"
    );
    lab.sh("local-ssh beta 'kill -9 $$'").exits(255)?;
    lab.sh("local-ssh gamma true").exits(255)?;

    // A program that looks like a server, and ends when it is told to.
    peer.sh("printf '#!/bin/sh\\nwhile test ! -e /tmp/end; do sleep 0.1; done\\nexit 5\\n' >/tmp/zrep")
        .ok()?;
    let serve = || -> Result<Running> {
        let mut command = std::process::Command::new("local-ssh");
        command.args(["beta", "exec -a zrep bash /tmp/zrep"]);
        Running::start(command, lab.dir())
    };
    let _killed = {
        let running = serve()?;
        until("it runs", PATIENCE, || Ok(running_on(lab)? == 1))?;
        running.signal_all(Signal::KILL)?;
        running
    };
    let mut stopped = serve()?;
    until("both run", PATIENCE, || Ok(running_on(lab)? == 2))?;
    for step in [
        "pkill -STOP -fx 'zrep /tmp/zrep'",
        "pkill -CONT -fx 'zrep /tmp/zrep'",
        "touch /tmp/end",
    ] {
        peer.sh(step).ok()?;
    }
    stopped.wait(PATIENCE)?.exits(5)?;
    until("the orphan ends, too", PATIENCE, || Ok(running_on(lab)? == 0))
}

fn running_on(lab: &Lab) -> Result<usize> {
    let list = lab.peer()?.sh("pgrep -fx 'zrep /tmp/zrep' || true").ok()?;
    Ok(list.stdout.lines().count())
}
