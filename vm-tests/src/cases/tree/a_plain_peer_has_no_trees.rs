//! A machine that is used through its plain `zfs` command cannot have a recursive pairing: that is said, and nothing is begun.

use anyhow::{Result, ensure};

use crate::cases::grove::plant;
use crate::cases::pair::{SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::output::Output;

pub fn run(lab: &Lab) -> Result<()> {
    let _peer = lab.peer()?;
    plant(lab)?;
    let mut plain = lab.zrep_command(&["-R", "init", SOURCE, "beta", TARGET]);
    plain.env("ZREP_PLAIN_PEER", "yes");
    Output::of(&mut plain)
        .fails()?
        .says("plain zfs command")?
        .says("install zrep there")?;
    ensure!(lab.snapshots(SOURCE)?.is_empty());
    Ok(())
}
