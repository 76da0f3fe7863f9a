//! One sync: a snapshot of the source, its way to the target, the marks on both sides, and what expires thereby.

use crate::model::State;
use crate::names::{Naming, next_number, short_name};
use crate::plan::lock::{self, Lock, Locking};
use crate::plan::pairing::Identity;
use crate::plan::preferences::Preferences;
use crate::plan::turn::expect;
use crate::plan::{Action, Object, Plan, Planned, Stage, expire};
use crate::props::{Key, Tag, View};
use crate::refusal::{Refusal, Why};
use zfs_ffi::SnapshotName;

pub(super) mod stream;
pub mod tree;

use stream::Stream;

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The lock on the source.
    pub locking: Locking,
    /// Seconds since 1970; becomes the `sent` mark.
    pub now: u64,
    /// Roll the target back to the common base first (`-f`).
    pub force: bool,
    /// Do nothing if nothing was written since the last sync (`-c`).
    pub changed_only: bool,
    /// What the administrator wants of every sync.
    pub preferences: Preferences,
}

/// Plans a sync of `source` to `target`. Both were observed just now, or are what the last round left behind.
pub fn plan(me: &Identity, source: &State, target: &State, request: &Request) -> Planned {
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let stream = Stream::plan(me, source, target, request)?;
    if request.changed_only && stream.is_up_to_date(source, target) {
        return Ok(Plan::default());
    }
    let new = new_snapshot(me, source, target)?;
    plan_of(me, (source, target), request, lock, &stream, &new)
}

/// The plan for a stream that is planned, to a new snapshot of that name.
fn plan_of(
    me: &Identity,
    (source, target): (&State, &State),
    request: &Request,
    lock: Lock,
    stream: &Stream<'_>,
    new: &SnapshotName,
) -> Planned {
    let mut plan = Plan {
        before: Vec::new(),
        lasting: Vec::new(),
        of: Some(source.name.clone()),
        stages: Vec::new(),
        notes: lock.note.into_iter().chain(stream.notes.iter().cloned()).collect(),
    };
    plan.stages.push(Stage::Apply {
        source: first_actions(me, source, lock.enter, new, request.preferences)?,
        target: [still_replica(me, target), epoch_of_target(me, source, target)].concat(),
    });
    if !stream.prepare.is_empty() {
        plan.stages.push(Stage::target(stream.prepare.clone()));
    }
    let into = target
        .snapshot_name(new.short())
        .map_err(|error| bad_name(target, error))?;
    plan.stages.extend(
        stream
            .transfers(source, target, new, into.clone())?
            .into_iter()
            .map(|transfer| Stage::Transfer(Box::new(transfer))),
    );
    plan.stages.push(Stage::Apply {
        source: [
            vec![sent(&me.tag, new, request.now)],
            expire_source(me, source, request.preferences)?,
            lock.leave,
        ]
        .concat(),
        target: [
            vec![sent(&me.tag, &into, request.now)],
            expire_target(me, source, target, stream, request.preferences)?,
        ]
        .concat(),
    });
    Ok(plan)
}

/// The conditions, the lock, and the snapshot. Where others' snapshots travel along, none may have come since the observation.
fn first_actions(
    me: &Identity,
    source: &State,
    enter: Vec<Action>,
    new: &SnapshotName,
    preferences: Preferences,
) -> Result<Vec<Action>, Refusal> {
    let mut actions = still_master(me, source, enter);
    let conditions = actions.iter().take_while(|action| action.is_condition()).count();
    if preferences.sends_intermediates(&me.tag) {
        actions.insert(conditions, expect_newest(source)?);
    }
    actions.push(Action::Snapshot(new.clone()));
    Ok(actions)
}

/// The lock, on the condition that the source is the master still: the roles may have been turned since the observation, by a process that has
/// ended since.
pub(super) fn still_master(me: &Identity, source: &State, enter: Vec<Action>) -> Vec<Action> {
    let conditions = enter.iter().take_while(|action| action.is_condition()).count();
    let mut actions = enter;
    actions.insert(conditions, expect(me, source, Key::Master));
    actions
}

fn expect_newest(source: &State) -> Result<Action, Refusal> {
    let newest = source.newest().map(|newest| source.snapshot_name(&newest.name));
    let snapshot = newest
        .transpose()
        .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
    Ok(Action::ExpectNewest {
        dataset: source.name.clone(),
        snapshot,
    })
}

/// Nothing goes to a side that has become the master in the meantime, or knows of a later one.
pub(super) fn still_replica(me: &Identity, target: &State) -> Vec<Action> {
    vec![expect(me, target, Key::Master), expect(me, target, Key::Epoch)]
}

/// A replica knows the epoch of its master.
///
/// N.B. it knows it before it gets any data, and only while it is a replica: a takeover of it alone begins an epoch above the one that it knows,
/// and one that was raised behind that takeover would be no higher than its own.
pub(super) fn epoch_of_target(me: &Identity, source: &State, target: &State) -> Vec<Action> {
    let (of_source, of_target) = (View::new(source, &me.tag).epoch(), View::new(target, &me.tag).epoch());
    let raise = || Action::Set {
        on: Object::Dataset(target.name.clone()),
        properties: vec![(me.tag.property(Key::Epoch), Some(of_source.to_string()))],
    };
    (of_source > of_target).then(raise).into_iter().collect()
}

fn bad_name(state: &State, error: zfs_ffi::NameError) -> Refusal {
    Refusal::target(&state.name, Why::BadSnapshotName(error))
}

/// The name of the snapshot that the sync will make.
pub fn new_snapshot(me: &Identity, source: &State, target: &State) -> Result<SnapshotName, Refusal> {
    new_snapshot_beside(me, source, [source, target])
}

/// The name of a snapshot that will be made of `source`, where all of these have none of that name yet.
pub fn new_snapshot_beside<'a>(
    me: &Identity,
    source: &State,
    all: impl IntoIterator<Item = &'a State>,
) -> Result<SnapshotName, Refusal> {
    let snapshots = all.into_iter().flat_map(|state| &state.snapshots);
    let short = short_name(
        &me.tag,
        next_number(&me.tag, snapshots.map(|snapshot| snapshot.name.as_str())),
    );
    source
        .snapshot_name(&short)
        .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))
}

/// The snapshot that a plan makes on the source.
pub fn made(plan: &Plan) -> Option<&SnapshotName> {
    plan.stages.iter().find_map(|stage| match stage {
        Stage::Apply { source, .. } => source.iter().find_map(Action::new_snapshot),
        Stage::Transfer(_) | Stage::Commit | Stage::Wait { .. } => None,
    })
}

/// The mark that a snapshot has arrived.
pub fn sent(tag: &Tag, snapshot: &SnapshotName, now: u64) -> Action {
    Action::Set {
        on: Object::Snapshot(snapshot.clone()),
        properties: vec![(tag.property(Key::Sent), Some(now.to_string()))],
    }
}

/// With the new snapshot sent, all others are older: `savecount - 1` of them stay.
fn expire_source(me: &Identity, source: &State, preferences: Preferences) -> Result<Vec<Action>, Refusal> {
    if preferences.keeps_all {
        return Ok(Vec::new());
    }
    let count = expire::savecount(source, &me.tag, expire::DEFAULT_SAVECOUNT)
        .map_err(|why| Refusal::source(&source.name, why))?;
    Ok(expire::actions(
        source,
        &expire::on_target(&me.tag, &source.snapshots, None, count - 1),
    ))
}

/// The new snapshot and its companions take their places; what is left of the count goes to the older ones.
fn expire_target(
    me: &Identity,
    source: &State,
    target: &State,
    stream: &Stream<'_>,
    preferences: Preferences,
) -> Result<Vec<Action>, Refusal> {
    if preferences.keeps_all {
        return Ok(Vec::new());
    }
    let default = expire::savecount(source, &me.tag, expire::DEFAULT_SAVECOUNT)
        .map_err(|why| Refusal::source(&source.name, why))?;
    let count = expire::savecount(target, &me.tag, default).map_err(|why| Refusal::target(&target.name, why))?;
    let is_own = |short: &str| Naming::of(&me.tag, short).is_own();
    let resumed = stream.resume.iter().filter(|resume| is_own(&resume.short)).count();
    let arriving = 1 + resumed + stream.before.iter().filter(|snapshot| is_own(&snapshot.name)).count();
    let staying = &target.snapshots[..target.snapshots.len() - stream.discards];
    Ok(expire::actions(
        target,
        &expire::on_target(&me.tag, staying, None, count.saturating_sub(arriving)),
    ))
}

#[cfg(test)]
mod tests;
