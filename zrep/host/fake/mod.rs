//! A strict ZFS in memory. It refuses what the kernel refuses, with the same kind of error.
//!
//! `tests/contract/` runs one body of checks over this and, in a guest, over real pools: that is what keeps it honest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{PipeReader, PipeWriter};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Applied, BatchError, Error, ErrorKind, Host, Received};
use crate::model::{Guid, Kind, Origin, Setting, Snapshot, State};
use crate::plan::lock::Seen;
use crate::plan::{Action, Transfer};
use crate::props::{Tag, is_below};
use zfs_ffi::{DatasetName, SnapshotName};

mod apply;
mod family;
mod stream;

/// No two machines give the same guid away.
static SALTS: AtomicU64 = AtomicU64::new(1 << 20);

/// A machine with pools.
#[derive(Debug, Default)]
pub struct Fake {
    world: Mutex<World>,
}

impl Clone for Fake {
    /// A machine of its own, with all that is on this one.
    fn clone(&self) -> Self {
        Self {
            world: Mutex::new(self.world().clone()),
        }
    }
}

/// Everything on the machine.
#[derive(Debug, Clone, Default)]
struct World {
    datasets: BTreeMap<String, Dataset>,
    /// Full names of snapshots that somebody holds.
    held: BTreeSet<String>,
    /// Datasets of which a process has files mapped for writing, and which process.
    mapped: BTreeMap<String, String>,
    /// Pools that take no more than so many bytes of stream.
    room: BTreeMap<String, u64>,
    txg: u64,
    /// Sets this machine's guids apart from those of others.
    salt: u64,
    /// How many guids it has given away.
    guids: u64,
}

/// A dataset: what can be observed of it, and its data.
#[derive(Debug, Clone)]
struct Dataset {
    state: State,
    head: Vec<u8>,
    data: BTreeMap<Guid, Vec<u8>>,
    /// The intent log: what was flushed before a crash, and is in no transaction until the next mount.
    log: Vec<u8>,
    /// What an interrupted receive has brought.
    partial: Vec<u8>,
    /// The dataset and the snapshot that it is a clone of.
    origin: Option<(String, Guid)>,
}

impl Dataset {
    fn is_modified(&self) -> bool {
        self.state
            .newest()
            .is_some_and(|newest| self.data.get(&newest.guid) != Some(&self.head))
    }
}

/// The block in which an intent log is noted counts as written when the log is claimed, and when a clone begins without it.
const CLAIMED: u64 = 1024;

impl Dataset {
    /// Applies the intent log, as a mount does.
    fn replay(&mut self) {
        let log = std::mem::take(&mut self.log);
        self.state.written += log.len() as u64;
        self.head.extend(log);
    }

    /// What was written since a snapshot that is gone was written since the one before it.
    fn count_written(&mut self) {
        let newest = self.state.newest().and_then(|newest| self.data.get(&newest.guid));
        let before = newest.map_or(0, Vec::len);
        if newest.is_some_and(|data| *data != self.head) {
            self.state.written = (self.head.len().saturating_sub(before) as u64).max(1);
        }
    }
}

impl World {
    fn guid(&mut self) -> Guid {
        self.guids += 1;
        // N.B. an odd factor maps no two numbers to the same one.
        Guid(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(self.salt << 32 | self.guids))
    }

    fn dataset(&mut self, name: &DatasetName) -> Result<&mut Dataset, Error> {
        self.datasets
            .get_mut(name.as_str())
            .ok_or_else(|| missing(name.as_str()))
    }

    fn snapshot(&self, name: &SnapshotName) -> Option<&Snapshot> {
        let dataset = self.datasets.get(name.dataset().as_str())?;
        dataset
            .state
            .snapshots
            .iter()
            .find(|snapshot| snapshot.name == name.short())
    }
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{name}: no such dataset"))
}

impl Fake {
    /// A machine with these pools, each of them empty.
    pub fn new(pools: &[&str]) -> Self {
        Self::of(pools, SALTS.fetch_add(1, Ordering::Relaxed))
    }

    /// A machine whose guids come from `salt`, so that the same steps always give the same ones.
    pub fn of(pools: &[&str], salt: u64) -> Self {
        let fake = Self::default();
        fake.world().salt = salt;
        for pool in pools {
            fake.create(pool, Kind::Filesystem);
        }
        fake
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a dataset.
    ///
    /// # Panics
    ///
    /// If the name is none that ZFS allows.
    pub fn create(&self, name: &str, kind: Kind) {
        let mut world = self.world();
        let guid = world.guid();
        let name = DatasetName::new(name).expect("a dataset's name");
        let state = new_state(name.clone(), guid, kind);
        world.datasets.insert(
            name.to_string(),
            Dataset {
                state,
                head: Vec::new(),
                data: BTreeMap::new(),
                log: Vec::new(),
                partial: Vec::new(),
                origin: None,
            },
        );
    }

    /// Writes data, as a program on the machine does.
    ///
    /// # Panics
    ///
    /// If there is no such dataset.
    pub fn write(&self, name: &str, data: &[u8]) {
        let mut world = self.world();
        let dataset = world.datasets.get_mut(name).expect("a dataset");
        dataset.replay();
        dataset.head.extend_from_slice(data);
        dataset.state.written += data.len() as u64;
    }

    /// All data of a dataset.
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        let dataset = self.world().datasets.get(name).cloned();
        dataset.map(|dataset| [dataset.head, dataset.log].concat())
    }

    /// The machine crashes when a program has flushed what it wrote since the newest snapshot: that stands in the intent log alone, and the
    /// dataset is not mounted again.
    pub fn crash(&self, name: &str) {
        if let Some(dataset) = self.world().datasets.get_mut(name) {
            let newest = dataset.state.newest().and_then(|newest| dataset.data.get(&newest.guid));
            let in_snapshot = newest.map_or(0, Vec::len).min(dataset.head.len());
            dataset.log = dataset.head.split_off(in_snapshot);
            dataset.state.written = CLAIMED;
        }
    }

    /// How many bytes of a dataset stand in its intent log alone.
    pub fn unapplied(&self, name: &str) -> usize {
        self.world().datasets.get(name).map_or(0, |dataset| dataset.log.len())
    }

    /// Holds a snapshot against being destroyed.
    pub fn hold(&self, snapshot: &str) {
        self.world().held.insert(snapshot.to_owned());
    }

    /// Lets a process have a file of a dataset mapped for writing.
    pub fn map(&self, dataset: &str, process: &str) {
        self.world().mapped.insert(dataset.to_owned(), process.to_owned());
    }

    /// Lets a pool take no more than `bytes` of one stream.
    pub fn limit(&self, pool: &str, bytes: u64) {
        self.world().room.insert(pool.to_owned(), bytes);
    }

    /// Takes a pool away, as an export does.
    pub fn export(&self, pool: &str) {
        self.destroy(pool);
    }

    /// Destroys a dataset and all below it, as `zfs destroy -r` does.
    pub fn destroy(&self, dataset: &str) {
        let mut world = self.world();
        world
            .datasets
            .retain(|name, _| name != dataset && !is_below(name, dataset));
    }

    /// Everything that can be observed, for comparing before with after.
    pub fn dump(&self) -> Vec<State> {
        self.world()
            .datasets
            .values()
            .map(|dataset| dataset.state.clone())
            .collect()
    }
}

fn new_state(name: DatasetName, guid: Guid, kind: Kind) -> State {
    State {
        name,
        guid,
        kind,
        user: BTreeMap::new(),
        copied: BTreeMap::new(),
        readonly: false,
        readonly_origin: Origin::Default,
        encrypted: false,
        written: 0,
        referenced: 0,
        inconsistent: false,
        snapshots: Vec::new(),
        bookmarks: Vec::new(),
        partial: None,
        host: String::new(),
    }
}

impl Host for Fake {
    fn observe(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        let world = self.world();
        let found = world.datasets.get(dataset.as_str());
        Ok(found.map(|found| observed(&world, found)))
    }

    fn observe_below(&self, dataset: &DatasetName) -> Result<Vec<State>, Error> {
        let world = self.world();
        let below = |(name, _): &(&String, &Dataset)| is_below(name, dataset.as_str());
        let found = world.datasets.iter().filter(below);
        Ok(found.map(|(_, found)| observed(&world, found)).collect())
    }

    fn snapshots_since(&self, dataset: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error> {
        let world = self.world();
        let snapshots = world
            .datasets
            .get(dataset.as_str())
            .into_iter()
            .flat_map(|found| &found.state.snapshots);
        Ok(snapshots.filter(|snapshot| snapshot.createtxg > txg).cloned().collect())
    }

    fn settle(&self, _pool: &str) -> Result<(), Error> {
        Ok(())
    }

    fn with_property(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        let world = self.world();
        let has = |dataset: &&Dataset| dataset.state.user.contains_key(property);
        Ok(world
            .datasets
            .values()
            .filter(has)
            .map(|dataset| dataset.state.name.clone())
            .collect())
    }

    fn children(&self, dataset: &DatasetName) -> Result<Vec<DatasetName>, Error> {
        let world = self.world();
        let names = world.datasets.values().map(|found| &found.state.name);
        Ok(names
            .filter(|name| name.parent().as_ref() == Some(dataset))
            .cloned()
            .collect())
    }

    fn apply(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        let mut world = self.world();
        if let Some(other) = batch.iter().position(|action| action.pool() != batch[0].pool()) {
            let error = Error::new(ErrorKind::Other, "a batch of two pools");
            return Err(BatchError {
                index: other,
                begun: false,
                error,
            });
        }
        for (index, action) in batch.iter().enumerate() {
            apply::check(&world, batch, index, action).map_err(|error| BatchError {
                index,
                begun: false,
                error,
            })?;
        }
        world.txg += 1;
        Ok(batch
            .iter()
            .map(|action| apply::carry_out(&mut world, action))
            .collect())
    }

    fn send(&self, transfer: &Transfer, out: PipeWriter, watch: Option<&(dyn Fn(u64) + Sync)>) -> Result<(), Error> {
        let stream = stream::outgoing(&self.world(), transfer)?;
        stream.write(out, watch)
    }

    fn receive(&self, transfer: &Transfer, input: PipeReader) -> Result<Received, Error> {
        self.receive_begun(transfer, input, Duration::MAX, &|| Ok(()))
    }

    fn receive_begun(
        &self,
        transfer: &Transfer,
        input: PipeReader,
        _within: Duration,
        begun: &dyn Fn() -> Result<(), Error>,
    ) -> Result<Received, Error> {
        // The lock is not held while reading: the sender may be this same machine.
        let header = stream::Header::read(&input)?;
        begun()?;
        stream::admit(&mut self.world(), transfer, &header)?;
        let room = self.world().room.get(transfer.into.dataset().pool()).copied();
        let body = stream::Body::read(input, &header, room);
        stream::finish(&mut self.world(), transfer, header, body)
    }

    fn lock_seen(&self, state: &State, tag: &Tag) -> Seen {
        crate::lock::seen(state, tag, std::process::id())
    }

    fn estimate(&self, transfer: &Transfer) -> Result<u64, Error> {
        Ok(stream::outgoing(&self.world(), transfer)?.len())
    }
}

fn observed(world: &World, found: &Dataset) -> State {
    let mut state = found.state.clone();
    inherit(world, &mut state);
    state.snapshots.iter_mut().for_each(forget_details);
    state
}

/// An observation does not promise them.
fn forget_details(snapshot: &mut Snapshot) {
    snapshot.creation = 0;
    snapshot.user.clear();
}

/// Adds what the ancestors' user properties and their `readonly` say.
fn inherit(world: &World, state: &mut State) {
    let mut ancestor = state.name.parent();
    while let Some(name) = ancestor {
        let above = world.datasets.get(name.as_str()).map(|dataset| &dataset.state);
        if let Some(above) =
            above.filter(|above| above.readonly_origin != Origin::Default && state.readonly_origin == Origin::Default)
        {
            (state.readonly, state.readonly_origin) = (above.readonly, Origin::Inherited);
        }
        for (property, setting) in world
            .datasets
            .get(name.as_str())
            .iter()
            .flat_map(|dataset| &dataset.state.user)
        {
            let inherited = || Setting {
                value: setting.value.clone(),
                origin: Origin::Inherited,
            };
            state.user.entry(property.clone()).or_insert_with(inherited);
        }
        ancestor = name.parent();
    }
}
