//! What grows in the old place of what was set aside: a clone of the last state that both sides have, of each dataset.

use super::{Scene, role};
use crate::model::State;
use crate::plan::base::{newest_common, require_common};
use crate::plan::pairing::Identity;
use crate::plan::tree::belong;
use crate::plan::{Action, Stage};
use crate::refusal::{Refusal, Why};
use zfs_ffi::DatasetName;

impl Scene<'_> {
    /// The name of a dataset of the tree of `from` in the tree of `to`.
    pub(super) fn moved(&self, from: &DatasetName, name: &DatasetName, to: &DatasetName) -> Option<DatasetName> {
        let rest = name.as_str().strip_prefix(from.as_str())?;
        DatasetName::new(&format!("{to}{rest}")).ok()
    }

    /// What has a name in the old place by now, if a rejoin was cut off behind its renaming.
    fn regrown_already(&self, name: &DatasetName) -> Option<&State> {
        let top = self.old.filter(|_| self.renamed.is_some());
        let all = top.into_iter().flat_map(|top| [top].into_iter().chain(&self.below.old));
        all.into_iter().find(|state| state.name == *name)
    }

    fn has_common(&self, state: &State) -> bool {
        let mut of_new = [self.new].into_iter().chain(&self.below.new);
        of_new.any(|new| newest_common(new, state).is_some())
    }
}

/// Clones and promotes `was`, and each of `below` that the new master has, too, unless that was done already.
///
/// N.B. a clone has none of its origin's snapshots until it is promoted, and cannot be promoted twice.
pub(super) fn regrown(me: &Identity, scene: &Scene<'_>, was: &State, below: &[State]) -> Result<Vec<Stage>, Refusal> {
    let mut stages = match scene.regrown_already(scene.name) {
        Some(top) if scene.has_common(top) => Vec::new(),
        Some(_) => vec![promoted(scene.name)],
        None => vec![clone_of_top(me, scene, was)?, promoted(scene.name)],
    };
    let mut places = vec![scene.name.clone()];
    for state in below {
        let Some(place) = scene.moved(&was.name, &state.name, scene.name) else {
            continue;
        };
        // N.B. what was made behind the last sync has no place there, and nothing below it has.
        let has_parent = place.parent().is_some_and(|parent| places.contains(&parent));
        match scene.regrown_already(&place) {
            Some(there) if scene.has_common(there) => {}
            Some(_) => stages.push(promoted(&place)),
            None => match base_of(me, scene, state).filter(|_| has_parent) {
                Some(base) => {
                    stages.extend(clone_of(scene, (was, state), base, &place));
                    stages.push(promoted(&place));
                }
                None => continue,
            },
        }
        places.push(place);
    }
    Ok(stages)
}

/// The last state that both have, under the old name: a replica from its first moment.
fn clone_of_top(me: &Identity, scene: &Scene<'_>, was: &State) -> Result<Stage, Refusal> {
    let common = require_common(me, was, scene.new)?;
    let base = was
        .snapshots
        .iter()
        .find(|snapshot| snapshot.guid == common.base.guid)
        .map(|snapshot| snapshot.name.clone());
    let Some(base) = base else {
        let why = Why::NoCommonSnapshot {
            source: scene.new.name.clone(),
            source_newest: scene.new.newest().map(|newest| newest.name.clone()),
            target_newest: was.newest().map(|newest| newest.name.clone()),
            host: me.host.clone(),
        };
        return Err(Refusal::source(scene.name, why));
    };
    let snapshot = scene
        .aside
        .snapshot(&base)
        .map_err(|error| Refusal::source(scene.aside, Why::BadSnapshotName(error)))?;
    let clone = Action::Clone {
        snapshot,
        name: scene.name.clone(),
        properties: role(me, scene, was)?,
    };
    Ok(Stage::source(vec![clone]))
}

/// The same of a child, which has no role of its own.
fn clone_of(scene: &Scene<'_>, (was, state): (&State, &State), base: &str, place: &DatasetName) -> Option<Stage> {
    let snapshot = scene.moved(&was.name, &state.name, scene.aside)?.snapshot(base).ok()?;
    let clone = Action::Clone {
        snapshot,
        name: place.clone(),
        properties: Vec::new(),
    };
    Some(Stage::source(vec![clone]))
}

/// The newest of a child's snapshots that its counterpart on the new master has, under whatever name.
fn base_of<'a>(me: &Identity, scene: &Scene<'_>, state: &'a State) -> Option<&'a str> {
    let counterpart = scene.below.new.iter().find(|new| belong(me, new, state))?;
    newest_common(counterpart, state).map(|common| common.on_target.name.as_str())
}

fn promoted(name: &DatasetName) -> Stage {
    Stage::source(vec![Action::Promote(name.clone())])
}
