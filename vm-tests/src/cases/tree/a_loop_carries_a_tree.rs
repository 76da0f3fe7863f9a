//! The loop brings a tree over in each round, new children as well, and gives its lock back in between.

use anyhow::Result;
use rustix::process::Signal;

use crate::cases::grove::{CHILDREN, grow, paired};
use crate::cases::pair::PATIENCE;
use crate::fixture::Lab;
use crate::fixture::running::until;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = paired(lab, "localhost")?;
    let mut running = pair.start_loop("100ms")?;
    pair.child("one").write("file", "in the loop")?;
    grow(lab, "src/a b/young")?;
    let arrived = || Ok(lab.exists("dst/copy of a b/young"));
    until("the new child has arrived", PATIENCE, arrived)?;
    running.signal(Signal::TERM)?;
    running.wait(PATIENCE)?.ok()?;
    pair.same_trees(&[&CHILDREN[..], &["young"]].concat())?;
    pair.unlocked()
}
