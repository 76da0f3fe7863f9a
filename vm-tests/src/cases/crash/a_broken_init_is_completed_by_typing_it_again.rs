//! Whenever an init is killed, the same command again leads to a pair.

use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::cases::chance::Chance;
use crate::cases::pair::{PATIENCE, Pair};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let mut chance = Chance::new();
    for round in 0..12 {
        let [source, target] = [format!("src/a {round}"), format!("dst/b {round}")];
        lab.create(&source)?;
        lab.write(&source, "file", chance.bytes(8 << 20))?;
        one(lab, &mut chance, &source, &target).with_context(|| source)?;
    }
    Ok(())
}

fn one(lab: &Lab, chance: &mut Chance, source: &str, target: &str) -> Result<()> {
    let init = ["init", source, "localhost", target];
    let mut running = lab.spawn_zrep(&init)?;
    chance.pause(Duration::from_millis(1500));
    // It may have ended by itself.
    let _ = running.signal_all(Signal::KILL);
    let killed = running.wait(PATIENCE)?;
    let pair = Pair::known(lab, source, target);
    // The last step makes the source master: with that done, there is nothing to complete.
    let is_done = lab.property(source, "zrep:master")?.source == "local";
    let again = lab.zrep(&init);
    if is_done {
        again.exits(1)?.says("already")?;
    } else {
        again.ok().with_context(|| format!("after {killed}"))?;
    }
    pair.has(source, &["zrep_000000"])?;
    pair.same()?;
    pair.marked()?;
    pair.has_roles()?;
    // N.B. a kill may cut even a channel program short, here between the role and the lock. The lock is that of a dead process then.
    pair.sync()?;
    pair.unlocked()?;
    pair.same()
}
