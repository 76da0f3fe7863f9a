//! Two hosts know each other by name, and log in on each other without a word.

use anyhow::{Result, ensure};

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    ensure!(lab.sh("uname -n").ok()?.stdout == "alpha\n");
    ensure!(peer.sh("uname -n").ok()?.stdout == "beta\n");
    let beta = lab.sh("ssh beta 'uname -n; zrep version; exit 7'").exits(7)?;
    ensure!(
        beta.stdout.starts_with("beta\nzrep ") && beta.stderr.is_empty(),
        "{beta}"
    );
    let alpha = peer.sh("ssh alpha 'uname -n; zrep version'").ok()?;
    ensure!(
        alpha.stdout.starts_with("alpha\nzrep ") && alpha.stderr.is_empty(),
        "{alpha}"
    );
    Ok(())
}
