//! Two machines in memory whose every call is in the hands of a test: faults strike it, and other actors come in between.
//!
//! What runs is the program itself, [`zrep::commands::run`], from the command line to the exit code, over hosts that play back the answers which
//! the run has had so far ([`player`]). So a run is a value like the machines are: it can be copied, broken off, and compared. The calls are carried
//! out one deed at a time ([`work`]) on [`Fake`](zrep::host::fake::Fake)s, which is where a fault strikes.
//!
//! How the machines are told apart is part of each case: both sides on one machine (`localhost`), a peer without zrep, each of whose calls is a
//! message of its own, and a peer with `zrep serve`, where changes travel with the stream. The protocol itself is not in here; `tests/remote.rs` has it.

// Each test program uses a part of this.
#![allow(dead_code, unreachable_pub)]

pub mod call;
pub mod play;
pub mod player;
pub mod promises;
pub mod scene;
pub mod typed;
pub mod way;
pub mod work;

use std::collections::BTreeSet;
use std::fmt::{self, Debug, Write};
use std::hash::{DefaultHasher, Hasher};

use zfs_ffi::DatasetName;
use zrep::host::Host;
use zrep::host::fake::Fake;
use zrep::model::{Guid, Origin, State};

/// The pools of the two sides.
pub const POOLS: [&str; 2] = ["src", "dst"];

/// The two sides.
pub const SIDES: [&str; 2] = ["src/a b", "dst/a copy"];

/// Where the two sides are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// On one machine.
    One,
    /// On two, the other of which is used through its plain `zfs` command.
    Plain,
    /// On two, the other of which serves.
    Serving,
}

impl Layout {
    pub const ALL: [Self; 3] = [Self::One, Self::Plain, Self::Serving];

    pub fn machines(self) -> usize {
        match self {
            Self::One => 1,
            Self::Plain | Self::Serving => 2,
        }
    }

    /// The machine that a side is on.
    pub fn machine(self, side: usize) -> usize {
        side.min(self.machines() - 1)
    }

    pub fn name(self, machine: usize) -> &'static str {
        match (self, machine) {
            (Self::One, _) => "here",
            (Self::Plain | Self::Serving, 0) => "alpha",
            (Self::Plain | Self::Serving, _) => "beta",
        }
    }
}

/// How batches are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Batches {
    /// What a channel program can do is one deed, as root does it.
    Programs,
    /// Each action is a deed, as for users who may not run programs.
    Calls,
    /// Each property is a deed: a kill in the middle of a program leaves the first part of it done.
    Torn,
}

/// Everything that is there, but for what runs.
#[derive(Debug, Clone)]
pub struct World {
    pub layout: Layout,
    pub batches: Batches,
    pub machines: Vec<Fake>,
    /// The processes that live.
    pub alive: BTreeSet<u32>,
    /// Whether the writer is told that its records are on disk, and which they were: the side, and the number.
    pub acknowledged: Vec<(usize, u16)>,
    /// What is not zrep's: datasets as they were, and snapshots of the two sides.
    pub foreign: Foreign,
    /// Somebody said that a side goes on without the other: the two may differ now, and each may have a writer.
    pub forced: bool,
    /// For each side that is the master by force: how many records of the other one it had when it became that.
    pub sealed: [Option<usize>; 2],
}

/// What must be there in the end as it was at the beginning.
#[derive(Debug, Clone, Default)]
pub struct Foreign {
    /// By machine.
    pub datasets: Vec<(usize, State, Option<Vec<u8>>)>,
    /// By machine.
    pub snapshots: Vec<(usize, Guid)>,
}

impl World {
    pub fn fake(&self, side: usize) -> &Fake {
        &self.machines[self.layout.machine(side)]
    }

    /// A side, if it is there.
    pub fn side(&self, side: usize) -> Option<State> {
        let name = DatasetName::new(SIDES[side]).expect("a dataset's name");
        self.fake(side).observe(&name).expect("a fake tells")
    }

    /// What the side's property says, if it is set there itself.
    pub fn local(&self, side: usize, property: &str) -> Option<String> {
        local(&self.side(side)?, property).map(str::to_owned)
    }

    /// Whether programs on that machine can write to the side.
    pub fn lets_write(&self, side: usize) -> bool {
        self.side(side)
            .is_some_and(|state| !state.readonly && !state.inconsistent)
    }

    /// A program tries to append the next record to a side. It is refused where the side is read-only.
    pub fn write(&mut self, side: usize) -> bool {
        if !self.lets_write(side) {
            return false;
        }
        let number = u16::try_from(self.acknowledged.len()).expect("few records");
        self.fake(side).write(SIDES[side], &record(side, number));
        self.acknowledged.push((side, number));
        true
    }

    /// What tells this world from others.
    pub fn digest(&self) -> u64 {
        let contents = |fake: &Fake| -> Vec<(State, Option<Vec<u8>>, usize)> {
            let states = fake.dump().into_iter();
            let all = |state: State| {
                let name = state.name.as_str();
                let (data, unapplied) = (fake.read(name), fake.unapplied(name));
                (state, data, unapplied)
            };
            states.map(all).collect()
        };
        let machines: Vec<_> = self.machines.iter().map(contents).collect();
        digest(&(machines, &self.alive, &self.acknowledged, self.forced, self.sealed))
    }
}

impl World {
    /// The records that a side holds.
    pub fn records(&self, side: usize) -> BTreeSet<(usize, u16)> {
        records(&self.fake(side).read(SIDES[side]).unwrap_or_default())
    }
}

/// The value of a property that is set on the dataset itself.
pub fn local<'a>(state: &'a State, property: &str) -> Option<&'a str> {
    let setting = state.user.get(property)?;
    (setting.origin == Origin::Local).then_some(setting.value.as_str())
}

/// The records in the data of a dataset.
pub fn records(head: &[u8]) -> BTreeSet<(usize, u16)> {
    let found = head.chunks_exact(4).filter(|chunk| chunk[0] == 0xee);
    found
        .map(|chunk| (usize::from(chunk[1]), u16::from_be_bytes([chunk[2], chunk[3]])))
        .collect()
}

/// Four bytes that say who wrote them.
pub fn record(side: usize, number: u16) -> [u8; 4] {
    let [high, low] = number.to_be_bytes();
    [0xee, u8::try_from(side).expect("two sides"), high, low]
}

/// A number for what a value shows of itself.
pub fn digest(value: &impl Debug) -> u64 {
    struct Sink(DefaultHasher);
    impl Write for Sink {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut sink = Sink(DefaultHasher::new());
    write!(sink, "{value:?}").expect("a hasher takes everything");
    sink.0.finish()
}

/// Says how much was tried, in each run: what `eprintln!` says is kept back where a test passes.
pub fn say(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes());
}
