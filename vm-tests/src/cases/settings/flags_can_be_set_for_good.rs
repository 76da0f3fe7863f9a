//! `ZREP_FORCE` and `ZREP_CHANGEDONLY` are the flags `-f` and `-c` of each sync.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    {
        let _file = lab.defaults("ZREP_CHANGEDONLY=yes\n")?;
        let before = pair.newest(&pair.source)?;
        ensure!(pair.sync()?.stdout.contains("up to date"));
        ensure!(
            pair.newest(&pair.source)? == before,
            "an unchanged source got a snapshot"
        );
        pair.write("file", "changed")?;
        pair.sync()?;
        pair.same()?;
    }
    lab.zfs(&["snapshot", &format!("{}@mine", pair.target)]).ok()?;
    lab.zrep(&["sync", &pair.source]).exits(1)?;
    let _file = lab.defaults("ZREP_FORCE=-f\n")?;
    let forced = pair.sync()?;
    ensure!(forced.stderr.contains("mine"), "not told what is discarded: {forced}");
    pair.same()
}
