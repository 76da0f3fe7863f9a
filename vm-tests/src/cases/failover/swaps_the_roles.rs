//! After a failover both sides carry what shell zrep would have set, and the epoch: the names swapped,
//! the old master read-only, the new one writable where it was received.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_marks, expect_property, host};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("file", "just before")?;
    lab.zrep(&["failover", SOURCE]).ok()?;

    let host = host()?;
    let pair_is = |src_host: &str| {
        [
            ("src-fs", TARGET),
            ("src-host", src_host),
            ("dest-fs", SOURCE),
            ("dest-host", &host),
        ]
        .map(|(name, value)| format!("zrep:{name}={value} (local)"))
        .to_vec()
    };
    let line = |text: &str| vec![text.to_owned()];
    let old = [
        pair_is("localhost"),
        line("zrep:savecount=5 (local)"),
        line("zrep:epoch=1 (local)"),
        line("readonly=on (local)"),
    ];
    expect_marks(lab, SOURCE, &old.concat())?;
    let new = [
        pair_is(&host),
        line("zrep:savecount=5 (received)"),
        line("zrep:master=yes (local)"),
        line("zrep:epoch=1 (local)"),
    ];
    expect_marks(lab, TARGET, &new.concat())?;
    expect_property(lab, TARGET, "mounted", "yes", "-")?;
    expect_property(lab, SOURCE, "mounted", "yes", "-")?;

    let turned = pair.turned();
    turned.has(SOURCE, &["zrep_000000", "zrep_000001"])?;
    turned.has(TARGET, &["zrep_000000", "zrep_000001"])?;
    turned.same()?;
    turned.marked()?;
    turned.unlocked()?;
    turned.has_roles()
}
