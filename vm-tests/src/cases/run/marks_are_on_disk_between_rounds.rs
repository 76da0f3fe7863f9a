//! Where there is time between two rounds, the newest snapshot does not wait for the next
//! one to get its mark; what is beyond the savecount goes at once, and so does the lock.

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::cases::pair::{PATIENCE, Pair, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::running::until;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for side in [SOURCE, TARGET] {
        lab.zfs(&["set", "zrep:savecount=1", side]).ok()?;
    }
    let mut running = pair.start_loop("1h")?;
    let name = "zrep_000001";
    pair.has(TARGET, &["zrep_000000", name])
        .or_else(|_| pair.has(TARGET, &[name]))?;
    for side in [SOURCE, TARGET] {
        let newest = format!("{side}@{name}");
        until(&format!("{newest} has its mark"), PATIENCE, || {
            Ok(lab.property(&newest, "zrep:sent")?.source == "local")
        })?;
        until("what is too old is gone", PATIENCE, || {
            Ok(pair.has(side, &[name]).is_ok())
        })?;
    }
    until("the lock is given back", PATIENCE, || Ok(pair.unlocked().is_ok()))?;
    ensure!(running.is_running()?, "{}", running.stderr());
    running.signal(Signal::TERM)?;
    running.wait(PATIENCE)?.ok()?;
    pair.same()
}
