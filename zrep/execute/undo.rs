//! The way back: what undoes a plan that failed before its point of no return.

use super::{Failure, Run};
use crate::host::{Applied, ErrorKind};
use crate::model::{Guid, Side};
use crate::plan::{Action, IfHeld, Object, Plan, Stage, Transfer, lock};

impl Run {
    /// In the order in which they must be done: the last thing is undone first.
    pub(super) fn undo_batches(&self, failure: &Failure) -> Vec<(Side, Vec<Action>)> {
        let Self { job, done, .. } = self;
        let mut undo = Vec::new();
        // What an interrupted stream has brought is kept, to go on from. After any other failure in mid-stream it would only fill the pool.
        if let Some(Stage::Transfer(transfer)) = job.plan.stages.get(self.next) {
            undo.extend(
                failure
                    .error
                    .kind
                    .leaves_partial()
                    .then(|| (Side::Target, vec![discard(transfer)])),
            );
        }
        // N.B. of the target's part only what is prepared could be meant, and that is worth nothing without this process.
        let unsure = self.unsure.iter().rev().filter(|(side, _)| *side == Side::Source);
        undo.extend(unsure.filter_map(|(side, action)| Some((*side, taken_back(&job.plan, action)?))));
        let arrival = self.arrival(failure);
        let created = done.created().map(|(_, guid)| guid);
        let goes_on = created.is_some_and(|guid| arrival.may_have(guid));
        let back = done.applied.iter().rev();
        let back = back.filter(|(_, action, _)| !(goes_on && job.plan.lasting.contains(action)));
        undo.extend(
            back.filter_map(|(side, action, result)| Some((*side, undo_of(&job.plan, action, result, &arrival)?))),
        );
        undo
    }

    /// What of the source's new snapshots may be needed on the target's account.
    ///
    /// N.B. a receive whose answer was lost may have come to its end. To destroy its snapshot on the source would take the two sides' common
    /// base away, so the target is asked, and if it cannot tell, everything stays.
    fn arrival(&self, failure: &Failure) -> Arrival {
        let stages = self.job.plan.stages.iter().take(self.next + 1);
        let attempted = stages.rev().find_map(|stage| match stage {
            Stage::Transfer(transfer) => Some(transfer.into.dataset()),
            Stage::Apply { .. } | Stage::Commit | Stage::Wait { .. } => None,
        });
        match attempted {
            None => Arrival::Known(Vec::new()),
            Some(_) if matches!(failure.error.kind, ErrorKind::Interrupted | ErrorKind::Lost) => Arrival::Unknown,
            Some(target) => match self.job.ends.target.observe(&target) {
                Ok(found) => Arrival::Known(
                    found
                        .iter()
                        .flat_map(|state| &state.snapshots)
                        .map(|snapshot| snapshot.guid)
                        .collect(),
                ),
                Err(_) => Arrival::Unknown,
            },
        }
    }
}

/// Which snapshots the target has.
enum Arrival {
    Known(Vec<Guid>),
    /// It cannot be told, or a part has arrived that needs the rest.
    Unknown,
}

impl Arrival {
    fn may_have(&self, guid: Guid) -> bool {
        match self {
            Self::Known(guids) => guids.contains(&guid),
            Self::Unknown => true,
        }
    }
}

/// What undoes an action that was done, if it is to be undone.
fn undo_of(plan: &Plan, action: &Action, result: &Applied, arrival: &Arrival) -> Option<Vec<Action>> {
    match (action, result) {
        // A snapshot that has arrived is the new base, and one that is half sent is what the rest is read from.
        (Action::Snapshot(_), Applied::Created { guid, .. }) if arrival.may_have(*guid) => None,
        (Action::Snapshot(name), Applied::Created { guid, .. }) => Some(vec![Action::Destroy {
            snapshot: name.clone(),
            guid: *guid,
            if_held: IfHeld::Fail,
        }]),
        // The mark on a snapshot says that it has arrived; that stays true.
        (
            Action::Set {
                on: Object::Snapshot(_),
                ..
            },
            _,
        ) => None,
        // A lock that was given back may be somebody else's by now.
        (Action::Set { properties, .. }, _) if lock::is_release(properties) => None,
        (Action::Set { on, properties }, _) => {
            let guard = own(on, properties);
            // An epoch that was made known stays known.
            let is_epoch = properties.iter().all(|(name, _)| name.ends_with(":epoch"));
            (!is_epoch).then(|| guard.into_iter().chain([unset(plan, on, properties)]).collect())
        }
        (Action::Unmount(name), Applied::Done) => Some(vec![Action::Mount(name.clone())]),
        (
            Action::Expect { .. }
            | Action::ExpectNewest { .. }
            | Action::Snapshot(_)
            | Action::Destroy { .. }
            | Action::Rollback(_)
            | Action::DiscardPartial(_)
            | Action::DestroyUnreceived(_)
            | Action::Mount(_)
            | Action::Replay(_)
            | Action::ExpectUnmapped(_)
            | Action::ExpectUnwritten(_)
            | Action::Unmount(_)
            | Action::Rename { .. }
            | Action::Clone { .. }
            | Action::Promote(_),
            _,
        ) => None,
    }
}

/// What takes back an action of which nobody knows whether it was done: only what says itself whose it is.
fn taken_back(plan: &Plan, action: &Action) -> Option<Vec<Action>> {
    let Action::Set { on, properties } = action else {
        return None;
    };
    Some(vec![own(on, properties)?, unset(plan, on, properties)])
}

/// The condition that what was set is still what this plan has set: an attempt that has come after it must not lose what is its own.
fn own(on: &Object, properties: &[(String, Option<String>)]) -> Option<Action> {
    let Object::Dataset(dataset) = on else { return None };
    let is_own = |name: &str| name.ends_with(":intent") || name.ends_with(":lock-pid");
    let (property, value) = properties
        .iter()
        .find(|(name, value)| value.is_some() && is_own(name))?;
    Some(Action::Expect {
        dataset: dataset.clone(),
        property: property.clone(),
        value: value.clone(),
    })
}

/// What drops the part of a stream that has arrived.
fn discard(transfer: &Transfer) -> Action {
    match transfer.creation {
        Some(_) => Action::DestroyUnreceived(transfer.into.dataset().clone()),
        None => Action::DiscardPartial(transfer.into.dataset().clone()),
    }
}

/// Sets properties back to the local value that they had, or to none.
fn unset(plan: &Plan, on: &Object, properties: &[(String, Option<String>)]) -> Action {
    let before = |name: &String| (name.clone(), plan.value_before(on, name));
    Action::Set {
        on: on.clone(),
        properties: properties.iter().map(|(name, _)| before(name)).collect(),
    }
}
