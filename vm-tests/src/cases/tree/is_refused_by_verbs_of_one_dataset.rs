//! A verb that would do less than the whole of a recursive pairing refuses it, also without `-R`, and changes nothing.

use anyhow::Result;

use crate::cases::grove::{CHILDREN, paired};
use crate::cases::pair::SOURCE;
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = paired(lab, "localhost")?;
    pair.sync()?;
    lab.unchanged(&[SRC, DST], || {
        for args in [
            &["sync", "src/a b@zrep_000000"][..],
            &["sync", "-f", "src/a b@zrep_000000"],
            &["_refreshpull", "src/a b@zrep_000001"],
            &["failover", "-L", SOURCE],
            &["failover", "-L", "-f", SOURCE],
        ] {
            lab.declines(args, "source src/a b: is paired recursively")?;
        }
        for args in [
            &["-R", "sentsync", "src/a b@zrep_000001"][..],
            &["-R", "_refreshpull", "src/a b@zrep_000001"],
            &["-R", "_refreshcomplete", "src/a b@zrep_000001", "zrep:sent=1"],
        ] {
            lab.declines(args, "-R: this verb works on one dataset")?;
        }
        Ok(())
    })?;
    pair.sync()?;
    pair.same_trees(&CHILDREN)
}
