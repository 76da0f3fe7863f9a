//! The way back: what undoes a plan that failed before its point of no return.

use super::{Failure, Run};
use crate::host::{Applied, ErrorKind};
use crate::model::{Guid, Side};
use crate::plan::{Action, IfHeld, Object, Plan, Stage, Transfer};

impl Run {
    /// In the order in which they must be done: the last thing is undone first.
    pub(super) fn undo_actions(&self, failure: &Failure) -> Vec<(Side, Action)> {
        let Self { job, done, .. } = self;
        let mut undo = Vec::new();
        // What an interrupted stream has brought is kept, to go on from. After any other failure in mid-stream it would only fill the pool.
        if let Some(Stage::Transfer(transfer)) = job.plan.stages.get(self.next) {
            undo.extend(
                failure
                    .error
                    .kind
                    .leaves_partial()
                    .then(|| (Side::Target, discard(transfer))),
            );
        }
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
            Stage::Apply { .. } | Stage::Commit => None,
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
fn undo_of(plan: &Plan, action: &Action, result: &Applied, arrival: &Arrival) -> Option<Action> {
    match (action, result) {
        // A snapshot that has arrived is the new base, and one that is half sent is what the rest is read from.
        (Action::Snapshot(_), Applied::Created { guid, .. }) if arrival.may_have(*guid) => None,
        (Action::Snapshot(name), Applied::Created { guid, .. }) => Some(Action::Destroy {
            snapshot: name.clone(),
            guid: *guid,
            if_held: IfHeld::Fail,
        }),
        // The mark on a snapshot says that it has arrived; that stays true.
        (
            Action::Set {
                on: Object::Snapshot(_),
                ..
            },
            _,
        ) => None,
        (Action::Set { on, properties }, _) => Some(unset(plan, on, properties)),
        (
            Action::Expect { .. }
            | Action::ExpectNewest { .. }
            | Action::Snapshot(_)
            | Action::Destroy { .. }
            | Action::Rollback(_)
            | Action::DiscardPartial(_)
            | Action::DestroyUnreceived(_)
            | Action::Mount(_),
            _,
        ) => None,
    }
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
