//! /dev/zfs is missing, is something else, or has no driver behind it.

use std::process::Command;

use anyhow::{Context, Result};

use crate::fixture::output::Output;
use crate::fixture::refusal::refusal;
use crate::fixture::{DST, Lab, SRC};

const HIDE: [&str; 3] = [
    "mount -t tmpfs none /dev",
    "mount --bind /dev/null /dev/zfs",
    // A number that no driver has taken.
    "{ rm -f /tmp/case/nothing; mknod /tmp/case/nothing c 240 200; } && mount --bind /tmp/case/nothing /dev/zfs",
];

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    lab.unchanged(&[SRC, DST], || {
        for hide in HIDE {
            for verb in ["sync 'src/a b'", "status", "init src localhost dst/new", "list"] {
                is_said(lab, &format!("{hide} && exec zrep {verb}"))?;
            }
        }
        Ok(())
    })
}

fn is_said(lab: &Lab, script: &str) -> Result<()> {
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script]).current_dir(lab.dir());
    refusal(Output::of(&mut command), "/dev/zfs")
        .and_then(|refusal| refusal.helps("modprobe zfs"))
        .with_context(|| script.to_owned())?;
    Ok(())
}
