//! `lab demo`: zrep's main job before one's eyes.

use anyhow::Result;

use crate::host::artifacts;
use crate::host::cli::DemoArgs;
use crate::host::machine::Sinks;
use crate::host::session::{Session, Wish};

const DEMO: &str = include_str!("../../../demo.sh");

pub fn run(args: &DemoArgs) -> Result<i32> {
    let zrep = artifacts::zrep()?;
    let session = Session::prepare(Wish::new(args.guest.name))?;
    session.files.add(&zrep, "bin/zrep")?;
    session.run(DEMO, Sinks::inherit())
}
