//! `ZREP_SKIP_EXPIRE`: a sync, in one or in two halves or by the target, leaves all snapshots of both sides, and `zrep expire` is refused.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for side in [&pair.source, &pair.target] {
        lab.zfs(&["set", "zrep:savecount=1", side]).ok()?;
    }
    {
        let _file = lab.defaults("ZREP_SKIP_EXPIRE=1\n")?;
        for args in [&["sync"][..], &["sync"], &["snaponly"], &["synconly"]] {
            lab.zrep(&[args, &[pair.source.as_str()]].concat()).ok()?;
        }
        lab.zrep(&["refresh", &pair.target]).ok()?;
        for side in [&pair.source, &pair.target] {
            ensure!(pair.shorts(side)?.len() == 5, "{side}: {:?}", pair.shorts(side)?);
        }
        lab.unchanged(&[SRC, DST], || {
            lab.declines(&["expire", &pair.source], "ZREP_SKIP_EXPIRE")
        })?;
    }
    pair.sync()?;
    for side in [&pair.source, &pair.target] {
        pair.has(side, &["zrep_000005"])?;
    }
    Ok(())
}
