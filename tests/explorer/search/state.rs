//! A state of the walk, and what can happen in it.

use std::rc::Rc;

use super::{Bounds, Operator};
use crate::world::typed::Run;
use crate::world::work::{Fault, Work};
use crate::world::{SIDES, World, digest};

/// A step of the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// The next deed of a call. Runs have two calls at the same time at most.
    Deed {
        actor: usize,
        call: usize,
    },
    /// A fault strikes instead of it; a lost reply, behind it.
    Strike {
        actor: usize,
        call: usize,
        fault: Fault,
    },
    /// A program appends a record.
    Write {
        side: usize,
    },
    /// The network between the machines.
    Cut,
    Heal,
    /// All processes of a machine die.
    Reboot {
        machine: usize,
    },
}

/// An operator's run.
#[derive(Clone)]
pub(super) struct Actor {
    pub(super) operator: Operator,
    pub(super) line: usize,
    pub(super) run: Run,
    pub(super) calls: Vec<Work>,
}

/// What is asked of a world again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) digest: u64,
    lets_write: [bool; 2],
}

impl Facts {
    pub(super) fn of(world: &World) -> Self {
        Self {
            digest: world.digest(),
            lets_write: [0, 1].map(|side| world.lets_write(side)),
        }
    }
}

/// A state.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) world: Rc<World>,
    /// What is to be known of it, as long as it does not change.
    pub(super) facts: Facts,
    pub(super) actors: Vec<Option<Actor>>,
    pub(super) writes: u8,
    pub(super) faults: u8,
    pub(super) is_cut: bool,
}

impl Actor {
    /// A call that has begun, and whose connection leads over the network, to or from that machine.
    pub(super) fn broken_call(&self, to: Option<usize>) -> Option<usize> {
        let concerns = to.is_none_or(|machine| machine != self.run.typed.on);
        let is_broken = |work: &Work| concerns && work.asked.over_network && work.done() > 0 && !work.is_over();
        self.calls.iter().position(is_broken)
    }
}

impl Node {
    pub(super) fn key(&self) -> u64 {
        let of_actor = |actor: &Option<Actor>| {
            actor.as_ref().map(|actor| {
                let begun: Vec<&Work> = actor.calls.iter().filter(|work| work.done() > 0).collect();
                (actor.line, actor.run.key(), digest(&begun))
            })
        };
        let actors: Vec<_> = self.actors.iter().map(of_actor).collect();
        digest(&(self.facts, actors, self.writes, self.faults, self.is_cut))
    }

    /// Whether the next deed of a call is only an answer. Without a network it is none.
    pub(super) fn is_question(&self, actor: usize, call: usize) -> bool {
        let work = self.actors[actor].as_ref().map(|actor| &actor.calls[call]);
        work.is_some_and(Work::is_question)
    }

    pub(super) fn moves(&self, bounds: &Bounds) -> Vec<Move> {
        if let Some(step) = self.step_without_effect() {
            return vec![step];
        }
        let mut moves = Vec::new();
        for (number, actor) in self.actors.iter().enumerate() {
            let Some(actor) = actor else { continue };
            for (call, work) in actor.calls.iter().enumerate() {
                moves.push(Move::Deed { actor: number, call });
                moves.extend(self.strikes(bounds, work).map(|fault| Move::Strike {
                    actor: number,
                    call,
                    fault,
                }));
            }
        }
        if self.writes > 0 {
            let sides = (0..2).filter(|side| self.facts.lets_write[*side]);
            moves.extend(sides.map(|side| Move::Write { side }));
        }
        if bounds.partitions && self.is_cut {
            moves.push(Move::Heal);
        }
        if self.faults > 0 && bounds.partitions && !self.is_cut {
            moves.push(Move::Cut);
        }
        if self.faults > 0 && bounds.reboots {
            moves.extend((0..self.world.machines.len()).map(|machine| Move::Reboot { machine }));
        }
        moves
    }

    /// What neither changes anything nor depends on what others do: its order means nothing, so it comes first. Faults that strike it are the
    /// business of `tests/faults`.
    fn step_without_effect(&self) -> Option<Move> {
        let is_one = |work: &Work| work.is_without_effect() && !(self.is_cut && work.asked.over_network);
        self.actors.iter().enumerate().find_map(|(number, actor)| {
            let call = actor.as_ref()?.calls.iter().position(is_one)?;
            Some(Move::Deed { actor: number, call })
        })
    }

    fn strikes<'a>(&'a self, bounds: &'a Bounds, work: &'a Work) -> impl Iterator<Item = Fault> + 'a {
        // A question that is struck ends the verb where it stands: that is what `tests/faults` is about. Who dies at a question may as well die at the next change.
        let can = |fault: &&Fault| match fault {
            _ if !work.changes() => false,
            // It strikes behind the last deed.
            Fault::ReplyLost => work.asked.over_network && work.changes() && work.is_last(),
            other => work.can_be_struck(**other),
        };
        let far = !(self.is_cut && work.asked.over_network);
        let faults = bounds.kinds.iter().filter(can).copied();
        faults.filter(move |fault| self.faults > 0 && (far || *fault == Fault::CallerDies))
    }

    pub(super) fn told(&self, step: Move) -> String {
        let work = |actor: usize, call: usize| self.actors[actor].as_ref().map(|actor| (actor, &actor.calls[call]));
        match step {
            Move::Deed { actor, call } | Move::Strike { actor, call, .. } => {
                let Some((running, work)) = work(actor, call) else {
                    return String::new();
                };
                let fault = match step {
                    Move::Strike { fault, .. } => format!(" {fault:?}"),
                    _ => String::new(),
                };
                let at = work.done();
                format!(
                    "{}:{fault} deed {at} of {}",
                    running.run.typed.line.join(" "),
                    work.asked.told()
                )
            }
            Move::Write { side } => format!("a record is written on {}", SIDES[side]),
            Move::Cut => "the network is cut".into(),
            Move::Heal => "the network is back".into(),
            Move::Reboot { machine } => format!("machine {machine} goes down, and comes back"),
        }
    }
}
