//! `ZREP_INC_FLAG=-i`: only zrep's newest snapshot travels. With `-I` those of others do, under another tag, too.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::output::Output;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", "dst/uk"]).ok()?;
    pair.write("file", "one")?;
    lab.zfs(&["snapshot", &format!("{SOURCE}@daily 1")]).ok()?;
    pair.write("file", "two")?;
    Output::of(lab.zrep_command(&["sync", SOURCE]).env("ZREP_INC_FLAG", "-i")).ok()?;
    pair.has(TARGET, &["zrep_000000", "zrep_000001"])?;
    pair.same()?;
    Output::of(
        lab.zrep_command(&["-t", "uk", "sync", SOURCE])
            .env("ZREP_INC_FLAG", "-I"),
    )
    .ok()?;
    // The snapshot of the first pairing is one of somebody else to the second.
    Pair::known(lab, SOURCE, "dst/uk").has("dst/uk", &["uk_000000", "daily 1", "zrep_000001", "uk_000001"])?;

    lab.zfs(&["snapshot", &format!("{SOURCE}@daily 2")]).ok()?;
    lab.zrep(&["snaponly", SOURCE]).ok()?;
    Output::of(lab.zrep_command(&["synconly", SOURCE]).env("ZREP_INC_FLAG", "-i")).ok()?;
    pair.has(TARGET, &["zrep_000000", "zrep_000001", "zrep_000002"])
}
