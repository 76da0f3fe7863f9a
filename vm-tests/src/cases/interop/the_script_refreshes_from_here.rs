//! The script on the replica's side refreshes, and what it calls on the master's is the zrep under test: one stream, several as a package, and another tag. Then zrep
//! goes on from there.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::cases::shell::{SOURCE, Shell, TARGET};
use crate::fixture::Lab;
use crate::fixture::output::Output;
use crate::fixture::peer::SSH;

const SECOND: &str = "dst/second";

pub fn run(lab: &Lab) -> Result<()> {
    let shell = Shell::find()?;
    let _peer = lab.peer()?;
    let pair = on_one_machine(lab, &shell)?;
    pair.write("file", "by zrep")?;
    pair.sync()?;
    pair.same_far()?;
    on_two_machines(lab, &shell)
}

fn on_one_machine<'a>(lab: &'a Lab, shell: &Shell) -> Result<Pair<'a>> {
    lab.create(SOURCE)?;
    lab.write(SOURCE, "file", "of the beginning")?;
    let pair = Pair::init(lab, SOURCE, TARGET)?;
    pair.write("file", "one")?;
    shell.run_against_ours(lab, &["refresh", TARGET])?;
    pair.same()?;
    pair.marked()?;
    for turn in ["two", "three"] {
        pair.write("file", turn)?;
        lab.zfs(&["snapshot", &format!("{SOURCE}@mine-{turn}")]).ok()?;
    }
    pair.write("file", "four")?;
    shell.run_against_ours(lab, &["refresh", TARGET])?;
    pair.same()?;
    ensure!(
        lab.exists(&format!("{TARGET}@mine-two")),
        "what lay between has not travelled"
    );
    for _ in 0..6 {
        shell.run_against_ours(lab, &["refresh", TARGET])?;
    }
    pair.marked()?;
    let own = |dataset: &str| -> Result<usize> {
        let shorts = pair.shorts(dataset)?;
        Ok(shorts.iter().filter(|short| short.starts_with("zrep_")).count())
    };
    ensure!(own(SOURCE)? == 5 && own(TARGET)? == 5, "{:?}", pair.shorts(SOURCE)?);

    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", SECOND]).ok()?;
    shell.run_against_ours(lab, &["-t", "uk", "refresh", SECOND])?;
    let newest = pair.newest(SECOND)?;
    ensure!(newest.name == format!("{SECOND}@uk_000001"), "{newest:?}");
    Ok(pair)
}

fn on_two_machines(lab: &Lab, shell: &Shell) -> Result<()> {
    let (source, target) = ("src/far", "dst/far");
    let peer = lab.peer()?;
    lab.create(source)?;
    lab.zrep(&["init", source, "beta", target]).ok()?;
    let far = Pair::known(lab, source, target);
    far.write("file", "fetched from beta")?;
    let mut refresh = peer.command(shell.path());
    Output::of(
        refresh
            .args(["refresh", target])
            .env("SSH", SSH)
            .env("ZREP_PATH", "zrep"),
    )
    .ok()?;
    far.same_snapshots()?;
    far.marked()?;
    far.unlocked()
}
