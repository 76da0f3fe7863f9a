//! An init that was killed in the middle of its stream goes on there when typed again.

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::chance::Chance;
use crate::cases::pair::{PATIENCE, Pair, SOURCE, TARGET, allocated, until_filled};
use crate::fixture::{DST, Lab};

pub fn run(lab: &Lab) -> Result<()> {
    lab.create(SOURCE)?;
    lab.write(SOURCE, "big", Chance::new().bytes(256 << 20))?;
    let before = allocated(lab, DST)?;
    let init = ["init", SOURCE, "localhost", TARGET];
    let mut running = lab.spawn_zrep(&init)?;
    until_filled(lab, DST, before, 32 << 20)?;
    running.signal_all(Signal::KILL)?;
    let killed = running.wait(PATIENCE)?;
    ensure!(!killed.success(), "it was done before it was killed: {killed}");

    let again = lab.zrep(&init).ok()?;
    let again = again.says("going on with the interrupted init")?;
    again.says("taking over the lock")?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    pair.has(SOURCE, &["zrep_000000"])?;
    pair.same()?;
    pair.marked()?;
    pair.unlocked()?;
    pair.has_roles()
}
