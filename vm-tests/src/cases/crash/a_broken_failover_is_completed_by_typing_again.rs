//! Whenever a failover is killed, typing it again, or a takeover on the other side, leads
//! to exactly one master that can be written to, with all that was written before.

use std::fs::File;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;

use crate::cases::chance::Chance;
use crate::cases::pair::{PATIENCE, Pair};
use crate::fixture::Lab;
use crate::fixture::output::Output;

const KILLS: usize = 10;

pub fn run(lab: &Lab) -> Result<()> {
    let mut chance = Chance::new();
    let mut pair = Pair::new(lab)?;
    for kill in 0..KILLS {
        let name = format!("written before {kill}");
        pair.write(&name, &name)?;
        File::open(lab.mountpoint(&pair.source)?.join(&name))?.sync_all()?;
        let (killed, typed) = kill_and_type(&pair, &mut chance)?;
        pair = one_master(&pair)
            .and_then(|pair| all_is_there(pair, kill))
            .with_context(|| format!("failover {kill}: first {killed}\nthen {typed}"))?;
    }
    Ok(())
}

/// Kills a failover at a random moment, and asks for it again on one of the two sides.
fn kill_and_type<'a>(pair: &Pair<'a>, chance: &mut Chance) -> Result<(Output, Output)> {
    let verbs = [["failover", pair.source.as_str()], ["takeover", pair.target.as_str()]];
    let verb: &[&str; 2] = chance.pick(&verbs);
    let mut running = pair.lab.spawn_zrep(verb)?;
    chance.pause(Duration::from_millis(1200));
    // It may have ended by itself.
    let _ = running.signal_all(Signal::KILL);
    let killed = running.wait(PATIENCE)?;
    // Where the roles are turned already, there is nothing to fail over any more, and that is said.
    let verb: &[&str; 2] = chance.pick(&verbs);
    let typed = pair.lab.zrep(verb);
    Ok((killed, typed))
}

/// The pair as it is now, with the roles that it says it has.
fn one_master<'a>(pair: &Pair<'a>) -> Result<Pair<'a>> {
    let is_master =
        |dataset: &str| Ok::<_, anyhow::Error>(pair.lab.property(dataset, "zrep:master")?.source == "local");
    let now = match (is_master(&pair.source)?, is_master(&pair.target)?) {
        (true, false) => bail!("{} is master still", pair.source),
        (false, true) => pair.turned(),
        (true, true) => bail!("both are master"),
        (false, false) => bail!("none is master"),
    };
    now.has_roles()?;
    now.unlocked()?;
    Ok(now)
}

fn all_is_there(pair: Pair<'_>, last: usize) -> Result<Pair<'_>> {
    for old in 0..=last {
        let name = format!("written before {old}");
        ensure!(
            pair.lab.read(&pair.source, &name)? == name.as_bytes(),
            "{name} is not as it was"
        );
    }
    pair.sync()?;
    pair.same()?;
    Ok(pair)
}
