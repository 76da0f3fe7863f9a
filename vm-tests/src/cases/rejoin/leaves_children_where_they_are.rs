//! Datasets below a superseded master are no part of its pairing: they keep their names and stay mounted, whatever becomes of it.
//! (They inherit its `readonly`, unless they have their own.)

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

const CHILD: &str = "src/a b/child";
const GRANDCHILD: &str = "src/a b/child/of it";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.sync()?;
    for dataset in [CHILD, GRANDCHILD] {
        lab.zfs(&["create", dataset]).ok()?;
        lab.write(dataset, "file", dataset)?;
    }
    pair.write("file", "only on the old master")?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    lab.zrep(&["rejoin", SOURCE]).ok()?.says("diverged from")?;
    for dataset in [CHILD, GRANDCHILD] {
        expect_property(lab, dataset, "mounted", "yes", "-")?;
        ensure!(lab.read(dataset, "file")? == dataset.as_bytes());
    }
    // With others mounted below, what is kept aside stays mounted where it was.
    ensure!(lab.read(SOURCE, "file")? == b"only on the old master");
    lab.zrep(&["sync", TARGET]).ok()?;
    Ok(())
}
