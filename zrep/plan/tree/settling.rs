//! Where each child gets on the target: the names there are followed through all renames, in an order in which each of them is possible.

use super::{Child, Fate};
use crate::model::{Side, State};
use crate::props::{is_below, snapshot_by_guid};
use crate::refusal::{Refusal, Why};
use zfs_ffi::DatasetName;

/// A child of the source on its way to its place.
pub(super) struct Place<'a> {
    source: &'a State,
    to: Result<DatasetName, Refusal>,
    fate: Option<Fate<'a>>,
    after: Vec<DatasetName>,
}

impl<'a> Place<'a> {
    pub(super) fn new(source: &'a State, to: Result<DatasetName, Refusal>) -> Self {
        Self {
            source,
            to,
            fate: None,
            after: Vec::new(),
        }
    }
}

/// What is in the target's tree and no part of the pairing.
#[derive(Clone, Copy)]
pub(super) struct Others<'t, 'a> {
    /// Sides of other pairings.
    pub(super) foreign: &'t [&'a State],
    /// What somebody has made there.
    pub(super) strangers: &'t [&'a State],
}

impl Others<'_, '_> {
    fn has(&self, name: &DatasetName) -> bool {
        self.foreign.iter().any(|state| state.name == *name)
    }

    /// What a rename would take along.
    fn in_it(&self, name: &DatasetName) -> Option<DatasetName> {
        let mut all = self.foreign.iter().chain(self.strangers);
        let found = all.find(|state| is_below(state.name.as_str(), name.as_str()))?;
        Some(found.name.clone())
    }
}

/// The target's names while one rename follows the other.
pub(super) struct Settling<'t, 'a> {
    targets: &'t [&'a State],
    /// What each is called by now; nothing once its data was seen to be half received, and something else.
    places: Vec<Option<DatasetName>>,
    /// The children of the source whose renames have moved it.
    moves: Vec<Vec<DatasetName>>,
    others: Others<'t, 'a>,
    top: &'t DatasetName,
    children: Vec<Place<'a>>,
    owners: &'t [Option<usize>],
}

impl<'t, 'a> Settling<'t, 'a> {
    pub(super) fn new(
        top: &'t DatasetName,
        children: Vec<Place<'a>>,
        owners: &'t [Option<usize>],
        targets: &'t [&'a State],
        others: Others<'t, 'a>,
    ) -> Self {
        Self {
            places: targets.iter().map(|state| Some(state.name.clone())).collect(),
            moves: vec![Vec::new(); targets.len()],
            targets,
            others,
            top,
            children,
            owners,
        }
    }

    /// Each child in its place, or why it has none.
    pub(super) fn settled(mut self) -> Vec<Child<'a>> {
        while self.settle_more() {}
        self.finish()
    }

    /// Whether another child has found its place.
    fn settle_more(&mut self) -> bool {
        (0..self.children.len()).filter(|index| self.settle(*index)).count() > 0
    }

    fn settle(&mut self, index: usize) -> bool {
        let child = &self.children[index];
        if child.fate.is_some() {
            return false;
        }
        let fate = match (child.to.clone(), self.owners[index]) {
            (Err(refusal), _) => Some(Fate::Refused(Box::new(refusal))),
            (Ok(to), Some(at)) => self.settle_known(index, at, to),
            (Ok(to), None) => self.settle_new(index, to),
        };
        let is_settled = fate.is_some();
        self.children[index].fate = fate;
        is_settled
    }

    fn settle_known(&mut self, index: usize, at: usize, to: DatasetName) -> Option<Fate<'a>> {
        let target = self.targets[at];
        let now = self.places[at].clone()?;
        if now == to {
            let after = self.moves[at].clone();
            self.children[index].after.extend(after);
            return Some(Fate::Known {
                target,
                renamed: None,
                to,
            });
        }
        if !self.is_free(&to) || is_below(to.as_str(), now.as_str()) || self.others.in_it(&target.name).is_some() {
            return None;
        }
        let parent = self.parent(index, &to)?;
        let mover = self.children[index].source.name.clone();
        let mut after = [parent, self.movers_from(&to), self.moves[at].clone()].concat();
        self.children[index].after.append(&mut after);
        self.rename(&now, &to, &mover);
        Some(Fate::Known {
            target,
            renamed: Some(now),
            to,
        })
    }

    fn settle_new(&mut self, index: usize, to: DatasetName) -> Option<Fate<'a>> {
        let source = self.children[index].source;
        let begun = self.at(&to).filter(|at| is_begun(source, self.targets[*at]));
        if begun.is_none() && !self.is_free(&to) {
            return None;
        }
        let parent = self.parent(index, &to)?;
        let mut after = [parent, self.movers_from(&to)].concat();
        self.children[index].after.append(&mut after);
        Some(Fate::New {
            begun: begun.map(|at| self.targets[at]),
            to,
        })
    }

    fn at(&self, name: &DatasetName) -> Option<usize> {
        self.places.iter().position(|place| place.as_ref() == Some(name))
    }

    fn is_free(&self, name: &DatasetName) -> bool {
        let is_new = |child: &Place<'_>| matches!(&child.fate, Some(Fate::New { to, .. }) if to == name);
        self.at(name).is_none() && !self.others.has(name) && !self.children.iter().any(is_new)
    }

    /// Whom a child waits for because of its parent; nothing if that is not there yet.
    fn parent(&self, index: usize, to: &DatasetName) -> Option<Vec<DatasetName>> {
        let above = to.parent()?;
        if above == *self.top {
            return Some(Vec::new());
        }
        let own = self.children[index].source.name.parent()?;
        let found = self.children.iter().find(|child| child.source.name == own)?;
        match &found.fate {
            Some(Fate::New { to, .. }) if *to == above => Some(vec![own]),
            Some(Fate::Known { renamed: None, to, .. }) if *to == above => Some(found.after.clone()),
            Some(Fate::Known {
                renamed: Some(_), to, ..
            }) if *to == above => Some(vec![own]),
            Some(Fate::New { .. } | Fate::Known { .. } | Fate::Refused(_)) | None => None,
        }
    }

    /// The children whose renames have left a place free.
    fn movers_from(&self, place: &DatasetName) -> Vec<DatasetName> {
        let left = |child: &&Place<'_>| matches!(&child.fate, Some(Fate::Known { renamed: Some(now), .. }) if now == place || is_below(place.as_str(), now.as_str()));
        self.children
            .iter()
            .filter(left)
            .map(|child| child.source.name.clone())
            .collect()
    }

    /// What is below moves along.
    fn rename(&mut self, from: &DatasetName, to: &DatasetName, mover: &DatasetName) {
        for (place, moves) in self.places.iter_mut().zip(&mut self.moves) {
            let Some(name) = place.as_ref().map(DatasetName::as_str) else {
                continue;
            };
            if name == from.as_str() || is_below(name, from.as_str()) {
                *place = DatasetName::new(&format!("{to}{}", &name[from.as_str().len()..])).ok();
                moves.push(mover.clone());
            }
        }
    }

    fn finish(self) -> Vec<Child<'a>> {
        let taken: Vec<Option<Refusal>> = (0..self.children.len()).map(|index| self.obstacle(index)).collect();
        let settled = self.children.into_iter().zip(taken);
        settled
            .map(|(place, refusal)| {
                let refused = || {
                    Fate::Refused(Box::new(
                        refusal.unwrap_or_else(|| Refusal::source(&place.source.name, Why::Missing)),
                    ))
                };
                Child {
                    source: place.source,
                    fate: place.fate.unwrap_or_else(refused),
                    after: place.after,
                }
            })
            .collect()
    }

    /// What keeps a child from its place.
    fn obstacle(&self, index: usize) -> Option<Refusal> {
        let child = &self.children[index];
        let to = child.to.as_ref().ok().filter(|_| child.fate.is_none())?;
        if let Some(refusal) = self.not_alone(index, to) {
            return Some(refusal);
        }
        let source = child.source.name.clone();
        let is_there = self.at(to).is_some() || self.others.has(to);
        let why = if is_there {
            Why::PlaceTaken { source }
        } else {
            Why::ParentMissing { source }
        };
        Some(Refusal {
            side: Side::Target,
            dataset: to.to_string(),
            why,
        })
    }
}

impl Settling<'_, '_> {
    /// What is in a child that would have to be renamed keeps it from that.
    fn not_alone(&self, index: usize, to: &DatasetName) -> Option<Refusal> {
        let target = self.targets[self.owners[index]?];
        let other = self.others.in_it(&target.name)?;
        let why = Why::NotAloneBelow { other, to: to.clone() };
        (target.name != *to).then(|| Refusal::target(&target.name, why))
    }
}

/// Whether the target's child is the beginning of a first receive of the source's.
fn is_begun(source: &State, target: &State) -> bool {
    let of_source = |to_name: &str| to_name.split('@').next() == Some(source.name.as_str());
    let partial = target
        .partial
        .as_ref()
        .filter(|_| target.inconsistent && target.snapshots.is_empty());
    partial.is_some_and(|partial| snapshot_by_guid(source, partial.to_guid).is_some() || of_source(&partial.to_name))
}
