//! A child of a recursive pairing has no role of its own: the top has it.

use super::{Session, denied};
use crate::host::Error;
use crate::model::State;
use crate::plan::Action;
use crate::plan::pairing::is_named;
use crate::plan::tree::receives_for_others;
use crate::props::{View, is_below};
use zfs_ffi::DatasetName;

impl Session {
    /// The dataset whose pairing `state` is part of: itself, or the top of a recursive one.
    pub(super) fn top_of(&self, state: State) -> Result<State, Error> {
        let Some(top) = View::new(&state, &self.tag).top() else {
            return Ok(state);
        };
        let found = self.server.host.glance(&top)?;
        Ok(found
            .filter(|top| View::new(top, &self.tag).is_recursive())
            .unwrap_or(state))
    }

    /// Whether a dataset is a replica, or is part of one.
    pub(super) fn is_replica(&self, state: State) -> Result<bool, Error> {
        let top = self.top_of(state)?;
        let view = View::new(&top, &self.tag);
        Ok(view.is_paired() && !view.is_master() && view.link().is_none_or(|link| is_named(&link, &top)))
    }

    /// The top of the recursive pairing in whose tree a dataset lies, or would lie.
    pub(super) fn top_above(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        let Some(parent) = dataset.parent() else {
            return Ok(None);
        };
        let Some(parent) = self.server.host.glance(&parent)? else {
            return Ok(None);
        };
        let top = self.top_of(parent)?;
        Ok(Some(top).filter(|top| View::new(top, &self.tag).is_recursive()))
    }

    /// A peer renames what it replicates, and nothing else: a child within the tree of a replica.
    pub(super) fn look_at_rename(&self, action: &Action, from: &DatasetName, to: &DatasetName) -> Result<(), Error> {
        let refuse = |why: &str| {
            Err(denied(format!("{action}: {why}")).with_hint("no rule allows this; do it on that machine itself"))
        };
        let (Some(top), Some(other)) = (self.top_above(from)?, self.top_above(to)?) else {
            return refuse("it is no child of a recursive pairing");
        };
        let view = View::new(&top, &self.tag);
        let is_named = view.link().is_some_and(|link| is_named(&link, &top));
        let is_inside = top.name == other.name && is_below(from.as_str(), top.name.as_str());
        if !is_inside || view.is_master() || !is_named {
            return refuse("the two are no children of one replica");
        }
        match self.server.host.glance(from)? {
            Some(state) if self.is_of_another(&state) => refuse("it has a pairing of its own"),
            Some(_) if self.takes_others_along(from)? => refuse("something in it has a pairing of its own"),
            Some(_) | None => Ok(()),
        }
    }

    fn is_of_another(&self, state: &State) -> bool {
        View::new(state, &self.tag).is_paired() || receives_for_others(&self.tag, state)
    }

    fn takes_others_along(&self, from: &DatasetName) -> Result<bool, Error> {
        let below = self.server.host.observe_below(from)?;
        Ok(below.iter().any(|state| self.is_of_another(state)))
    }
}
