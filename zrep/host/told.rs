//! A host that tells what it is asked, one line for each call: `-D`. It changes nothing of what is asked or answered.

use std::fmt;
use std::io::{PipeReader, PipeWriter};
use std::sync::Arc;
use std::time::Duration;

use super::{Applied, BatchError, Errand, Error, Host, Inlet, Outlet, Received};
use crate::host::remote::line::Listener;
use crate::model::{Snapshot, State};
use crate::plan::lock::Seen;
use crate::plan::{Action, Transfer};
use crate::props::Tag;
use zfs_ffi::DatasetName;

/// A host and someone who listens.
pub struct Told {
    name: String,
    inner: Arc<dyn Host>,
    listener: Listener,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told")
            .field("name", &self.name)
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl Told {
    /// What `inner`, which is called `name`, is asked, `listener` hears.
    pub fn new(name: String, inner: Arc<dyn Host>, listener: Listener) -> Self {
        Self { name, inner, listener }
    }

    fn tell(&self, what: &dyn fmt::Display) {
        (self.listener)(&format!("{}: {what}", self.name));
    }

    fn tell_batch(&self, batch: &[Action]) {
        batch.iter().for_each(|action| self.tell(action));
    }

    fn tell_errand(&self, errand: &Errand<'_>) {
        self.tell_batch(errand.before);
        self.tell(errand.transfer);
        self.tell_batch(errand.after);
    }
}

// N.B. each method of the trait stands here, those with a body of their own included: what is not passed on would be answered by that body, and `-D`
// would change what zrep does. `tests/invariants.rs` counts them.
impl Host for Told {
    fn observe(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        self.tell(&format_args!("observe {dataset}"));
        self.inner.observe(dataset)
    }

    fn glance(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        self.tell(&format_args!("observe {dataset} without its snapshots"));
        self.inner.glance(dataset)
    }

    fn snapshots_since(&self, dataset: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error> {
        self.tell(&format_args!("list the snapshots of {dataset} since txg {txg}"));
        self.inner.snapshots_since(dataset, txg)
    }

    fn settle(&self, pool: &str) -> Result<(), Error> {
        self.tell(&format_args!("wait until what was written to {pool} is on disk"));
        self.inner.settle(pool)
    }

    fn with_property(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        self.tell(&format_args!("find the datasets with {property}"));
        self.inner.with_property(property)
    }

    fn observe_below(&self, dataset: &DatasetName) -> Result<Vec<State>, Error> {
        self.tell(&format_args!("observe what is below {dataset}"));
        self.inner.observe_below(dataset)
    }

    fn children(&self, dataset: &DatasetName) -> Result<Vec<DatasetName>, Error> {
        self.tell(&format_args!("list the datasets below {dataset}"));
        self.inner.children(dataset)
    }

    fn apply(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        self.tell_batch(batch);
        self.inner.apply(batch)
    }

    fn send(&self, transfer: &Transfer, out: PipeWriter, watch: Option<&(dyn Fn(u64) + Sync)>) -> Result<(), Error> {
        self.tell(transfer);
        self.inner.send(transfer, out, watch)
    }

    fn receive(&self, transfer: &Transfer, input: PipeReader) -> Result<Received, Error> {
        self.tell(&format_args!("receive {}", transfer.into));
        self.inner.receive(transfer, input)
    }

    fn receive_begun(
        &self,
        transfer: &Transfer,
        input: PipeReader,
        within: Duration,
        begun: &dyn Fn() -> Result<(), Error>,
    ) -> Result<Received, Error> {
        self.tell(&format_args!("receive {}", transfer.into));
        self.inner.receive_begun(transfer, input, within, begun)
    }

    fn estimate(&self, transfer: &Transfer) -> Result<u64, Error> {
        self.tell(&format_args!("estimate the stream of {}", transfer.snapshot));
        self.inner.estimate(transfer)
    }

    fn lock_seen(&self, state: &State, tag: &Tag) -> Seen {
        self.tell(&format_args!("look at the lock of {}", state.name));
        self.inner.lock_seen(state, tag)
    }

    fn holder(&self) -> Result<Option<u32>, Error> {
        self.inner.holder()
    }

    fn may_turn(&self, dataset: &DatasetName) -> Result<(), Error> {
        self.tell(&format_args!("may the role of {dataset} be changed?"));
        self.inner.may_turn(dataset)
    }

    fn is_far(&self) -> bool {
        self.inner.is_far()
    }

    fn inlet<'a>(&'a self, errand: Errand<'_>) -> Result<Inlet<'a>, Error> {
        self.tell_errand(&errand);
        self.inner.inlet(errand)
    }

    fn outlet<'a>(&'a self, errand: Errand<'_>) -> Result<Outlet<'a>, BatchError> {
        self.tell_errand(&errand);
        self.inner.outlet(errand)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::host::fake::Fake;
    use zfs_ffi::SnapshotName;

    #[test]
    fn each_call_is_told_with_the_machine_and_answered_by_it() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listener = {
            let heard = Arc::clone(&heard);
            move |line: &str| heard.lock().unwrap().push(line.to_owned())
        };
        let told = Told::new("here".into(), Arc::new(Fake::new(&["a"])), Arc::new(listener));
        let name = DatasetName::new("a").unwrap();
        assert_eq!(told.observe(&name).unwrap().unwrap().name, name);
        told.apply(&[Action::Snapshot(SnapshotName::new("a@one").unwrap())])
            .unwrap();
        assert_eq!(*heard.lock().unwrap(), ["here: observe a", "here: snapshot a@one"]);
    }
}
