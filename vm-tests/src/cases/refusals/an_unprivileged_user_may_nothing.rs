//! A user who is neither root nor delegated is told so, and changes nothing.

use std::process::Command;

use anyhow::Result;

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    lab.create("src/c d")?;
    lab.sh("chmod 666 /dev/zfs").ok()?;
    for args in [
        vec!["sync", "src/a b"],
        vec!["init", "src/c d", "localhost", "dst/c copy"],
        vec!["failover", "src/a b"],
    ] {
        lab.refuses_as(&mut as_nobody(&args), "source src/")?
            .expects("root")?
            .finds("this user may not")?
            .helps("zfs allow")?;
    }
    lab.refuses_as(&mut as_nobody(&["takeover", "-L", "dst/a copy"]), "target dst/a copy: ")?
        .helps("zfs allow")?;
    Ok(())
}

/// zrep with ARGS as the user who owns nothing.
pub fn as_nobody(args: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "zrep"]);
    command.args(args).current_dir("/tmp");
    command
}
