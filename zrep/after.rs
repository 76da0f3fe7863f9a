//! What a dataset looks like after a change, without asking again.
//!
//! The loop carries states from one round into the next with this, and the fake host is made of it. It is the only place that says
//! what an [`Action`] does to a [`State`].

use crate::host::Applied;
use crate::model::{Guid, Origin, Setting, Snapshot, State};
use crate::plan::{Action, Object, Transfer};

/// Changes `state` by an action that was applied to its dataset or to one of its snapshots.
pub fn applied(state: &mut State, action: &Action, result: &Applied, now: u64) {
    match (action, result) {
        (Action::Snapshot(name), Applied::Created { guid, createtxg }) => {
            let snapshot = Snapshot {
                name: name.short().to_owned(),
                guid: *guid,
                createtxg: *createtxg,
                creation: now,
                user: Default::default(),
            };
            state.snapshots.push(snapshot);
            state.written = 0;
        }
        (Action::Destroy { guid, .. }, Applied::Done) => state.snapshots.retain(|snapshot| snapshot.guid != *guid),
        (
            Action::Set {
                on: Object::Dataset(_),
                properties,
            },
            _,
        ) => properties
            .iter()
            .for_each(|(name, value)| set(state, name, value.as_deref())),
        (
            Action::Set {
                on: Object::Snapshot(name),
                properties,
            },
            _,
        ) => {
            let Some(snapshot) = state
                .snapshots
                .iter_mut()
                .find(|snapshot| snapshot.name == name.short())
            else {
                return;
            };
            for (property, value) in properties {
                match value {
                    Some(value) => snapshot.user.insert(property.clone(), value.clone()),
                    None => snapshot.user.remove(property),
                };
            }
        }
        (Action::Rollback(_), _) => state.written = 0,
        (Action::DiscardPartial(_), _) => state.partial = None,
        (
            Action::Expect { .. }
            | Action::ExpectNewest { .. }
            | Action::Snapshot(_)
            | Action::Destroy { .. }
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
        ) => {}
    }
}

fn set(state: &mut State, name: &str, value: Option<&str>) {
    match (name, value) {
        ("readonly", value) => {
            // What a dataset inherits is not known here; a replica's parent is not read-only as a rule.
            state.readonly = value == Some("on");
            state.readonly_origin = if value.is_some() {
                Origin::Local
            } else {
                Origin::Default
            };
        }
        (_, Some(value)) => {
            _ = state.user.insert(
                name.to_owned(),
                Setting {
                    value: value.to_owned(),
                    origin: Origin::Local,
                },
            )
        }
        (_, None) => _ = state.user.remove(name),
    }
}

/// Changes the target's `state` by a transfer that has arrived.
pub fn received(state: &mut State, transfer: &Transfer, guid: Guid, createtxg: u64, now: u64) {
    let name = transfer.into.short().to_owned();
    state.snapshots.push(Snapshot {
        name,
        guid,
        createtxg,
        creation: now,
        user: Default::default(),
    });
    state.partial = None;
    state.inconsistent = false;
    state.written = 0;
}
