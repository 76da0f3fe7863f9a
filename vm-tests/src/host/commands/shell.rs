//! `lab shell`: a guest to play in.

use anyhow::{Result, ensure};

use crate::host::artifacts;
use crate::host::cli::ShellArgs;
use crate::host::machine::Sinks;
use crate::host::session::{Session, Shell, Wish};
use crate::host::terminal;

pub fn run(args: &ShellArgs) -> Result<i32> {
    ensure!(
        terminal::is_interactive(),
        "a shell needs a terminal; for scripts there is exec"
    );
    let zrep = artifacts::zrep()?;
    let session = Session::prepare(Wish {
        shell: Shell::Always,
        ..Wish::new(args.guest.name)
    })?;
    session.add_program(&zrep, "zrep")?;
    session.run("#!/bin/sh\nzpool list\n", Sinks::inherit())
}
