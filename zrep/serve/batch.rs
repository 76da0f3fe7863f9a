//! Changes that a client asks for: each is judged by the rules, and a destroy is looked at twice.

use super::{Session, denied, refused};
use crate::host::{Applied, BatchError, Error, ErrorKind};
use crate::lock::FileLock;
use crate::model::{Guid, Snapshot, State};
use crate::plan::{Action, Object, expire};
use crate::policy::{Policy, Right, Verdict};
use crate::props::{Key, View};
use zfs_ffi::DatasetName;

/// No peer sets an epoch from here up: there must be room for the next ones.
const EPOCH_LIMIT: u64 = 1 << 63;

impl Session {
    /// Carries out a batch of which every action is allowed, in order.
    pub(super) fn apply(&mut self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        let kept = self.judge(batch)?;
        let allowed: Vec<Action> = (batch.iter().zip(&kept))
            .filter(|(_, kept)| kept.is_none())
            .map(|(action, _)| action.clone())
            .collect();
        let _lock = self.file_lock(&allowed).map_err(|error| BatchError {
            index: 0,
            begun: false,
            error,
        })?;
        let applied = if allowed.is_empty() {
            Vec::new()
        } else {
            self.server.host.apply(&allowed)?
        };
        self.made.extend(applied.iter().filter_map(|applied| match applied {
            Applied::Created { guid, .. } => Some(*guid),
            Applied::Done | Applied::Kept { .. } => None,
        }));
        let mut applied = applied.into_iter();
        Ok(kept
            .into_iter()
            .map(|kept| kept.or_else(|| applied.next()).unwrap_or(Applied::Done))
            .collect())
    }

    /// For each action: what it comes to without being done, if it is not to be done.
    fn judge(&self, batch: &[Action]) -> Result<Vec<Option<Applied>>, BatchError> {
        let mut kept = Vec::with_capacity(batch.len());
        for (index, action) in batch.iter().enumerate() {
            let judged = self.policy().judge(&self.tag, action).map_err(refused);
            let verdict = judged.and_then(|verdict| self.look_twice(action, &verdict));
            kept.push(verdict.map_err(|error| BatchError {
                index,
                begun: false,
                error,
            })?);
        }
        Ok(kept)
    }

    fn look_twice(&self, action: &Action, verdict: &Verdict) -> Result<Option<Applied>, Error> {
        let (snapshot, guid) = match action {
            Action::Destroy { snapshot, guid, .. } => (snapshot, guid),
            Action::Set {
                on: Object::Dataset(name),
                properties,
            } => return self.look_at_set(name, properties).map(|()| None),
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
            Verdict::IfExpired if self.has_expired(&snapshot.dataset(), *guid)? => Ok(None),
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

    fn has_expired(&self, dataset: &DatasetName, guid: Guid) -> Result<bool, Error> {
        let Some(state) = self.server.host.observe(dataset)? else {
            return Ok(true);
        };
        let is_there = |snapshot: &Snapshot| snapshot.guid == guid;
        let Some(count) = self.count(&state) else {
            return Ok(!state.snapshots.iter().any(is_there));
        };
        let excess = expire::on_target(&self.tag, &state.snapshots, None, count);
        Ok(!state.snapshots.iter().any(is_there) || excess.into_iter().any(is_there))
    }

    /// How many snapshots this side keeps; `None` is all of them. A peer with rules gets no count from here that nobody here has set.
    fn count(&self, state: &State) -> Option<usize> {
        let view = View::new(state, &self.tag);
        let own = view.is_paired().then(|| view.savecount().ok())??;
        match self.policy() {
            Policy::User => Some(own.unwrap_or(expire::DEFAULT_SAVECOUNT)),
            Policy::Only { .. } => own,
        }
    }

    /// The file that shell zrep looks at, around the taking of a lock.
    fn file_lock(&self, batch: &[Action]) -> Result<Option<FileLock>, Error> {
        let property = self.tag.property(Key::LockPid);
        let takes = |action: &Action| match action {
            Action::Set {
                on: Object::Dataset(_),
                properties,
            } => properties
                .iter()
                .any(|(name, value)| *name == property && value.is_some()),
            _ => false,
        };
        if !batch.iter().any(takes) {
            return Ok(None);
        }
        let settings = &self.server.settings;
        FileLock::take(&settings.rundir, std::process::id(), settings.lock_retry)
            .map(Some)
            .map_err(|error| Error::new(ErrorKind::Busy, format!("lock file: {error:?}")))
    }
}
