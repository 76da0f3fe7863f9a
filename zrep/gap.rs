//! How long no side of a pairing was writable.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::execute::{Done, Watch};
use crate::host::Received;
use crate::model::Side;
use crate::plan::{Action, Object, Transfer};
use zfs_ffi::DatasetName;

/// Measures it while a failover is carried out.
#[derive(Debug)]
pub struct Gap<'a, W> {
    inner: &'a W,
    source: Object,
    target: Object,
    times: Mutex<(Option<Instant>, Option<Instant>)>,
}

impl<'a, W: Watch> Gap<'a, W> {
    /// From when `source` is read-only until `target` is writable.
    pub fn new(inner: &'a W, source: &DatasetName, target: &DatasetName) -> Self {
        Self {
            inner,
            source: Object::Dataset(source.clone()),
            target: Object::Dataset(target.clone()),
            times: Mutex::default(),
        }
    }

    /// How long it was, if both have happened.
    pub fn length(&self) -> Option<Duration> {
        let (began, ended) = *self.times.lock().unwrap_or_else(PoisonError::into_inner);
        Some(ended?.duration_since(began?))
    }
}

impl<W: Watch> Watch for Gap<'_, W> {
    fn begun(&self) {
        self.inner.begun();
    }

    fn applied(&self, done: &Done) {
        let sets = |side: Side, object: &Object, name: &str, value: Option<&str>| {
            done.applied.iter().any(|(at, action, _)| {
                *at == side
                    && matches!(action, Action::Set { on, properties } if on == object
                        && properties.iter().any(|(found, to)| found == name && to.as_deref() == value))
            })
        };
        let (began, ended) = &mut *self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if began.is_none() && sets(Side::Source, &self.source, "readonly", Some("on")) {
            *began = Some(Instant::now());
        }
        if ended.is_none() && sets(Side::Target, &self.target, "readonly", None) {
            *ended = Some(Instant::now());
        }
        self.inner.applied(done);
    }

    fn sending(&self, transfer: &Transfer, estimate: Option<u64>) {
        self.inner.sending(transfer, estimate);
    }

    fn sent(&self, transfer: &Transfer, bytes: u64) {
        self.inner.sent(transfer, bytes);
    }

    fn arrived(&self, transfer: &Transfer, received: &Received) {
        self.inner.arrived(transfer, received);
    }

    fn wants_bytes(&self) -> bool {
        self.inner.wants_bytes()
    }
}
