//! A quota is reached in mid-stream: at init the one of the dataset above, at a sync the target's own.

use anyhow::Result;

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/narrow/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("dst/narrow")?;
    lab.create(SOURCE)?;
    lab.noise(SOURCE, 16)?;
    lab.zfs(&["set", "quota=8M", "dst/narrow"]).ok()?;
    let init = ["init", SOURCE, "localhost", TARGET];
    lab.refuses(&init, "target dst/narrow/a copy: ")?.helps("quota")?;
    lab.zfs(&["set", "quota=none", "dst/narrow"]).ok()?;
    lab.zrep(&init).ok()?;

    lab.zfs(&["set", "quota=24M", TARGET]).ok()?;
    lab.sh("head -c 16M /dev/urandom >'/src/a b/more noise'").ok()?;
    lab.refuses(&["sync", SOURCE], "target dst/narrow/a copy: ")?
        .helps("quota")?;
    lab.zfs(&["set", "quota=none", TARGET]).ok()?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    Ok(())
}
