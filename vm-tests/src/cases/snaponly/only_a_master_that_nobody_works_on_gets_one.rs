//! A replica, a master of another host, and one that another process works on get no snapshot.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.refuses(&["snaponly", TARGET], "is not the master")?;
    lab.refuses(&["snaponly", "src/nothing"], "does not exist")?;
    let idler = lab.idler()?;
    lab.lock(SOURCE, &idler.pid().as_raw_nonzero().to_string(), "now")?;
    lab.refuses(&["snaponly", SOURCE], "works on it")?;
    drop(idler);
    lab.zfs(&["set", "zrep:src-host=elsewhere", SOURCE]).ok()?;
    lab.refuses(&["snaponly", SOURCE], "belongs to host elsewhere")?;
    pair.has(SOURCE, &["zrep_000000"])
}
