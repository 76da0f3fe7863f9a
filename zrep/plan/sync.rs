//! One sync: a snapshot of the source, its way to the target, the marks on both sides, and what expires thereby.

use crate::model::State;
use crate::names::{Naming, next_number, short_name};
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::Identity;
use crate::plan::turn::expect;
use crate::plan::{Action, Object, Plan, Planned, Stage, expire};
use crate::props::{Key, Tag, View};
use crate::refusal::{Refusal, Why};
use zfs_ffi::SnapshotName;

mod stream;

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
}

/// Plans a sync of `source` to `target`. Both were observed just now, or are what the last round left behind.
pub fn plan(me: &Identity, source: &State, target: &State, request: &Request) -> Planned {
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let stream = Stream::plan(me, source, target, request.force)?;
    if request.changed_only && stream.is_up_to_date(source, target) {
        return Ok(Plan::default());
    }
    let new = new_snapshot(me, source, target)?;
    let mut plan = Plan {
        before: Vec::new(),
        lasting: Vec::new(),
        stages: Vec::new(),
        notes: lock.note.into_iter().chain(stream.notes.iter().cloned()).collect(),
    };
    plan.stages.push(Stage::Apply {
        source: first_actions(me, source, lock.enter, &new)?,
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
            .transfers(source, target, &new, into.clone())?
            .into_iter()
            .map(|transfer| Stage::Transfer(Box::new(transfer))),
    );
    plan.stages.push(Stage::Apply {
        source: [
            vec![sent(&me.tag, &new, request.now)],
            expire_source(me, source)?,
            lock.leave,
        ]
        .concat(),
        target: [
            vec![sent(&me.tag, &into, request.now)],
            expire_target(me, source, target, &stream)?,
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
) -> Result<Vec<Action>, Refusal> {
    let conditions = 1 + enter.iter().take_while(|action| action.is_condition()).count();
    let mut actions = enter;
    // N.B. the roles may have been turned since the observation, by a process that has ended since.
    actions.insert(conditions - 1, expect(me, source, Key::Master));
    if me.tag.sends_intermediates() {
        let newest = source
            .newest()
            .map(|newest| source.snapshot_name(&newest.name))
            .transpose();
        let snapshot = newest.map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
        actions.insert(
            conditions,
            Action::ExpectNewest {
                dataset: source.name.clone(),
                snapshot,
            },
        );
    }
    actions.push(Action::Snapshot(new.clone()));
    Ok(actions)
}

/// Nothing goes to a side that has become the master in the meantime, or knows of a later one.
fn still_replica(me: &Identity, target: &State) -> Vec<Action> {
    vec![expect(me, target, Key::Master), expect(me, target, Key::Epoch)]
}

/// A replica knows the epoch of its master.
///
/// N.B. it knows it before it gets any data, and only while it is a replica: a takeover of it alone begins an epoch above the one that it knows,
/// and one that was raised behind that takeover would be no higher than its own.
fn epoch_of_target(me: &Identity, source: &State, target: &State) -> Vec<Action> {
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
    let shorts = source
        .snapshots
        .iter()
        .chain(&target.snapshots)
        .map(|snapshot| snapshot.name.as_str());
    let short = short_name(&me.tag, next_number(&me.tag, shorts));
    source
        .snapshot_name(&short)
        .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))
}

/// The mark that a snapshot has arrived.
pub fn sent(tag: &Tag, snapshot: &SnapshotName, now: u64) -> Action {
    Action::Set {
        on: Object::Snapshot(snapshot.clone()),
        properties: vec![(tag.property(Key::Sent), Some(now.to_string()))],
    }
}

/// With the new snapshot sent, all others are older: `savecount - 1` of them stay.
fn expire_source(me: &Identity, source: &State) -> Result<Vec<Action>, Refusal> {
    let count = expire::savecount(source, &me.tag, expire::DEFAULT_SAVECOUNT)
        .map_err(|why| Refusal::source(&source.name, why))?;
    Ok(expire::actions(
        source,
        &expire::on_target(&me.tag, &source.snapshots, None, count - 1),
    ))
}

/// The new snapshot and its companions take their places; what is left of the count goes to the older ones.
fn expire_target(me: &Identity, source: &State, target: &State, stream: &Stream<'_>) -> Result<Vec<Action>, Refusal> {
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
