//! All that can happen when several actors move at once, each at any time: a walk through every interleaving, depth first.
//!
//! A state is what the machines hold, and how far each run has come. Where two ways lead to the same state, only one is followed. So the walk is
//! exhaustive for the verbs, the records and the faults that it is given; how deep that goes, it tells.

mod state;
mod steps;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::rc::Rc;

use crate::world::typed::{Mistake, Runner, Words};
use crate::world::way::{Typist, Way};
use crate::world::work::Fault;
use crate::world::{World, promises};
pub(crate) use state::Move;
use state::{Facts, Node};

/// Somebody who types verbs on one machine, one after the other, whatever comes of each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operator {
    pub(crate) side: usize,
    pub(crate) lines: &'static [Words],
}

/// What a walk is about.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) operators: Vec<Operator>,
    /// How many records are written.
    pub(crate) writes: u8,
    /// How many faults strike.
    pub(crate) faults: u8,
    /// Which ones.
    pub(crate) kinds: &'static [Fault],
    /// Whether the network can be cut, which is a fault, and comes back, which is none.
    pub(crate) partitions: bool,
    /// Whether a machine can go down and come up again, which is a fault.
    pub(crate) reboots: bool,
    /// What people may type in the end. Each of these ways leads to a pair that is in order.
    pub(crate) closing: &'static [Way],
}

/// A broken promise, and how it comes about.
#[derive(Clone)]
pub(crate) struct Breach {
    pub(crate) what: String,
    pub(crate) path: Vec<String>,
}

impl fmt::Debug for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        self.path.iter().try_for_each(|step| writeln!(f, "  {step}"))
    }
}

/// The number of the first run behind a walk.
const CLOSING: u32 = 500;

/// A walk.
#[derive(Debug)]
pub(crate) struct Search {
    bounds: Bounds,
    mistake: Mistake,
    runner: Runner,
    seen: HashSet<u64>,
    /// What came of the closing verbs, by world.
    closed: HashMap<u64, Result<(), String>>,
    path: Vec<String>,
    pub(crate) moves: u64,
    pub(crate) depth: usize,
    pub(crate) ends: u64,
    pub(crate) breaches: Vec<Breach>,
    /// So many breaches are enough.
    pub(crate) enough: usize,
}

impl Search {
    pub(crate) fn new(bounds: Bounds, mistake: Mistake) -> Self {
        Self {
            bounds,
            mistake,
            runner: Runner::default(),
            seen: HashSet::new(),
            closed: HashMap::new(),
            path: Vec::new(),
            moves: 0,
            depth: 0,
            ends: 0,
            breaches: Vec::new(),
            enough: 1,
        }
    }

    /// Walks everywhere from `world`.
    pub(crate) fn walk(&mut self, world: World) {
        let mut node = Node {
            facts: Facts::of(&world),
            world: Rc::new(world),
            actors: Vec::new(),
            writes: self.bounds.writes,
            faults: self.bounds.faults,
            is_cut: false,
        };
        for (number, operator) in self.bounds.operators.clone().into_iter().enumerate() {
            let actor = self.begun(Rc::make_mut(&mut node.world), operator, 0, number);
            node.actors.push(actor);
        }
        self.visit(node);
    }

    pub(crate) fn states(&self) -> usize {
        self.seen.len()
    }

    pub(crate) fn told(&self) -> String {
        format!(
            "{} states, {} moves, {} ends, depth {}, {} runs played",
            self.states(),
            self.moves,
            self.ends,
            self.depth,
            self.runner.played
        )
    }

    fn visit(&mut self, node: Node) {
        if self.breaches.len() >= self.enough || !self.seen.insert(node.key()) {
            return;
        }
        self.depth = self.depth.max(self.path.len());
        if node.actors.iter().all(Option::is_none) {
            self.ends += 1;
            if let Err(what) = self.close(&node) {
                self.breach(what);
            }
            return;
        }
        for step in node.moves(&self.bounds) {
            self.moves += 1;
            let mut next = node.clone();
            self.path.push(node.told(step));
            match self.take(&mut next, step) {
                Ok(()) => self.visit(next),
                Err(what) => self.breach(what),
            }
            self.path.pop();
        }
    }

    fn breach(&mut self, what: String) {
        self.breaches.push(Breach {
            what,
            path: self.path.clone(),
        });
    }

    /// When everybody has finished: each of the closing verbs alone leads to a pair that is in order.
    fn close(&mut self, node: &Node) -> Result<(), String> {
        let key = node.facts.digest;
        if let Some(known) = self.closed.get(&key) {
            return known.clone();
        }
        promises::nothing_is_destroyed(&node.world)?;
        let closing = self.bounds.closing;
        let result = closing
            .iter()
            .try_for_each(|way| self.close_by(World::clone(&node.world), *way));
        self.closed.insert(key, result.clone());
        result
    }

    fn close_by(&mut self, mut world: World, way: Way) -> Result<(), String> {
        let mut typist = Typist {
            runner: &mut self.runner,
            busy: false,
            reversed: false,
            mistake: self.mistake,
            trace: Vec::new(),
            number: CLOSING,
        };
        let gone = typist.go(&mut world, way, None);
        gone.map(drop)
            .map_err(|why| format!("{why}, at the end, by\n{}", typist.trace.join("\n")))
    }
}
