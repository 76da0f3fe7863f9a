//! `MBUFFER` is of older days: a command that a stream passes through on both sides. It is taken as one, and zrep says what to write instead.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::fixture::Lab;
use crate::fixture::output::Output;

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    lab.create("src/a b")?;
    lab.write("src/a b", "file", "contents")?;
    let mut init = lab.zrep_command(&["init", "src/a b", "beta", "dst/copy"]);
    let output = Output::of(init.env("MBUFFER", "tee /tmp/passed")).ok()?;
    ensure!(output.stderr.contains("MBUFFER"), "{output}");
    lab.sh("test -s /tmp/passed && rm /tmp/passed").ok()?;
    peer.sh("test -s /tmp/passed").ok()?;
    Pair::known(lab, "src/a b", "dst/copy").same_far()
}
