//! Only snapshots that zrep has named expire: neither those of the user, nor names that
//! look alike, nor those of another tag.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const OTHERS: [&str; 6] = [
    "daily",
    "zrep_backup1",
    "zrep_000000.keep",
    "zrep_00000A",
    "zrep-000000",
    "uk_000000",
];

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for short in OTHERS {
        lab.zfs(&["snapshot", &format!("{SOURCE}@{short}")]).ok()?;
    }
    for side in [SOURCE, TARGET] {
        lab.zfs(&["set", "zrep:savecount=1", side]).ok()?;
    }
    for _ in 0..3 {
        pair.sync()?;
    }
    lab.zrep(&["expire", "all"]).ok()?;
    for side in [SOURCE, TARGET] {
        let mut found = pair.shorts(side)?;
        let newest = found.pop();
        ensure!(newest.as_deref() == Some("zrep_000003"), "{side}: {newest:?}");
        found.sort();
        let mut expected = OTHERS.to_vec();
        expected.sort_unstable();
        ensure!(found == expected, "{side}: expected {expected:?}, found {found:?}");
    }
    pair.same()
}
