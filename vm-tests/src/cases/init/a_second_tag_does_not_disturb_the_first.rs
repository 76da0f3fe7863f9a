//! One source can have a second target under another tag. Each pairing has its own
//! bookkeeping, and the second target knows nothing of the first.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const SECOND: &str = "dst/copy for the uk";

pub fn run(lab: &Lab) -> Result<()> {
    let first = Pair::new(lab)?;
    first.sync()?;
    let marks = |dataset: &str| {
        lab.sh(&format!(
            "zfs get -Hp all '{dataset}' | grep -P '\\tzrep:|\\treadonly' | sort"
        ))
    };
    let before = [marks(SOURCE).ok()?.stdout.clone(), marks(TARGET).ok()?.stdout.clone()];

    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", SECOND]).ok()?;
    let after = [marks(SOURCE).ok()?.stdout.clone(), marks(TARGET).ok()?.stdout.clone()];
    ensure!(
        before == after,
        "the first pairing is not as it was: {before:#?} {after:#?}"
    );
    let copied = lab.zfs(&["get", "-H", "-o", "property,value", "all", SECOND]).ok()?;
    ensure!(!copied.stdout.contains("zrep:"), "{copied}");

    for name in ["one", "two"] {
        first.write(name, name)?;
        first.sync()?;
        first.same()?;
        lab.zrep(&["-t", "uk", "sync", SOURCE]).ok()?;
    }
    let second = Pair::known(lab, SOURCE, SECOND);
    second.has(SECOND, &["uk_000000", "uk_000001", "uk_000002"])?;
    second.same()
}
