//! The way on after something broke: what a person types until the pair is in order.

use zrep::exit::Exit;

use super::play::{Manner, Played, Strike, play};
use super::scene::{SYNC, SYNC_BACK};
use super::typed::{FAITHFUL, Mistake, Runner, Typed, Words};
use super::{SIDES, World, promises};

/// A side, and what is typed on its machine.
pub type Line = (usize, Words);

/// What somebody types after a break, one line after the other, until the pair is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Way {
    pub lines: &'static [Line],
    /// The side that is the master then, where that is certain.
    pub master: Option<usize>,
}

/// How often a verb may have to be typed.
const TYPINGS: u32 = 3;

/// Somebody who types, and remembers what happened.
#[derive(Debug)]
pub struct Typist<'a> {
    pub runner: &'a mut Runner,
    /// Whether a program writes all the time.
    pub busy: bool,
    pub reversed: bool,
    /// What the program does wrong.
    pub mistake: Mistake,
    /// Everything that was typed, and each call.
    pub trace: Vec<String>,
    /// The number of the next run.
    pub number: u32,
}

impl Way {
    /// Whether nothing is left to be typed. Roles may be in order on a replica that holds more than its newest snapshot, and no sync goes on from that.
    fn is_done(&self, world: &World) -> bool {
        let is_whole = |master: usize| world.side(1 - master).is_none_or(|replica| replica.written == 0);
        self.arrived(world).is_ok_and(is_whole)
    }

    /// The master, if it is the right one, and everything is in order.
    fn arrived(&self, world: &World) -> Result<usize, String> {
        let master = promises::steady(world)?;
        promises::everything_is_in_its_place(world)?;
        match self.master {
            Some(wanted) if wanted != master => Err(format!("P2: {} is the master, and should not be", SIDES[master])),
            Some(_) | None => Ok(master),
        }
    }
}

impl<'a> Typist<'a> {
    /// Somebody on machines where a program writes all the time.
    pub fn new(runner: &'a mut Runner, reversed: bool) -> Self {
        Self {
            runner,
            busy: true,
            reversed,
            mistake: FAITHFUL,
            trace: Vec::new(),
            number: 0,
        }
    }

    /// Types a verb. Fails if a promise is broken on the way.
    pub fn type_line(&mut self, world: &mut World, line: Line, strike: Option<Strike>) -> Result<Played, String> {
        let manner = Manner {
            strike,
            reversed: self.reversed,
            busy: self.busy,
            mistake: self.mistake,
            ..Manner::default()
        };
        self.type_in(world, line, manner)
    }

    /// The same in a certain manner.
    pub fn type_in(&mut self, world: &mut World, (side, words): Line, manner: Manner) -> Result<Played, String> {
        let on = world.layout.machine(side);
        self.trace
            .push(format!("{} on machine {on}: {manner:?}", words.join(" ")));
        let played = play(self.runner, world, Typed { on, line: words }, self.number, manner);
        self.number += 1;
        self.trace.extend(played.trace.iter().cloned());
        match played.broken.first() {
            Some(broken) => Err(broken.clone()),
            None => promises::nothing_is_destroyed(world).map(|()| played),
        }
    }

    /// Types each line, again if need be, until the pair is in order. A second fault strikes the first one. Tells where that could be.
    pub fn go(&mut self, world: &mut World, way: Way, second: Option<Strike>) -> Result<Vec<Strike>, String> {
        let mut points = None;
        let mut strike = second;
        for line in way.lines {
            for _ in 0..TYPINGS {
                if points.is_some() && strike.is_none() && way.is_done(world) {
                    break;
                }
                let played = self.type_line(world, *line, strike.take())?;
                points.get_or_insert(played.points);
                if played.exit == Some(Exit::Success) {
                    break;
                }
            }
        }
        self.live(world, way)?;
        Ok(points.unwrap_or_default())
    }

    /// A pair that is in order can be written to, and synced.
    fn live(&mut self, world: &mut World, way: Way) -> Result<(), String> {
        let master = way.arrived(world)?;
        world.write(master);
        self.busy = false;
        let played = self.type_line(world, (master, [SYNC, SYNC_BACK][master]), None)?;
        if played.exit == Some(Exit::Success) {
            promises::at_rest(world)
        } else {
            Err("P2: the pair is in order, and cannot be synced".into())
        }
    }
}
