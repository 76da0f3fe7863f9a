//! What somebody else has on the pools: P4 says that it stays, whatever zrep does.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::node::Node;
use crate::host::session::quote;

/// In the name of all that is not zrep's.
const MARK: &str = "by-hand";

/// What was there, by its identity: a name may change, and a dataset may go aside.
#[derive(Clone, Debug, Default)]
pub struct Foreign(BTreeMap<Identity, String>);

/// A bookmark has the guid of its snapshot, so a guid is not enough.
type Identity = (u64, Option<char>);

impl Foreign {
    /// Makes a dataset of somebody else, with a snapshot and a bookmark.
    pub fn plant(node: &Node, pool: &str) -> Result<()> {
        let dataset = quote(&format!("{pool}/{MARK} of somebody"));
        node.ok(&format!(
            "zfs create {dataset} && cp /etc/passwd /{dataset}/ && \
             zfs snapshot {dataset}@{MARK} && zfs bookmark {dataset}@{MARK} {dataset}#{MARK}"
        ))?;
        Ok(())
    }

    /// Makes a snapshot of somebody else of a dataset that is zrep's.
    pub fn snapshot(node: &Node, dataset: &str, label: &str) -> Result<()> {
        let snapshot = quote(&format!("{dataset}@{MARK} before {label}"));
        node.ok(&format!("zfs snapshot {snapshot}"))?;
        Ok(())
    }

    /// What has gone since the last time. What is there now has to stay.
    pub fn settle(&mut self, node: &Node, pool: &str) -> Result<Vec<String>> {
        let there = list(node, pool)?;
        let gone = self.0.iter().filter(|(identity, _)| !there.contains_key(identity));
        let gone = gone
            .map(|(_, name)| format!("P4: {name} on {} is gone", node.name()))
            .collect();
        self.0 = there.into_iter().filter(|(_, name)| name.contains(MARK)).collect();
        Ok(gone)
    }
}

fn list(node: &Node, pool: &str) -> Result<BTreeMap<Identity, String>> {
    let lines = node.ok(&format!(
        "zfs list -Hp -t filesystem,snapshot,bookmark -o guid,name -r {pool}"
    ))?;
    lines
        .iter()
        .map(|line| parse(line).with_context(|| line.clone()))
        .collect()
}

fn parse(line: &str) -> Option<(Identity, String)> {
    let (guid, name) = line.split_once('\t')?;
    let kind = name.chars().find(|c| ['@', '#'].contains(c));
    Some(((guid.parse().ok()?, kind), name.to_owned()))
}
