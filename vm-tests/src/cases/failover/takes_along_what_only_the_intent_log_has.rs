//! The machine crashed after a program had flushed what it wrote, and the filesystem is not mounted since: the intent log has it, and no
//! snapshot. It was acknowledged, so a failover takes it along.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.sync()?;
    lab.crash_after_flush(SOURCE, "file", "acknowledged")?;
    expect_property(lab, SOURCE, "mounted", "no", "-")?;

    lab.zrep(&["failover", SOURCE]).ok()?;
    ensure!(lab.read(TARGET, "file")? == b"acknowledged");
    expect_property(lab, SOURCE, "mounted", "no", "-")?;
    let turned = pair.turned();
    turned.has_roles()?;
    turned.sync()?;
    Ok(())
}
