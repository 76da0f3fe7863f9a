//! What grows in the old place of what was set aside: a clone of the last state that both sides have, of each dataset.

use super::{Scene, role};
use crate::model::{Native, Snapshot, State};
use crate::plan::base::newest_common;
use crate::plan::pairing::Identity;
use crate::plan::tree::belong;
use crate::plan::{Action, Stage};
use crate::refusal::{Refusal, Why};
use zfs_ffi::DatasetName;

impl Scene<'_> {
    /// Whether more than the top grows anew.
    pub(super) fn is_tree(&self) -> bool {
        !self.below.old.is_empty() || !self.below.renamed.is_empty()
    }

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

/// What grows, and where.
pub(super) struct Regrown {
    pub(super) stages: Vec<Stage>,
    /// The datasets that will be there.
    places: Vec<DatasetName>,
}

impl Regrown {
    /// Whether there will be something to have a dataset of this name in it.
    pub(super) fn has_room_for(&self, name: &DatasetName) -> bool {
        name.parent().is_some_and(|parent| self.places.contains(&parent))
    }
}

/// Clones and promotes `was`, and each of `below` that the new master has, too, unless that was done already.
///
/// N.B. a clone has none of its origin's snapshots until it is promoted, and cannot be promoted twice. The top first: a promote makes the clone the
/// encryption root of what inherited its key from the origin, and reaches no clone of that.
pub(super) fn regrown(me: &Identity, scene: &Scene<'_>, was: &State, below: &[State]) -> Result<Regrown, Refusal> {
    let mut stages = match scene.regrown_already(scene.name) {
        Some(top) if is_regrown(scene, top, newest_common(scene.new, was).is_some()) => Vec::new(),
        Some(_) => vec![promoted(scene.name)],
        None => vec![clone_of_top(me, scene, was)?, promoted(scene.name)],
    };
    let mut places = vec![scene.name.clone()];
    for state in below {
        let Some(place) = scene.moved(&was.name, &state.name, scene.name) else {
            continue;
        };
        let base = base_of(me, scene, state);
        // N.B. what was made behind the last sync has no place there, and nothing below it has.
        let has_parent = place.parent().is_some_and(|parent| places.contains(&parent));
        match scene.regrown_already(&place) {
            Some(there) if is_regrown(scene, there, base.is_some()) => {}
            Some(_) => stages.push(promoted(&place)),
            None => match base.filter(|_| has_parent) {
                Some(base) => {
                    stages.extend(clone_of(scene, (was, state), base, &place));
                    stages.push(promoted(&place));
                }
                None => continue,
            },
        }
        places.push(place);
    }
    Ok(Regrown { stages, places })
}

/// Whether what is in the old place is promoted, or was never a clone: the origin keeps the base for as long as its clone waits.
fn is_regrown(scene: &Scene<'_>, there: &State, origin_has_base: bool) -> bool {
    scene.has_common(there) || there.inconsistent || !origin_has_base
}

/// The newest of the top's snapshots that the new master can go on from.
pub(super) fn base_of_top<'a>(me: &Identity, scene: &Scene<'_>, was: &'a State) -> Result<&'a Snapshot, Refusal> {
    newest_common(scene.new, was)
        .map(|common| common.on_target)
        .ok_or_else(|| {
            let why = Why::NoCommonSnapshot {
                source: scene.new.name.clone(),
                source_newest: scene.new.newest().map(|newest| newest.name.clone()),
                target_newest: was.newest().map(|newest| newest.name.clone()),
                host: me.host.clone(),
            };
            Refusal::source(scene.name, why)
        })
}

/// The last state that both have, under the old name: a replica from its first moment; but the top of a tree is only read-only before that is complete.
fn clone_of_top(me: &Identity, scene: &Scene<'_>, was: &State) -> Result<Stage, Refusal> {
    let base = &base_of_top(me, scene, was)?.name;
    let snapshot = scene
        .aside
        .snapshot(base)
        .map_err(|error| Refusal::source(scene.aside, Why::BadSnapshotName(error)))?;
    let mut properties = role(me, scene, was)?;
    if scene.is_tree() {
        properties.truncate(1);
    }
    let native = |(name, value): (String, String)| match name.as_str() {
        "readonly" => (name, Native::Number(1)),
        _ => (name, Native::Text(value)),
    };
    let clone = Action::Clone {
        snapshot,
        name: scene.name.clone(),
        properties: properties.into_iter().map(native).collect(),
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

/// The newest of a child's snapshots that one of its counterparts on the new master has, under whatever name. N.B. a clone on the new master has
/// some of them, too.
fn base_of<'a>(me: &Identity, scene: &Scene<'_>, state: &'a State) -> Option<&'a str> {
    let counterparts = scene.below.new.iter().filter(|new| belong(me, new, state));
    let bases = counterparts.filter_map(|new| Some(newest_common(new, state)?.on_target));
    bases.max_by_key(|base| base.createtxg).map(|base| base.name.as_str())
}

fn promoted(name: &DatasetName) -> Stage {
    Stage::source(vec![Action::Promote(name.clone())])
}
