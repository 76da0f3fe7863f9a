//! `refresh` of a target with a snapshot of its own is refused; `refresh -f` names what is discarded, and goes on: with a filesystem, a volume of another tag, and a tree.

use anyhow::Result;

use crate::cases::grove::grow;
use crate::cases::pair::{Pair, write_volume};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";
const COPY: &str = "dst/its copy";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("file", "new")?;
    refused_until_forced(lab, &pair.target, &[&pair.target])?;
    pair.same()?;
    pair.marked()?;

    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    lab.zrep(&["-t", "uk", "init", VOLUME, "localhost", COPY]).ok()?;
    write_volume(VOLUME, 0, &[7; 65536])?;
    refused_until_forced(lab, COPY, &["-t", "uk", COPY])?;
    let volume = Pair::known(lab, VOLUME, COPY);
    volume.has(COPY, &["uk_000000", "uk_000001"])?;
    volume.same_snapshots()?;

    grow(lab, "src/tree")?;
    grow(lab, "src/tree/one")?;
    lab.zrep(&["-R", "init", "src/tree", "localhost", "dst/tree"]).ok()?;
    refused_until_forced(lab, "dst/tree/one", &["dst/tree"])?;
    let tree = Pair::known(lab, "src/tree", "dst/tree");
    tree.same_trees(&["one"])?;
    tree.same_files(&["one"])
}

fn refused_until_forced(lab: &Lab, diverged: &str, args: &[&str]) -> Result<()> {
    lab.zfs(&["snapshot", &format!("{diverged}@mine")]).ok()?;
    lab.zrep(&[&["refresh"], args].concat())
        .exits(1)?
        .says(&format!("target {diverged}: has 1 snapshot that "))?;
    lab.zrep(&[&["refresh", "-f"], args].concat())
        .ok()?
        .says("This discards 1 snapshot (mine)")?;
    Ok(())
}
