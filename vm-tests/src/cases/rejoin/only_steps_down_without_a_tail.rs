//! A superseded master that has nothing of its own becomes the replica, and nothing is kept aside. Twice typed is as good as once.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.sync()?;
    lab.zrep(&["rejoin", SOURCE]).exits(1)?.says("was not superseded")?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;
    lab.write(TARGET, "file", "by the new master")?;
    lab.zrep(&["rejoin", SOURCE]).ok()?;
    ensure!(!lab.exists("src/a b_diverged_e1"));
    let turned = pair.turned();
    turned.same()?;
    turned.has_roles()?;
    for name in ["zrep:fenced", "zrep:intent"] {
        expect_property(lab, SOURCE, name, "-", "-")?;
    }
    expect_property(lab, SOURCE, "zrep:epoch", "1", "local")?;
    lab.zrep(&["rejoin", SOURCE]).ok()?;
    turned.same()
}
