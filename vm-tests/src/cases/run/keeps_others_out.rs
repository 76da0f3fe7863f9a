//! During a round the loop has the source for itself: who does not want to wait is refused, and told who is there. Who waits gets in, even
//! where rounds follow each other without a pause. The loop goes on, and after it the source is free.

use anyhow::Result;
use rustix::process::Signal;

use crate::cases::pair::{PATIENCE, Pair, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::output::Output;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let mut running = pair.start_loop("0s")?;
    let pid = running.pid().as_raw_nonzero().to_string();
    for verb in [&["sync", SOURCE][..], &["sync", "all"], &["failover", SOURCE]] {
        let refused = Output::of(lab.zrep_command(verb).env("Z_LOCK_RETRY", "0")).exits(1)?;
        refused.says(&format!("process {pid}"))?.says(SOURCE)?;
    }
    pair.write("file", "after the refusals")?;
    pair.until_arrived()?;
    lab.zrep(&["expire", SOURCE])
        .ok()?
        .says("waiting for the end of its round")?;
    pair.write("file", "after who waited")?;
    pair.until_arrived()?;
    lab.zrep(&["failover", SOURCE]).ok()?;
    pair.turned().has_roles()?;
    lab.zrep(&["failover", TARGET]).ok()?;
    pair.write("file", "after the failovers")?;
    pair.until_arrived()?;
    running.signal(Signal::TERM)?;
    running.wait(PATIENCE)?.ok()?;
    pair.same()?;
    pair.has_roles()?;
    pair.sync()?;
    pair.same()
}
