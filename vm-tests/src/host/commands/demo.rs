//! `lab demo`: zrep's main job before one's eyes, between two guests.

use std::io::{self, IsTerminal};

use anyhow::Result;

use crate::host::artifacts;
use crate::host::cli::DemoArgs;
use crate::host::machine::Sinks;
use crate::host::session::{Session, Wish};

const DEMO: &str = include_str!("../../../demo.sh");

pub fn run(args: &DemoArgs) -> Result<i32> {
    let zrep = artifacts::zrep()?;
    let session = Session::prepare(Wish {
        hosts: 2,
        ..Wish::new(args.guest.name)
    })?;
    session.add_program(&zrep, "zrep")?;
    session.files().program("root/demo", DEMO)?;
    session.run(&main(io::stdout().is_terminal()), Sinks::inherit())
}

/// A progress that is drawn over and over is only for people.
fn main(terminal: bool) -> String {
    let terminal = if terminal { "export LAB_TERMINAL=1\n" } else { "" };
    format!("#!/bin/bash\n{terminal}cd /root && exec ./demo\n")
}
