//! A loop that is killed at any moment leaves nothing that the next sync needs help with:
//! it takes the dead one's lock over, says so, and goes on incrementally.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::Signal;

use crate::cases::chance::Chance;
use crate::cases::pair::{PATIENCE, Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const KILLS: usize = 20;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let guid = lab.property(TARGET, "guid")?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| keep_writing(lab, &stop));
        let result = kill_again_and_again(&pair);
        stop.store(true, Ordering::SeqCst);
        let written = writer.join().unwrap_or_else(|_| bail!("the writer panicked"));
        result.and(written)
    })?;
    ensure!(
        guid == lab.property(TARGET, "guid")?,
        "the target is another dataset now"
    );
    pair.sync()?;
    pair.same()?;
    pair.marked()?;
    pair.unlocked()?;
    pair.has_roles()
}

fn keep_writing(lab: &Lab, stop: &AtomicBool) -> Result<()> {
    let mut chance = Chance::new();
    while !stop.load(Ordering::SeqCst) {
        let length = chance.index(200_000);
        lab.write(SOURCE, &format!("file {}", chance.below(20)), chance.bytes(length))?;
        chance.pause(Duration::from_millis(20));
    }
    Ok(())
}

fn kill_again_and_again(pair: &Pair<'_>) -> Result<()> {
    let mut chance = Chance::new();
    let mut took_over = 0;
    for kill in 0..KILLS {
        // Every fourth time in the first moments of a loop, else somewhere in its rounds.
        let mut running = if kill % 4 == 0 {
            pair.lab.spawn_zrep(&["sync", SOURCE, "--every", "0s"])?
        } else {
            pair.start_loop("0s")?
        };
        chance.pause(Duration::from_millis(1000));
        ensure!(running.is_running()?, "{}", running.stderr());
        running.signal_all(Signal::KILL)?;
        let killed = running.wait(PATIENCE)?;
        took_over += usize::from(goes_on(pair).with_context(|| format!("after kill {kill}: {killed}"))?);
    }
    // It can be killed before it has the lock, but hardly each time.
    ensure!(took_over > KILLS / 2, "the lock was left only {took_over} times");
    Ok(())
}

/// Whether a lock was left.
fn goes_on(pair: &Pair<'_>) -> Result<bool> {
    let lock = pair.lab.property(SOURCE, "zrep:lock-pid")?;
    let left = lock.source == "local";
    let before = pair.newest(TARGET)?;
    let said = pair.sync()?;
    if left {
        said.says(&format!("taking over the lock of process {}", lock.value))?;
    }
    let kept = pair.lab.snapshots(TARGET)?.contains(&before);
    ensure!(kept, "{before:?} is gone: that was no increment");
    let [ours, theirs] = [pair.newest(SOURCE)?, pair.newest(TARGET)?];
    ensure!(ours.guid == theirs.guid, "{ours:?} {theirs:?}");
    Ok(left)
}
