//! A command that a refusal names does what it should when it is pasted into a shell, although the dataset has spaces in its name.

use anyhow::{Context, Result, ensure};

use crate::fixture::Lab;
use crate::fixture::refusal::Refusal;

const SOURCE: &str = "src/a b";
const SYNC: &[&str] = &["sync", SOURCE];

/// What is wrong, the command line that is refused, and the beginning of the command that helps.
type Trouble<'a> = (&'a str, &'a [&'a str], &'a str);

const TROUBLES: [Trouble<'static>; 6] = [
    ("zfs set zrep:savecount=five 'src/a b'", SYNC, "zfs set zrep:savecount"),
    (
        "zfs set zrep:lock-pid=1 zrep:lock-time=$(date +%Y%m%d%H%M%S) 'src/a b'",
        SYNC,
        "zfs inherit zrep:lock-pid",
    ),
    ("zfs snapshot 'dst/a copy@mine'", SYNC, "zrep sync -f"),
    (
        "zfs set readonly=off 'dst/a copy'; zfs mount 'dst/a copy'; echo x >'/dst/a copy/mine'; zpool sync",
        SYNC,
        "zrep sync -f",
    ),
    (
        "zfs create 'dst/is there'",
        &["init", "src/c d", "localhost", "dst/is there"],
        "zfs rename",
    ),
    (
        "zfs create 'src/e f'",
        &["init", "src/e f", "localhost", "dst/not there/copy"],
        "zfs create -p",
    ),
];

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, "dst/a copy")?;
    lab.create("src/c d")?;
    let bad: Vec<String> = TROUBLES
        .iter()
        .filter_map(|trouble| helped(lab, trouble).err())
        .map(|why| format!("{why:#}"))
        .collect();
    ensure!(bad.is_empty(), "{}", bad.join("\n"));
    Ok(())
}

fn helped(lab: &Lab, (trouble, args, start): &Trouble) -> Result<()> {
    lab.sh(trouble).ok()?;
    let output = lab.zrep(args).exits(1)?;
    let refusal = Refusal::only(&output)?;
    let command = refusal
        .commands()
        .into_iter()
        .find(|command| command.starts_with(start));
    lab.sh(command.with_context(|| format!("no `{start}`: {refusal:?}"))?)
        .ok()?;
    lab.zrep(args).ok().context("in spite of what the help said")?;
    Ok(())
}
