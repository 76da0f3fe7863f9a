//! Pairings of trees: a dataset with others below it, and its replica.

use anyhow::{Context, Result, ensure};

use super::pair::{Pair, SOURCE, TARGET, short_of};
use crate::fixture::{Lab, Snapshot};

/// The source with children: files in each, a volume, one below another.
pub const CHILDREN: [&str; 3] = ["one", "one/deep one", "two"];
pub const VOLUME: &str = "a volume";

/// `src/a b` and its children, each with a file in it.
pub fn plant(lab: &Lab) -> Result<()> {
    lab.create(SOURCE)?;
    lab.write(SOURCE, "dir one/file", "of the beginning")?;
    for child in CHILDREN {
        grow(lab, &format!("{SOURCE}/{child}"))?;
    }
    lab.zfs(&["create", "-s", "-V", "16M", &format!("{SOURCE}/{VOLUME}")])
        .ok()?;
    Ok(())
}

/// A dataset with a file in it.
pub fn grow(lab: &Lab, name: &str) -> Result<()> {
    lab.create(name)?;
    lab.write(name, "file", name)
}

/// The tree and its replica on HOST.
pub fn paired<'a>(lab: &'a Lab, host: &str) -> Result<Pair<'a>> {
    plant(lab)?;
    lab.zrep(&["-R", "init", SOURCE, host, TARGET]).ok()?;
    Ok(Pair::known(lab, SOURCE, TARGET))
}

impl Pair<'_> {
    /// A child on both sides.
    pub fn child(&self, name: &str) -> Self {
        Self::known(
            self.lab,
            &format!("{}/{name}", self.source),
            &format!("{}/{name}", self.target),
        )
    }

    /// The newest snapshots of both tops and of these children are the same ones, all of one name.
    pub fn same_trees(&self, children: &[&str]) -> Result<()> {
        let short = short_of(&self.newest(&self.source)?);
        let tops = [Self::known(self.lab, &self.source, &self.target)];
        for pair in tops.into_iter().chain(children.iter().map(|name| self.child(name))) {
            let [source, target] = [self.newest(&pair.source)?, self.newest(&pair.target)?];
            ensure!(source.guid == target.guid, "{source:?} {target:?}");
            ensure!(short_of(&source) == short, "{source:?} is not @{short}");
        }
        Ok(())
    }

    /// The files of these children are the same in the newest snapshots.
    pub fn same_files(&self, children: &[&str]) -> Result<()> {
        for name in children {
            let child = self.child(name);
            let [ours, theirs] = [self.newest(&child.source)?, self.newest(&child.target)?];
            let tree = self.lab.snapshot_tree(&ours.name)?;
            tree.same_as(&self.lab.snapshot_tree(&theirs.name)?)
                .with_context(|| name.to_string())?;
        }
        Ok(())
    }
}

/// The transaction group of a snapshot.
pub fn txg(lab: &Lab, snapshot: &Snapshot) -> Result<String> {
    Ok(lab.property(&snapshot.name, "createtxg")?.value)
}
