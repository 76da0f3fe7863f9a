//! `ZREP_OUTFILTER` is a command at the sender's end of a stream, `ZREP_INFILTER` one at the receiver's. One that fails makes the sync fail, and nothing counts as sent.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::output::Output;

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    lab.create(SOURCE)?;
    lab.write(SOURCE, "file", "contents")?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    let zrep = |args: &[&str], out: &str| {
        let mut command = lab.zrep_command(args);
        command.env("ZREP_OUTFILTER", out);
        Output::of(command.env("ZREP_INFILTER", "gunzip | tee /tmp/unpacked"))
    };
    for args in [&["init", SOURCE, "beta", TARGET][..], &["sync", SOURCE]] {
        zrep(args, "gzip | tee /tmp/packed").ok()?;
        lab.sh("gzip -t </tmp/packed && rm /tmp/packed && test ! -e /tmp/unpacked")
            .ok()?;
        peer.sh("test -s /tmp/unpacked && rm /tmp/unpacked && test ! -e /tmp/packed")
            .ok()?;
        pair.same_far()?;
        pair.write("file", "changed")?;
    }
    zrep(&["sync", SOURCE], "false").exits(1)?;
    pair.has(TARGET, &["zrep_000000", "zrep_000001"])?;
    pair.sync()?;
    pair.same_far()
}
