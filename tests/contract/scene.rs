//! One source with data, and the name of a target that is not there yet.

use std::io::{Read, Write, pipe};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use zfs_ffi::{DatasetName, SnapshotName};
use zrep::host::{Applied, Error, Host, Received};
use zrep::model::{Guid, Native, State, StreamFlags};
use zrep::plan::{Action, Base, BaseName, Creation, IfHeld, Object, Transfer};

use crate::worlds::World;

/// One check: a source with data, and the name of a target that is not there yet.
pub(super) struct Scene<'a> {
    pub(super) world: &'a dyn World,
    pub(super) source: DatasetName,
    pub(super) target: DatasetName,
}

/// Names that zrep gives: a peer may touch no others.
pub(super) const A: &str = "zrep_00000a";
pub(super) const B: &str = "zrep_00000b";
pub(super) const C: &str = "zrep_00000c";

static SCENES: AtomicU32 = AtomicU32::new(0);

impl<'a> Scene<'a> {
    pub(super) fn new(world: &'a dyn World) -> Self {
        let number = SCENES.fetch_add(1, Ordering::Relaxed);
        let (source, target) = world.pools();
        let name = |pool: &str| DatasetName::new(&format!("{pool}/contract {number}")).unwrap();
        let scene = Self {
            world,
            source: name(source),
            target: name(target),
        };
        world.create(scene.source.as_str());
        world.write(scene.source.as_str(), &noise(1 << 20));
        scene
    }

    pub(super) fn host(&self) -> &dyn Host {
        self.world.host()
    }

    pub(super) fn observe(&self, name: &DatasetName) -> State {
        self.host().observe(name).unwrap().expect("a dataset")
    }

    pub(super) fn apply(&self, batch: &[Action]) -> Vec<Applied> {
        self.host().apply(batch).unwrap()
    }

    pub(super) fn snapshot(&self, of: &DatasetName, short: &str) -> (SnapshotName, Guid) {
        let name = of.snapshot(short).unwrap();
        match self.apply(&[Action::Snapshot(name.clone())]).as_slice() {
            [Applied::Created { guid, .. }] => (name, *guid),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn transfer(&self, short: &str, base: Option<(&SnapshotName, Guid)>) -> Transfer {
        let creation = Creation {
            received: vec![("zrep:dest-fs".into(), Native::Text(self.target.to_string()))],
            local: vec![("readonly".into(), Native::Number(1))],
        };
        Transfer {
            snapshot: self.source.snapshot(short).unwrap(),
            guid: None,
            base: base.map(|(name, guid)| Base {
                guid,
                name: BaseName::Snapshot(name.clone()),
            }),
            into: self.target.snapshot(short).unwrap(),
            flags: StreamFlags::plain(),
            resume: None,
            creation: base.is_none().then_some(creation),
        }
    }

    pub(super) fn send(&self, transfer: &Transfer) -> Result<Received, Error> {
        self.send_part(transfer, usize::MAX).1
    }

    /// Sends a transfer of which no more than `limit` bytes arrive.
    pub(super) fn send_part(&self, transfer: &Transfer, limit: usize) -> (Result<(), Error>, Result<Received, Error>) {
        let (mut from_sender, out) = pipe().unwrap();
        let (input, mut to_receiver) = pipe().unwrap();
        thread::scope(|scope| {
            let sender = scope.spawn(move || self.host().send(transfer, out, None));
            scope.spawn(move || {
                let mut stream = Vec::new();
                let _ = from_sender.by_ref().take(limit as u64).read_to_end(&mut stream);
                // A receiver that refuses closes its end early.
                let _ = to_receiver.write_all(&stream);
            });
            let received = self.world.receiver().receive(transfer, input);
            (sender.join().unwrap(), received)
        })
    }

    /// Both sides have snapshot `a`.
    pub(super) fn synced(&self) -> (SnapshotName, Guid) {
        let (a, guid) = self.snapshot(&self.source, A);
        assert_eq!(self.send(&self.transfer(A, None)).unwrap().guid, guid);
        (a, guid)
    }
}

/// Data that does not compress.
pub(super) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}

pub(super) fn set(on: &DatasetName, name: &str, value: Option<&str>) -> Action {
    Action::Set {
        on: Object::Dataset(on.clone()),
        properties: vec![(name.into(), value.map(str::to_owned))],
    }
}

pub(super) fn expect(dataset: &DatasetName, name: &str, value: Option<&str>) -> Action {
    Action::Expect {
        dataset: dataset.clone(),
        property: name.into(),
        value: value.map(str::to_owned),
    }
}

pub(super) fn destroy(snapshot: &SnapshotName, guid: Guid, if_held: IfHeld) -> Action {
    Action::Destroy {
        snapshot: snapshot.clone(),
        guid,
        if_held,
    }
}
