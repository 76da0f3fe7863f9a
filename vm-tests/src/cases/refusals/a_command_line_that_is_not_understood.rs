//! Usage errors: status 2, the words on standard error, nothing on standard output, and nothing done.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Result, ensure};

use crate::fixture::output::Output;
use crate::fixture::{DST, Lab, SRC};

const WRONG: [&[&str]; 20] = [
    &[],
    &["resync", "src/a b"],
    &["sync"],
    &["sync", "--fast", "src/a b"],
    &["sync", "-x", "src/a b"],
    &["sync", "src/a b", "--every"],
    &["sync", "src/a b", "--every", "soon"],
    &["sync", "src/a b", "--every", "5"],
    &["sync", "src/a b", "--every", "-1s"],
    &["sync", "src/a b", "--every", "1s", "--rounds", "many"],
    &["sync", "src/a b", "--rounds", "3"],
    &["sync", "src/a b", "--every", "1s", "-n"],
    &["init", "src/a b"],
    &["init", "src/a b", "localhost"],
    &["init", "src/a b", "localhost", "dst/a copy", "more"],
    &["failover"],
    &["failover", "src/a b", "dst/a copy"],
    &["takeover"],
    &["list", "-s", "-v"],
    &["-t"],
];

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    lab.unchanged(&[SRC, DST], || {
        WRONG.iter().try_for_each(|args| is_refused(lab.zrep(args)))?;
        // A name that is no text.
        let mut command = lab.zrep_command(&["sync"]);
        is_refused(Output::of(command.arg(OsStr::from_bytes(b"src/a\xff"))))
    })
}

fn is_refused(output: Output) -> Result<()> {
    let output = output.exits(2)?;
    ensure!(output.stdout.is_empty(), "standard output is for results: {output}");
    ensure!(output.stderr.contains("--help"), "no word of where help is: {output}");
    Ok(())
}
