//! Only the script is on the other machine. zrep pushes to it, turns the pair, and the script goes on from there; zrep fetches from it, and the script pushes
//! to a machine that has zrep only.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, expect_property};
use crate::cases::shell::{SOURCE, Shell, TARGET};
use crate::fixture::Lab;
use crate::fixture::output::{Checked, Output};
use crate::fixture::peer::SSH;

pub fn run(lab: &Lab) -> Result<()> {
    let shell = Shell::find()?;
    let peer = lab.peer()?;
    lab.create(SOURCE)?;
    lab.write(SOURCE, "file", "of the beginning")?;
    shell.run(lab, &["init", SOURCE, "beta", TARGET])?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    let ours = |args: &[&str]| -> Result<Checked> {
        // What zrep calls on beta is the script, which cannot serve.
        Output::of(lab.zrep_command(args).env("ZREP_PATH", shell.path()).env("SSH", SSH)).ok()
    };
    let on_beta = |args: &[&str], calls: &str| {
        let mut command = peer.command(shell.path());
        Output::of(command.args(args).env("SSH", SSH).env("ZREP_PATH", calls)).ok()
    };

    pair.write("file", "by zrep")?;
    ours(&["sync", SOURCE])?.says("plain zfs")?;
    pair.same_far()?;
    pair.write("file", "by the script")?;
    shell.run(lab, &["sync", SOURCE])?;
    pair.same_far()?;

    pair.write("file", "before our failover")?;
    ours(&["failover", SOURCE])?;
    expect_property(lab, TARGET, "zrep:master", "yes", "local")?;
    expect_property(lab, TARGET, "zrep:src-host", "beta", "local")?;
    expect_property(lab, SOURCE, "zrep:dest-host", "alpha", "local")?;
    on_beta(&["sync", TARGET], "zrep")?;
    let turned = pair.turned();
    turned.same_snapshots()?;
    turned.marked()?;

    peer.write(lab, TARGET, "file", "fetched by zrep")?;
    ours(&["refresh", SOURCE])?.says("plain zfs")?;
    turned.same_snapshots()?;
    turned.marked()?;

    // The script calls `takeover -L` of the zrep on alpha.
    on_beta(&["failover", TARGET], "zrep")?;
    expect_property(lab, SOURCE, "zrep:master", "yes", "local")?;
    expect_property(lab, TARGET, "zrep:dest-fs", TARGET, "local")?;
    ensure!(lab.read(SOURCE, "file")? == b"fetched by zrep");
    pair.write("file", "by zrep again")?;
    ours(&["sync", SOURCE])?;
    pair.same_far()
}
