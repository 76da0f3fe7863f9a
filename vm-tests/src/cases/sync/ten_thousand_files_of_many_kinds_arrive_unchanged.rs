//! Sparse, linked, long-named, odd and large files, their modes, owners, times, ACLs and
//! attributes are on the target as on the source, at first and after many changes.

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::forest::{Forest, links};
use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.zfs(&["create", "-o", "acltype=posix", "-o", "xattr=sa", SOURCE])
        .ok()?;
    let root = lab.mountpoint(SOURCE)?;
    let mut forest = Forest::plant(&root, 10_000, Chance::new())?;
    let pair = Pair::init(lab, SOURCE, TARGET)?;
    pair.same()?;
    for _ in 0..20 {
        forest.change(100)?;
        pair.sync()?;
    }
    pair.same()?;
    pair.has(
        TARGET,
        &[
            "zrep_000010",
            "zrep_000011",
            "zrep_000012",
            "zrep_000013",
            "zrep_000014",
        ],
    )?;
    let count: usize = lab
        .sh(&format!("find '{}' | wc -l", root.display()))
        .ok()?
        .stdout
        .trim()
        .parse()?;
    ensure!(count > 10_000, "only {count} files");

    let ours = links(&root)?;
    let at = lab.dir().join("target");
    lab.sh(&format!(
        "mkdir '{0}' && mount -t zfs -o ro '{TARGET}@zrep_000014' '{0}'",
        at.display()
    ))
    .ok()?;
    let theirs = links(&at)?;
    ensure!(ours.len() > 100, "only {} files have several names", ours.len());
    ensure!(ours == theirs, "hard links are linked otherwise");
    Ok(())
}
