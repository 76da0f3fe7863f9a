//! `expire` and `clear` of a recursive pairing take what is below along, on the side and to the number that was asked for; what others have named stays.

use anyhow::{Result, ensure};

use crate::cases::grove::{CHILDREN, VOLUME, paired};
use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = paired(lab, "localhost")?;
    for _ in 0..3 {
        pair.sync()?;
    }
    for (args, count, kept) in [
        (&["expire", "-L", SOURCE][..], 2, [2, 4]),
        (&["expire", TARGET], 2, [2, 2]),
        (&["expire"], 1, [1, 1]),
    ] {
        for side in [SOURCE, TARGET] {
            lab.zfs(&["set", &format!("zrep:savecount={count}"), side]).ok()?;
        }
        lab.zrep(args).ok()?;
        have(&pair, kept)?;
    }
    pair.sync()?;
    pair.same_trees(&CHILDREN)?;

    lab.zfs(&["snapshot", "src/a b/one@daily"]).ok()?;
    lab.refuses(&["clear", SOURCE], "nobody has agreed")?
        .helps("of src/a b/one/deep one: zrep_000004")?;
    lab.zrep(&["clear", "-f", SOURCE]).ok()?;
    pair.has("src/a b/one", &["daily"])?;
    for left in ["src/a b/one/deep one", "src/a b/a volume", SOURCE] {
        pair.has(left, &[])?;
    }
    expect_property(lab, SOURCE, "zrep:recursive", "-", "-")?;
    ensure!(lab.read("src/a b/two", "file")? == b"src/a b/two");
    pair.has("dst/copy of a b/one", &["zrep_000004"])?;
    lab.zrep(&["clear", "-f", TARGET]).ok()?;
    pair.has("dst/copy of a b/one", &[])?;
    ensure!(lab.exists("dst/copy of a b/one/deep one"));
    ensure!(lab.zrep(&["list"]).ok()?.stdout.is_empty());
    Ok(())
}

/// Each dataset of the two trees has so many snapshots.
fn have(pair: &Pair<'_>, [source, target]: [usize; 2]) -> Result<()> {
    let children = CHILDREN.into_iter().chain([VOLUME]).map(|name| pair.child(name));
    for pair in children.chain([pair.clone()]) {
        let found = [pair.shorts(&pair.source)?, pair.shorts(&pair.target)?];
        ensure!(
            found[0].len() == source && found[1].len() == target,
            "{}: expected {source} and {target}, found {found:?}",
            pair.source
        );
    }
    Ok(())
}
