//! Changes that a client asks for: each is judged by the rules, and a destroy is looked at twice.

use super::{Session, denied, refused};
use crate::host::{Applied, BatchError, Error, ErrorKind};
use crate::lock::FileLock;
use crate::plan::{Action, Object};
use crate::props::Key;

/// So many actions may be in a batch. A savecount that was lowered makes long ones.
const MOST_ACTIONS: usize = 16_384;

/// So many properties may be set by one action. The longest of zrep's own has less than twenty.
const MOST_PROPERTIES: usize = 64;

/// What is short on the wire is not in memory, nor in the kernel's: a property that is taken away has eleven bytes in a message.
pub(super) fn require_few(batch: &[Action]) -> Result<(), Error> {
    let refuse = |text| Err(denied(text).with_hint("no rule allows this; ask for less at a time"));
    if batch.len() > MOST_ACTIONS {
        return refuse(format!(
            "a batch of {} changes: {MOST_ACTIONS} are allowed",
            batch.len()
        ));
    }
    let long = batch.iter().find_map(|action| match action {
        Action::Set { on, properties } if properties.len() > MOST_PROPERTIES => Some((on, properties.len())),
        _ => None,
    });
    match long {
        Some((on, count)) => refuse(format!(
            "set {count} properties on {}: {MOST_PROPERTIES} are allowed",
            on.as_str()
        )),
        None => Ok(()),
    }
}

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
    pub(super) fn judge(&self, batch: &[Action]) -> Result<Vec<Option<Applied>>, BatchError> {
        require_few(batch).map_err(|error| BatchError {
            index: 0,
            begun: false,
            error,
        })?;
        let mut kept = Vec::with_capacity(batch.len());
        for (index, action) in batch.iter().enumerate() {
            let judged = self.policy().judge(&self.tag, action).map_err(refused);
            let verdict = judged.and_then(|verdict| self.look_twice(action, &verdict, batch));
            kept.push(verdict.map_err(|error| BatchError {
                index,
                begun: false,
                error,
            })?);
        }
        Ok(kept)
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
