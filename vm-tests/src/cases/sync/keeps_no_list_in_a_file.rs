//! A sync with its expiry makes no file but the lock, and that in a directory of root's: nobody can put one in its place.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE};
use crate::cases::trace;
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zfs(&["set", "zrep:savecount=1", SOURCE]).ok()?;
    let (lines, _) = trace::zrep(lab, "open,openat,creat", &["sync", SOURCE])?;
    pair.has(SOURCE, &["zrep_000001"])?;
    let made: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("O_CREAT") || line.contains("creat("))
        .collect();
    let is_lock = |line: &&String| line.contains("/run/zrep.lock");
    ensure!(!made.is_empty() && made.iter().all(is_lock), "{made:#?}");
    Ok(())
}
