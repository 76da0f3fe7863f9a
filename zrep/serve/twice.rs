//! What the rules alone do not tell: an action that they allow is held against what there is on this machine.

use super::{Session, denied, refused};
use crate::host::{Applied, Error, ErrorKind};
use crate::model::{Guid, Snapshot, State};
use crate::names::Naming;
use crate::plan::{Action, Object, expire};
use crate::policy::{Policy, Right, Verdict};
use crate::props::{Key, View};
use zfs_ffi::{DatasetName, SnapshotName};

/// No peer sets an epoch from here up: there must be room for the next ones.
const EPOCH_LIMIT: u64 = 1 << 63;

impl Session {
    /// What an action of `batch` comes to without being done, if it is not to be done.
    pub(super) fn look_twice(
        &self,
        action: &Action,
        verdict: &Verdict,
        batch: &[Action],
    ) -> Result<Option<Applied>, Error> {
        let (snapshot, guid) = match action {
            Action::Destroy { snapshot, guid, .. } => (snapshot, guid),
            Action::Set {
                on: Object::Dataset(name),
                properties,
            } => return self.look_at_set(name, properties).map(|()| None),
            Action::Set {
                on: Object::Snapshot(name),
                ..
            } => return self.look_at_mark(name).map(|()| None),
            Action::DiscardPartial(name) => return self.look_at_partial(name).map(|()| None),
            Action::DestroyUnreceived(name) => return self.look_at_unreceived(name).map(|()| None),
            Action::Rename { from, to } => return self.look_at_rename(action, from, to).map(|()| None),
            _ => return Ok(None),
        };
        match verdict {
            Verdict::Do => Ok(None),
            Verdict::IfMadeHere if self.made.contains(guid) => Ok(None),
            Verdict::IfMadeHere => Err(Error::new(
                ErrorKind::Denied,
                format!("destroy {snapshot}: a peer may destroy only what it made itself in the same session"),
            )
            .with_hint("no rule allows this; do it on that machine itself")),
            Verdict::IfExpired if self.server.settings.preferences.keeps_all => Ok(Some(Applied::Kept {
                reason: "ZREP_SKIP_EXPIRE is set on this side".into(),
            })),
            Verdict::IfExpired if self.has_expired(&snapshot.dataset(), *guid, batch)? => Ok(None),
            Verdict::IfExpired => Ok(Some(Applied::Kept {
                reason: "this side's own savecount keeps it".into(),
            })),
        }
    }

    /// What a peer may set by the right to receive is for a replica: on a master, another epoch would be a change of its role.
    fn look_at_set(&self, name: &DatasetName, properties: &[(String, Option<String>)]) -> Result<(), Error> {
        let of_receive = properties.iter().filter(|(property, _)| {
            [Key::Sent, Key::LastSent, Key::LastSentTime, Key::Epoch]
                .iter()
                .any(|key| self.tag.property(*key) == *property)
        });
        let mut of_receive = of_receive.peekable();
        if of_receive.peek().is_none() || self.policy() == &Policy::User {
            return Ok(());
        }
        let state = self.server.host.glance(name)?;
        let has_control = self.policy().require(Right::Control, name).is_ok();
        let is_replica = state.as_ref().is_some_and(|state| {
            let view = View::new(state, &self.tag);
            view.is_paired() && !view.is_master()
        });
        if !is_replica && !has_control {
            return Err(denied(format!(
                "set {properties:?} on {name}: it is no replica of a pairing with tag {}",
                self.tag
            ))
            .with_hint("what is no replica takes the right to control"));
        }
        let now = state.map_or(0, |state| View::new(&state, &self.tag).epoch());
        let least = if has_control { 0 } else { now };
        let epochs = of_receive.filter(|(property, _)| *property == self.tag.property(Key::Epoch));
        for (_, value) in epochs {
            let number = value.as_deref().map_or(Some(0), |text| text.parse::<u64>().ok());
            if !number.is_some_and(|number| (least..EPOCH_LIMIT).contains(&number)) {
                return Err(denied(format!(
                    "set epoch {value:?} on {name}: expected a number from {least} up, below 2^63"
                ))
                .with_hint("no rule allows this; do it on that machine itself"));
            }
        }
        Ok(())
    }

    fn has_expired(&self, dataset: &DatasetName, guid: Guid, batch: &[Action]) -> Result<bool, Error> {
        let Some(state) = self.server.host.observe(dataset)? else {
            return Ok(true);
        };
        let is_there = |snapshot: &Snapshot| snapshot.guid == guid;
        if !state.snapshots.iter().any(is_there) {
            return Ok(true);
        }
        let Some(count) = self.count(&state)? else {
            return Ok(false);
        };
        let top = self.top_of(state.clone())?;
        if !View::new(&top, &self.tag).is_master() {
            let excess = expire::on_target(&self.tag, &state.snapshots, None, count);
            return Ok(excess.into_iter().any(is_there));
        }
        let Some(last) = self.last_sent(&top, batch)? else {
            return Ok(false);
        };
        // On a child there are no marks. What was sent last is there by the name that it has on the top.
        let is_last = |snapshot: &&Snapshot| match top.name == state.name {
            true => snapshot.guid == last.guid,
            false => snapshot.name == last.name,
        };
        let Some(last) = state.snapshots.iter().find(is_last) else {
            return Ok(false);
        };
        let excess = expire::on_master(&self.tag, &state.snapshots, last.guid, count);
        Ok(excess.into_iter().any(is_there))
    }

    /// The snapshot of a master that was sent last. The mark on what has just been sent may be part of the same batch.
    fn last_sent(&self, top: &State, batch: &[Action]) -> Result<Option<Snapshot>, Error> {
        // N.B. which one it was stands on the snapshots themselves, and that is not part of what was observed.
        let snapshots = self.server.host.snapshots_since(&top.name, 0)?;
        let top = State {
            snapshots,
            ..top.clone()
        };
        let marked = top
            .snapshots
            .iter()
            .rev()
            .find(|snapshot| is_marked(&top, snapshot, batch));
        Ok(marked.or(View::new(&top, &self.tag).last_sent()).cloned())
    }

    /// How many snapshots this side keeps; `None` is all of them. A peer with rules gets no count from here that nobody here has set.
    fn count(&self, state: &State) -> Result<Option<usize>, Error> {
        let top = self.top_of(state.clone())?;
        let view = View::new(&top, &self.tag);
        if self.require_own_right(state).is_err() || !view.is_paired() {
            return Ok(None);
        }
        let Ok(own) = view.savecount() else { return Ok(None) };
        Ok(match self.policy() {
            Policy::User => Some(own.unwrap_or(expire::DEFAULT_SAVECOUNT)),
            Policy::Only { .. } => own,
        })
    }

    /// What has arrived is for the side that receives to say, and what was sent for the side that sends.
    fn require_own_right(&self, state: &State) -> Result<(), Error> {
        let right = if View::new(&self.top_of(state.clone())?, &self.tag).is_master() {
            Right::Send
        } else {
            Right::Receive
        };
        let policy = self.policy();
        policy
            .require(right, &state.name)
            .or_else(|denied| policy.require(Right::Control, &state.name).map_err(|_| denied))
            .map_err(refused)
    }

    fn look_at_mark(&self, name: &SnapshotName) -> Result<(), Error> {
        let state = self.server.host.glance(&name.dataset())?;
        state.map_or(Ok(()), |state| self.require_own_right(&state))
    }

    /// An interrupted receive that is not of the pairing may be somebody's work of days.
    fn look_at_partial(&self, name: &DatasetName) -> Result<(), Error> {
        let Some(state) = self.server.host.glance(name)? else {
            return Ok(());
        };
        if self.is_replica(state)? || self.policy().require(Right::Control, name).is_ok() {
            return Ok(());
        }
        Err(foreign(format!(
            "discard the interrupted receive of {name}: it is no replica of a pairing with tag {}",
            self.tag
        )))
    }

    /// What was never received completely has no pair yet: only the snapshot that was to arrive tells whose it is.
    fn look_at_unreceived(&self, name: &DatasetName) -> Result<(), Error> {
        let state = self.server.host.glance(name)?;
        let Some(partial) = state.and_then(|state| state.partial) else {
            return Ok(());
        };
        let short = partial.to_name.rsplit('@').next().unwrap_or_default();
        if self.policy() == &Policy::User || Naming::of(&self.tag, short).is_own() {
            return Ok(());
        }
        Err(foreign(format!(
            "destroy the half received {name}: {} was not named by zrep",
            partial.to_name
        )))
    }
}

fn is_marked(state: &State, snapshot: &Snapshot, batch: &[Action]) -> bool {
    batch.iter().any(|action| match action {
        Action::Set {
            on: Object::Snapshot(name),
            ..
        } => name.dataset() == state.name && name.short() == snapshot.name,
        _ => false,
    })
}

fn foreign(text: String) -> Error {
    denied(text).with_hint("no rule allows this; do it on that machine itself")
}
