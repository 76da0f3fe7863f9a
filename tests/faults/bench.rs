//! Plays the cases of one subject.

use std::collections::HashMap;
use std::time::Instant;

use zrep::exit::Exit;

use crate::case::{Case, Tally};
use crate::sample::Sample;
use crate::subjects::Subject;
use crate::world::play::{Manner, Strike, play};
use crate::world::typed::{Runner, Typed};
use crate::world::way::{Typist, Way};
use crate::world::{Batches, Layout, World};

/// Where the verbs run. A plain `zfs` command knows no programs.
const GROUNDS: [(Layout, Batches); 6] = [
    (Layout::One, Batches::Programs),
    (Layout::One, Batches::Torn),
    (Layout::Plain, Batches::Calls),
    (Layout::Serving, Batches::Programs),
    (Layout::Serving, Batches::Torn),
    (Layout::Serving, Batches::Calls),
];

/// One in so many cases has a second fault, in the first typing after the break.
const SECOND: usize = 29;

/// The cases of one subject.
pub(crate) struct Bench<'a> {
    subject: &'a Subject,
    sample: &'a Sample,
    runner: Runner,
    tally: Tally,
    /// What came of a way, from a world where it was gone before.
    gone: HashMap<(u64, Way, bool), Vec<Strike>>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(subject: &'a Subject, sample: &'a Sample) -> Self {
        Self {
            subject,
            sample,
            runner: Runner::default(),
            tally: Tally::default(),
            gone: HashMap::new(),
        }
    }

    /// Plays all cases that are due.
    pub(crate) fn run(mut self) -> Tally {
        let began = Instant::now();
        for ground in GROUNDS {
            self.gone.clear();
            self.runner = Runner::default();
            if !(self.subject.alone && ground.0 == Layout::One) {
                self.strike_everywhere(ground);
            }
        }
        let (told, seconds) = (self.tally.told(), began.elapsed().as_secs_f64());
        eprintln!("{}: {told}, {seconds:.1} s", self.subject.name);
        self.tally
    }

    /// In both orders, where the verb makes two calls at the same time.
    fn strike_everywhere(&mut self, ground: (Layout, Batches)) {
        let (layout, batches) = ground;
        let scene = self.subject.scene.set(&mut self.runner, layout, batches);
        for reversed in [false, true] {
            let Some(points) = self.points(&scene, reversed) else {
                return;
            };
            let is_new = |strike: &Strike| batches != Batches::Torn || strike.fault.leaves_pieces();
            let due = points.into_iter().filter(is_new).enumerate();
            for (number, strike) in due.filter(|(number, _)| self.sample.strikes(ground, reversed, *number)) {
                let case = Case {
                    subject: self.subject.name,
                    layout,
                    batches,
                    reversed,
                    strike,
                    way: Way::default(),
                    second: None,
                };
                self.strike(&scene, case, number);
            }
        }
    }

    /// Everywhere that a fault can strike the verb. None where the other order of calls is no other.
    fn points(&mut self, scene: &World, reversed: bool) -> Option<Vec<Strike>> {
        let (side, line) = (self.subject.line)(scene.layout);
        let on = scene.layout.machine(side);
        let manner = self.manner(reversed, None);
        let clean = play(&mut self.runner, &mut scene.clone(), Typed { on, line }, 0, manner);
        let trace = clean.trace.join("\n");
        let (name, layout, batches) = (self.subject.name, scene.layout, scene.batches);
        assert_eq!(
            clean.exit,
            Some(Exit::Success),
            "{name} {layout:?} {batches:?}\n{trace}"
        );
        (!reversed || clean.pairs).then_some(clean.points)
    }

    fn manner(&self, reversed: bool, strike: Option<Strike>) -> Manner {
        Manner {
            strike,
            reversed,
            busy: !self.subject.idle,
            peer_is_down: self.subject.alone,
            ..Manner::default()
        }
    }

    /// Breaks the verb, and goes the ways on that are due.
    fn strike(&mut self, scene: &World, case: Case, number: usize) {
        let mut world = scene.clone();
        let manner = self.manner(case.reversed, Some(case.strike));
        let mut typist = Typist::new(&mut self.runner, case.reversed);
        let broken = typist.type_in(&mut world, (self.subject.line)(case.layout), manner);
        let trace = std::mem::take(&mut typist.trace);
        if let Err(why) = broken {
            self.tally.cases += 1;
            return self.tally.fail(&why, case, &trace);
        }
        let broken = Broken {
            digest: world.digest(),
            world,
            trace,
        };
        let ways = (self.subject.ways)(case.layout);
        let count = ways.len();
        let due = ways
            .into_iter()
            .enumerate()
            .filter(|(way, _)| self.sample.goes(number, *way, count));
        for way in due.map(|(_, way)| way).collect::<Vec<Way>>() {
            self.go_on(&broken, Case { way, ..case });
        }
    }

    /// Goes one way on, now and then with a second fault, too.
    fn go_on(&mut self, broken: &Broken, case: Case) {
        let points = self.go(broken, case);
        if self.tally.cases.is_multiple_of(SECOND) && !points.is_empty() {
            let second = Some(points[self.tally.cases / SECOND % points.len()]);
            self.go(broken, Case { second, ..case });
        }
    }

    /// Goes one way on. Tells where a second fault could have struck.
    fn go(&mut self, broken: &Broken, case: Case) -> Vec<Strike> {
        self.tally.cases += 1;
        let key = (broken.digest, case.way, case.reversed);
        if let (None, Some(points)) = (case.second, self.gone.get(&key)) {
            return points.clone();
        }
        let mut typist = Typist::new(&mut self.runner, case.reversed);
        typist.number = 1;
        let gone = typist.go(&mut broken.world.clone(), case.way, case.second);
        let trace = [broken.trace.as_slice(), &typist.trace].concat();
        let points = gone.unwrap_or_else(|why| {
            self.tally.fail(&why, case, &trace);
            Vec::new()
        });
        if case.second.is_none() {
            self.gone.insert(key, points.clone());
        }
        points
    }
}

/// The machines after the break, and how it came about.
struct Broken {
    world: World,
    digest: u64,
    trace: Vec<String>,
}
