//! `ZREP_OUTFILTER` is a command at the sender's end of a stream, `ZREP_INFILTER` one at the receiver's, whichever of the two asks for it. One that fails makes the sync fail, and nothing counts as sent.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::output::Output;
use crate::fixture::peer::SSH;

const OUT: &str = "gzip | tee /tmp/packed";
const IN: &str = "gunzip | tee /tmp/unpacked";

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    lab.create(SOURCE)?;
    lab.write(SOURCE, "file", "contents")?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    let zrep = |args: &[&str], out: &str| {
        let mut command = lab.zrep_command(args);
        command.env("ZREP_OUTFILTER", out);
        Output::of(command.env("ZREP_INFILTER", IN))
    };
    let passed = || -> Result<()> {
        lab.sh("gzip -t </tmp/packed && rm /tmp/packed && test ! -e /tmp/unpacked")
            .ok()?;
        peer.sh("test -s /tmp/unpacked && rm /tmp/unpacked && test ! -e /tmp/packed")
            .ok()?;
        pair.same_far()?;
        pair.write("file", "changed")
    };
    for args in [&["init", SOURCE, "beta", TARGET][..], &["sync", SOURCE]] {
        zrep(args, OUT).ok()?;
        passed()?;
    }
    let mut refresh = peer.command("zrep");
    refresh.args(["refresh", TARGET]).env("SSH", SSH);
    Output::of(refresh.env("ZREP_OUTFILTER", OUT).env("ZREP_INFILTER", IN)).ok()?;
    passed()?;
    zrep(&["sync", SOURCE], "false").exits(1)?;
    pair.has(TARGET, &["zrep_000000", "zrep_000001", "zrep_000002"])?;
    pair.sync()?;
    pair.same_far()
}
