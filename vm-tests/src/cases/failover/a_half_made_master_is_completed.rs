//! A failover that was killed in the middle of its decisive transaction has made the target a master in part: each part is completed, from
//! either side.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let turned = pair.turned();
    for (count, (verb, of)) in [("failover", SOURCE), ("takeover", TARGET), ("failover", SOURCE)]
        .into_iter()
        .enumerate()
    {
        pair.write("file", format!("turn {count}"))?;
        // As in a failover, nothing is written behind the last snapshot, not even the time of an access.
        lab.zfs(&["set", "readonly=on", SOURCE]).ok()?;
        pair.sync()?;
        let epoch = 2 * count + 1;
        lab.zfs(&["set", &format!("zrep:intent=failover {epoch} - 7-1"), SOURCE])
            .ok()?;
        lab.zfs(&[
            "set",
            "zrep:master=yes",
            &format!("zrep:intent=prepared {epoch} 7-1"),
            TARGET,
        ])
        .ok()?;
        if count == 2 {
            lab.zfs(&[
                "set",
                &format!("zrep:epoch={epoch}"),
                "zrep:src-fs=dst/copy of a b",
                TARGET,
            ])
            .ok()?;
        }
        lab.zrep(&[verb, of]).ok()?;
        turned.same()?;
        turned.has_roles()?;
        expect_property(lab, TARGET, "zrep:epoch", &epoch.to_string(), "local")?;
        lab.zrep(&["failover", TARGET]).ok()?;
        pair.has_roles()?;
    }
    Ok(())
}
