//! The old master crashed after a program had flushed what it wrote, and was not mounted since. By all that can be seen it has nothing of its
//! own; what stands in its intent log is kept aside.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const ASIDE: &str = "src/a b_diverged_e1";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.crash_after_flush(SOURCE, "file", "only in the intent log")?;
    // A snapshot does not have it, and nothing counts as written behind it.
    lab.zrep(&["sync", SOURCE]).ok()?;
    ensure!(lab.property(SOURCE, "written")?.value == "0");
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;

    lab.zrep(&["rejoin", SOURCE]).ok()?.says(ASIDE)?;
    lab.zfs(&["mount", ASIDE]).ok()?;
    ensure!(lab.read(ASIDE, "file")? == b"only in the intent log");
    let turned = pair.turned();
    turned.has_roles()?;
    turned.sync()?;
    Ok(())
}
