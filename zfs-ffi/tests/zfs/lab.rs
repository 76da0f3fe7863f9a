//! A dataset of its own for each test, which is gone afterwards.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use zfs_ffi::{
    BeginRecord, Core, DatasetKind, DatasetName, Defer, Error, Handle, NvList, ReceiveOptions, Received, Result,
    SendOptions, SnapshotName,
};

/// Names the pool that may be scribbled on.
const VARIABLE: &str = "ZFS_FFI_TEST_POOL";

/// The place of one test: an empty dataset whose name has spaces in it.
#[must_use = "the dataset is destroyed when it is dropped"]
pub(crate) struct Lab {
    pub(crate) core: Core,
    pub(crate) handle: Handle,
    pub(crate) root: DatasetName,
}

impl Lab {
    /// `None`, and a line that says so, if no pool is named.
    #[track_caller]
    pub(crate) fn new(test: &str) -> Option<Self> {
        let Ok(pool) = env::var(VARIABLE) else {
            eprintln!("skipped: {test}: {VARIABLE} is not set");
            return None;
        };
        let core = Core::open().expect("the kernel module is loaded");
        let handle = Handle::open().expect("libzfs is installed");
        let pool = DatasetName::new(&pool).expect("the variable holds a pool's name");
        let root = pool.child(&format!("zfs-ffi {test}")).expect("a valid name");
        let lab = Self { core, handle, root };
        lab.destroy_all();
        lab.core
            .create(&lab.root, DatasetKind::Filesystem, &lab.unmounted())
            .expect("the pool is writable");
        Some(lab)
    }

    /// Nothing is mounted below unless a test wants it.
    fn unmounted(&self) -> NvList {
        props(&[("mountpoint", "none")])
    }

    pub(crate) fn name(&self, short: &str) -> DatasetName {
        self.root.child(short).expect("a valid name")
    }

    #[track_caller]
    pub(crate) fn filesystem(&self, short: &str) -> DatasetName {
        let name = self.name(short);
        self.core
            .create(&name, DatasetKind::Filesystem, &NvList::new())
            .expect("a filesystem can be created");
        name
    }

    #[track_caller]
    pub(crate) fn snapshot(&self, dataset: &DatasetName, short: &str) -> SnapshotName {
        let name = snap(dataset, short);
        self.core
            .snapshot(std::slice::from_ref(&name), &[])
            .expect("a snapshot can be made");
        name
    }

    /// Writes `size` bytes that do not compress into a file, by mounting the filesystem for a moment.
    #[track_caller]
    pub(crate) fn write(&self, dataset: &DatasetName, file: &str, size: usize) {
        let place = self.mountpoint(dataset);
        let text = place.to_str().expect("a path in ASCII");
        let open = self.handle.dataset(dataset).expect("it exists");
        open.set(&[("mountpoint", text)]).expect("a mountpoint can be set");
        let open = self.handle.dataset(dataset).expect("it exists");
        if open.is_mounted().is_none() {
            open.mount().expect("it can be mounted");
        }
        fs::write(place.join(file), noise(size)).expect("there is space");
        open.unmount(false).expect("nothing is open");
        open.set(&[("mountpoint", "none")]).expect("a mountpoint can be set");
    }

    pub(crate) fn mountpoint(&self, dataset: &DatasetName) -> PathBuf {
        let below = dataset.below(&self.root).unwrap_or("root").replace('/', "_");
        env::temp_dir().join(self.root.last()).join(below)
    }

    /// The guid of a snapshot.
    #[track_caller]
    pub(crate) fn guid(&self, snapshot: &SnapshotName) -> u64 {
        let open = self.handle.snapshot(snapshot).expect("it exists");
        let properties = open.properties().expect("it has properties");
        properties.u64("guid").expect("every snapshot has a guid")
    }

    /// A whole stream in memory.
    #[track_caller]
    pub(crate) fn stream(&self, snapshot: &SnapshotName, options: &SendOptions) -> Vec<u8> {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        thread::scope(|scope| {
            // The writer moves in and is closed at the end, or the reader would wait for ever.
            let core = self.core.clone();
            let sender = scope.spawn(move || core.send(snapshot, options, writer.as_fd()));
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).expect("a pipe can be read");
            sender.join().expect("no panic").expect("it can be sent");
            bytes
        })
    }

    /// Receives from memory what must succeed, and gives the number of bytes.
    #[track_caller]
    pub(crate) fn received(&self, target: &SnapshotName, stream: &[u8], options: &ReceiveOptions<'_>) -> u64 {
        let received = self.receive(target, stream, options).expect("it can be received");
        assert_eq!(received.property_errors, []);
        received.bytes
    }

    /// Receives from memory.
    pub(crate) fn receive(
        &self,
        target: &SnapshotName,
        stream: &[u8],
        options: &ReceiveOptions<'_>,
    ) -> Result<Received> {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        thread::scope(|scope| {
            // The kernel may stop reading early; then writing fails, which is not the point.
            scope.spawn(move || writer.write_all(stream));
            let begin = BeginRecord::read_fd(reader.as_fd())?;
            let received = self.core.receive(target, &begin, options, reader.as_fd());
            drop(reader);
            received
        })
    }

    fn destroy_all(&self) {
        // A clone stands in the way of its origin, and something may look at a new volume for a while.
        for round in 0..5 {
            if !self.core.exists(&self.root) {
                return;
            }
            thread::sleep(round * Duration::from_millis(200));
            self.destroy_below(&self.root);
        }
        eprintln!("left behind: {}", self.root);
    }

    /// As far as it goes: what is in the way goes in the next round.
    fn destroy_below(&self, name: &DatasetName) {
        let Ok(dataset) = self.handle.dataset(name) else {
            return;
        };
        for child in dataset.children().unwrap_or_default() {
            self.destroy_below(&child);
        }
        for snapshot in dataset.snapshots().unwrap_or_default() {
            let holds = self.core.holds(&snapshot.name).unwrap_or_default();
            let holds: Vec<_> = holds
                .iter()
                .map(|(tag, _)| (snapshot.name.clone(), tag.as_str()))
                .collect();
            let _ = self.core.release(&holds);
            let _ = self.core.destroy_snapshots(&[snapshot.name], Defer::No);
        }
        let _ = self.core.discard_partial_receive(name);
        let _ = dataset.unmount(true);
        let _ = self.core.destroy(name);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.destroy_all();
    }
}

#[track_caller]
pub(crate) fn snap(dataset: &DatasetName, short: &str) -> SnapshotName {
    dataset.snapshot(short).expect("a valid name")
}

pub(crate) fn props(pairs: &[(&str, &str)]) -> NvList {
    let mut list = NvList::new();
    for (name, value) in pairs {
        list.add(name, *value).expect("a valid pair");
    }
    list
}

/// The error, or a panic that shows what came instead.
#[track_caller]
pub(crate) fn failed<T: std::fmt::Debug>(result: Result<T>) -> Error {
    let error = result.expect_err("it must not succeed");
    eprintln!("as expected: {error}");
    error
}

/// Bytes that do not compress and are the same every time.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}
