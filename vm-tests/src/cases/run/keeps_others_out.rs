//! While rounds follow each other without a pause, the loop has the source for itself: a second sync is refused, and says
//! who is there. The loop goes on, and after it the source is free.

use anyhow::Result;
use rustix::process::Signal;

use crate::cases::pair::{PATIENCE, Pair, SOURCE};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let mut running = pair.start_loop("0s")?;
    let pid = running.pid().as_raw_nonzero().to_string();
    for verb in [&["sync", SOURCE][..], &["sync", "all"], &["failover", SOURCE]] {
        let refused = lab.zrep(verb).exits(1)?;
        refused.says(&format!("process {pid}"))?.says(SOURCE)?;
    }
    pair.write("file", "after the refusals")?;
    pair.until_arrived()?;
    running.signal(Signal::TERM)?;
    running.wait(PATIENCE)?.ok()?;
    pair.same()?;
    pair.has_roles()?;
    pair.sync()?;
    pair.same()
}
