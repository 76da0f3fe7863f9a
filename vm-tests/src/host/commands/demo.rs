//! `lab demo`: zrep's main job before one's eyes, between two guests.

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
    session.run(DEMO, Sinks::inherit())
}
