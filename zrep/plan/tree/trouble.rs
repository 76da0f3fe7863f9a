//! What is the matter below one end of a recursive pairing, as far as that side alone can tell.

use super::split_nested;
use crate::model::State;
use crate::plan::pairing::Identity;
use crate::props::View;
use crate::refusal::quoted;
use zfs_ffi::DatasetName;

/// What is the matter with a child, as far as its own side alone can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble<'a> {
    /// It does not have the snapshot that was synced last: its source is gone, it is new, or it was refused.
    Behind(&'a State),
    /// It can be written to, and its top is a replica.
    Writable(&'a State),
}

/// Looks at what is below one end of a recursive pairing. `last` is the top's snapshot that was synced last.
pub fn troubles<'a>(me: &Identity, top: &State, last: Option<&str>, below: &'a [State]) -> Vec<Trouble<'a>> {
    let is_replica = !View::new(top, &me.tag).is_master();
    let has = |state: &State| last.is_none_or(|last| state.snapshots.iter().any(|snapshot| snapshot.name == last));
    let (children, _) = split_nested(me, below);
    let trouble = |state: &'a State| match has(state) {
        false => Some(Trouble::Behind(state)),
        true => (is_replica && top.readonly && !state.readonly).then_some(Trouble::Writable(state)),
    };
    children.into_iter().filter_map(trouble).collect()
}

impl Trouble<'_> {
    /// The child.
    pub fn name(&self) -> &DatasetName {
        match self {
            Self::Behind(state) | Self::Writable(state) => &state.name,
        }
    }

    /// For people, in one line.
    pub fn told(&self, is_master: bool) -> String {
        let name = self.name();
        match self {
            Self::Writable(_) => format!(
                "{name}: can be written to: what is written makes the next sync of it fail. Next: `zfs inherit readonly {}`",
                quoted(name.as_str())
            ),
            Self::Behind(state) => {
                let newest = state.newest().map_or_else(
                    || "no snapshot".to_owned(),
                    |newest| format!("@{} and nothing newer", newest.name),
                );
                let why = match (is_master, state.snapshots.is_empty()) {
                    (true, _) => "the next sync takes it along, or says why not",
                    (false, true) => "nothing of it came from the other side; what is in it is here only",
                    (false, false) => {
                        "it has no source any more, or could not be sent; it is kept until somebody destroys it"
                    }
                };
                format!("{name}: was not part of the last sync, has {newest}; {why}")
            }
        }
    }
}
