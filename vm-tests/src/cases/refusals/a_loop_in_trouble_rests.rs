//! A loop without pauses, of which no dataset can be synced, waits for its next attempt: it makes no rounds in which nothing is done.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::fixture::Lab;
use crate::fixture::refusal::Refusal;
use crate::fixture::running::until;

const SOURCE: &str = "src/a b";
const LIMIT: Duration = Duration::from_secs(60);

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, "dst/a copy")?;
    lab.zfs(&["rename", "dst/a copy", "dst/elsewhere"]).ok()?;
    let mut zrep = lab.spawn_zrep(&["sync", SOURCE, "--every", "0s"])?;
    until("it is said", LIMIT, || Ok(!Refusal::all(&zrep.stderr()).is_empty()))?;
    let said = Instant::now();
    until(
        "the next attempt",
        LIMIT,
        || Ok(said.elapsed() > Duration::from_secs(2)),
    )?;
    zrep.signal(Signal::TERM)?;
    let output = zrep.wait(LIMIT)?;
    let rounds = output
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("zrep: ")?.split_once(" round")?.0.parse::<u64>().ok())
        .with_context(|| format!("no summary: {output}"))?;
    ensure!(
        rounds < 100,
        "{rounds} rounds in two seconds, all of them idle: {output}"
    );
    Ok(())
}
