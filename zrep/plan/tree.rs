//! Which dataset below the one end of a recursive pairing belongs to which below the other.
//!
//! Names do not decide that, guids do: a child of the target belongs to the child of the source that has one of its snapshots. So what was renamed on the source is found, and
//! renamed on the target; and what has another one's name is not taken for it.

use crate::model::{Below, Origin, Setting, Snapshot, State};
use crate::names::Naming;
use crate::plan::pairing::Identity;
use crate::props::{Key, Tag, View, is_below, snapshot_by_guid};
use crate::refusal::{Refusal, Why};
use settling::{Others, Place, Settling};
use zfs_ffi::DatasetName;

mod settling;
pub mod trouble;

/// Both trees, child by child.
#[derive(Debug)]
pub struct Matched<'a> {
    /// The children of the source, a parent before its own.
    pub children: Vec<Child<'a>>,
    /// The target's children that belong to none of them.
    pub left: Vec<&'a State>,
}

/// A child of the source, and what becomes of it.
#[derive(Debug)]
pub struct Child<'a> {
    /// The child.
    pub source: &'a State,
    /// What becomes of it.
    pub fate: Fate<'a>,
    /// The children of the source that must have arrived before.
    pub after: Vec<DatasetName>,
}

/// What becomes of a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate<'a> {
    /// The target has it, perhaps under another name.
    Known {
        /// The target's child as it was observed.
        target: &'a State,
        /// What it is called before this child's own plan begins, if that is not yet what it shall be called.
        renamed: Option<DatasetName>,
        /// What it shall be called.
        to: DatasetName,
    },
    /// The target does not have it, or has the beginning of a first receive.
    New {
        /// That beginning.
        begun: Option<&'a State>,
        /// What it shall be called.
        to: DatasetName,
    },
    /// It is not replicated.
    Refused(Box<Refusal>),
}

/// Refuses what is not done with a recursive pairing, where its top is the source.
pub fn require_one(me: &Identity, source: &State, what: &str, help: &str) -> Result<(), Refusal> {
    match View::new(source, &me.tag).is_recursive() {
        false => Ok(()),
        true => {
            let (what, help) = (what.to_owned(), help.to_owned());
            Err(Refusal::source(&source.name, Why::NotForTrees { what, help }))
        }
    }
}

/// Matches the children of two tops.
pub fn matched<'a>(me: &Identity, source: &State, target: &State, below: &'a Below) -> Matched<'a> {
    let (children, nested) = split_nested(me, &below.source);
    let (of_target, mut foreign) = split_nested(me, &below.target);
    let (of_target, of_others) = split_others(me, of_target);
    let owners = owners(me, &children, &of_target, |child| place(source, target, child));
    foreign.extend(of_others);
    let strangers: Vec<&State> = of_target
        .iter()
        .copied()
        .filter(|state| is_strange(me, state))
        .collect();
    let places = children
        .iter()
        .map(|child| Place::new(child, place(source, target, child)));
    let settling = Settling::new(
        &target.name,
        places.collect(),
        &owners,
        &of_target,
        Others {
            foreign: &foreign,
            strangers: &strangers,
        },
    );
    let mut found = settling.settled();
    let tag = me.tag.to_string();
    found.extend(nested.into_iter().map(|state| Child {
        source: state,
        fate: Fate::Refused(Box::new(Refusal::source(
            &state.name,
            Why::Nested {
                top: source.name.clone(),
                tag: tag.clone(),
            },
        ))),
        after: Vec::new(),
    }));
    found.sort_by(|one, other| one.source.name.cmp(&other.source.name));
    let is_owned = |index: &usize| owners.contains(&Some(*index));
    let left = (0..of_target.len()).filter(|index| !is_owned(index));
    Matched {
        left: left.map(|index| of_target[index]).collect(),
        children: found,
    }
}

impl Below {
    /// What has the roles of the tops.
    pub fn own(&self, me: &Identity) -> Self {
        Self {
            source: own(me, &self.source),
            target: own(me, &self.target),
        }
    }
}

/// What is below one end, without what has a pairing of its own: that has roles of its own, too.
pub fn own(me: &Identity, below: &[State]) -> Vec<State> {
    split_nested(me, below).0.into_iter().cloned().collect()
}

/// What is below one end and is neither turned nor set aside with it: what has a pairing of its own, and what receives the streams of another tag's, each with
/// all below it. `called` is what a dataset was called when its properties were set.
pub fn apart(me: &Identity, below: &[State], called: impl Fn(&State) -> String) -> (Vec<State>, Vec<DatasetName>) {
    let is_top = |state: &&State| View::new(state, &me.tag).is_paired() || receives_as(&me.tag, state, &called(state));
    let tops: Vec<&State> = below.iter().filter(is_top).collect();
    let is_in = |state: &State| tops.iter().any(|top| is_below(state.name.as_str(), top.name.as_str()));
    let outermost = tops.iter().filter(|top| !is_in(top)).map(|top| top.name.clone());
    let own = |state: &&State| !is_in(state) && !tops.iter().any(|top| top.name == state.name);
    (below.iter().filter(own).cloned().collect(), outermost.collect())
}

/// The children that have a pairing of their own under this tag stand apart, and what is below those belongs to them.
fn split_nested<'a>(me: &Identity, states: &'a [State]) -> (Vec<&'a State>, Vec<&'a State>) {
    let nested: Vec<&State> = states
        .iter()
        .filter(|state| View::new(state, &me.tag).is_paired())
        .collect();
    let is_in = |state: &&State| {
        let inside = |top: &&State| top.name == state.name || is_below(state.name.as_str(), top.name.as_str());
        nested.iter().any(inside)
    };
    (states.iter().filter(|state| !is_in(state)).collect(), nested)
}

/// What receives the streams of another tag's pairing stands apart, with what is below it: two of them in one dataset would undo each other.
fn split_others<'a>(me: &Identity, states: Vec<&'a State>) -> (Vec<&'a State>, Vec<&'a State>) {
    let tops: Vec<&State> = states
        .iter()
        .copied()
        .filter(|state| receives_for_others(&me.tag, state))
        .collect();
    let is_in = |state: &&State| {
        let inside = |top: &&State| top.name == state.name || is_below(state.name.as_str(), top.name.as_str());
        tops.iter().any(inside)
    };
    states.into_iter().partition(|state| !is_in(state))
}

/// Whether a dataset is the target of another tag's pairing, and no master of it.
pub fn receives_for_others(tag: &Tag, state: &State) -> bool {
    receives_as(tag, state, state.name.as_str())
}

/// The same of one that was called so when its pair was noted.
fn receives_as(tag: &Tag, state: &State, called: &str) -> bool {
    let own = tag.property(Key::DestFs);
    let names_itself = |(name, setting): (&String, &Setting)| {
        let is_master = |tag: &str| {
            let master = state.user.get(&format!("{tag}:master"));
            master.is_some_and(|master| master.origin != Origin::Inherited && master.value == "yes")
        };
        let of_other = name.strip_suffix(":dest-fs").filter(|_| *name != own);
        setting.origin != Origin::Inherited && setting.value == called && of_other.is_some_and(|tag| !is_master(tag))
    };
    state.user.iter().any(names_itself)
}

/// Whether nothing of the pairing is in it: it was made by somebody else.
fn is_strange(me: &Identity, state: &State) -> bool {
    let is_own = |name: &str| Naming::of(&me.tag, name).is_own();
    !state.inconsistent && !state.snapshots.iter().any(|snapshot| is_own(&snapshot.name))
}

/// Where a child belongs on the target. The name may be too long there.
fn place(source: &State, target: &State, child: &State) -> Result<DatasetName, Refusal> {
    let rest = child
        .name
        .as_str()
        .strip_prefix(source.name.as_str())
        .unwrap_or_default();
    DatasetName::new(&format!("{}{rest}", target.name)).map_err(|error| {
        Refusal::target(
            &target.name,
            Why::BadChildName {
                child: child.name.clone(),
                error,
            },
        )
    })
}

/// For each child of the source the index of the target's child that has its data: the one in its place, or the only other one.
fn owners(
    me: &Identity,
    children: &[&State],
    targets: &[&State],
    place: impl Fn(&State) -> Result<DatasetName, Refusal>,
) -> Vec<Option<usize>> {
    let mut owners: Vec<Option<usize>> = children
        .iter()
        .map(|child| {
            let to = place(child).ok()?;
            targets
                .iter()
                .position(|state| state.name == to && belong(me, child, state))
        })
        .collect();
    for index in 0..children.len() {
        if owners[index].is_some() {
            continue;
        }
        let free = |at: &usize| !owners.contains(&Some(*at)) && belong(me, children[index], targets[*at]);
        let mut candidates = (0..targets.len()).filter(free);
        // N.B. with two copies nobody knows which one is meant.
        owners[index] = candidates.next().filter(|_| candidates.next().is_none());
    }
    owners
}

/// Whether `target` is the replica of `source`.
///
/// N.B. only a snapshot that the pairing has made tells: those of others may have come with another pairing's streams.
pub(in crate::plan) fn belong(me: &Identity, source: &State, target: &State) -> bool {
    let own = |snapshot: &&Snapshot| Naming::of(&me.tag, &snapshot.name).is_own();
    let is_known = |guid| {
        snapshot_by_guid(source, guid).is_some() || source.bookmarks.iter().any(|bookmark| bookmark.guid == guid)
    };
    target
        .snapshots
        .iter()
        .filter(own)
        .any(|snapshot| is_known(snapshot.guid))
}

#[cfg(test)]
mod tests;
