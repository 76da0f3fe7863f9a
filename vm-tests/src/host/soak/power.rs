//! One power cut: from a pair that works, through the cut, to a pair that works.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::disk::Lost;
use super::orders::{End, Job};
use super::pair::{Pair, Side, Violation, judged, violated};
use super::scene::Scene;
use super::schedule::{Cut, Verb, Victim};
use super::step::Step;
use crate::cases::chance::Chance;
use crate::host::session::quote;

/// The pair, and what the cuts before have told.
#[derive(Debug)]
pub struct Soak {
    pub pair: Pair,
    pub master: Side,
    pub chance: Chance,
    /// How long verbs take when nothing comes between.
    pub usual: BTreeMap<Verb, Duration>,
}

/// What came of a cut.
#[derive(Debug)]
pub struct Outcome {
    pub scene: Scene,
    pub violation: Option<Violation>,
}

impl Outcome {
    /// What is no violation is the lab's own failure, and ends the run.
    fn of(scene: Scene, result: Result<()>) -> Result<Self> {
        let violation = judged(result).with_context(|| scene.story.join("\n"))?;
        Ok(Self { scene, violation })
    }
}

impl Soak {
    pub fn new(pair: Pair) -> Self {
        Self {
            pair,
            master: Side::Alpha,
            chance: Chance::seeded(0),
            usual: BTreeMap::new(),
        }
    }

    /// Makes everything anew, after a violation.
    pub fn reset(&mut self, size: u32) -> Result<()> {
        self.master = Side::Alpha;
        self.pair.cable.plug_in();
        self.pair.restart(&mut self.chance)?;
        self.pair.make(size)
    }

    /// How long a verb takes, if that is known by now.
    pub fn usual(&self, verb: Verb) -> Option<Duration> {
        self.usual.get(&verb.timed_as()).copied()
    }

    /// A verb without a power cut: the promises hold, and its usual time is known afterwards. So is that of verbs
    /// that are typed on the way.
    pub fn rehearse(&mut self, verb: Verb) -> Result<Outcome> {
        let mut scene = Scene::new(format!("rehearsal of {verb}"), verb, self.master);
        let result = self.rehearsed(&mut scene);
        Outcome::of(scene, result)
    }

    fn rehearsed(&mut self, scene: &mut Scene) -> Result<()> {
        let verb = scene.verb;
        let mut job = self.set(scene)?;
        let said = self.pair.ended(scene.typed_on, &mut job)?;
        // The failover to be aborted may have been done before it was killed.
        let nothing_to_do = verb == Verb::Abort && self.pair.look()?.at_rest_with(scene.new.index());
        if !said.ok() && !nothing_to_do {
            return violated(format!("P2: {verb} fails without any power cut: {said}"));
        }
        self.usual.insert(verb.timed_as(), said.took);
        self.settle(scene, None)
    }

    /// A verb, and in its midst a power cut.
    pub fn cut(&mut self, cut: &Cut) -> Result<Outcome> {
        self.chance = Chance::seeded(cut.seed);
        // By number and not by what came before, so that a cut is the same without those.
        let master = Side::BOTH[(cut.number + 1) % 2];
        let mut scene = Scene::new(format!("cut {}", cut.number), cut.verb, master);
        let result = self.cut_in(cut, &mut scene);
        Outcome::of(scene, result)
    }

    fn cut_in(&mut self, cut: &Cut, scene: &mut Scene) -> Result<()> {
        self.make_master(scene.old)?;
        let usual = self.usual(cut.verb).unwrap_or(Duration::from_secs(5));
        let mut job = self.set(scene)?;
        thread::sleep(usual.mul_f64(cut.at));
        scene.after = job.age();
        self.power_off(cut.victim, scene)?;
        scene.done = job.look().ok();
        let found = self.pair.power_on()?;
        scene.tell(format!("the next boot finds {found}"));
        scene.step = Some(Step::of(scene.verb, &found, scene.new));
        self.outlive(scene, job)?;
        self.settle(scene, Some(cut.victim))
    }

    /// Turns the pair if it has to be, without a cut.
    fn make_master(&mut self, side: Side) -> Result<()> {
        if self.master == side {
            return Ok(());
        }
        let old = self.master;
        let said = self.pair.zrep(old, &format!("failover {}", quote(old.dataset())))?;
        if !said.ok() {
            return violated(format!("P2: a failover without any power cut fails: {said}"));
        }
        self.master = side;
        Ok(())
    }

    /// A verb on a machine that was spared ends by itself.
    fn outlive(&self, scene: &mut Scene, mut job: Job) -> Result<()> {
        let said = self.pair.ended(scene.typed_on, &mut job)?;
        if said.end != Some(End::PowerCut) && !scene.done {
            scene.said.push(said);
        }
        Ok(())
    }

    fn power_off(&mut self, victim: Victim, scene: &mut Scene) -> Result<()> {
        let sides: Vec<Side> = [(victim.is_master(), scene.old), (victim.is_replica(), scene.new)]
            .into_iter()
            .filter_map(|(hit, side)| hit.then_some(side))
            .collect();
        // The processors first: the two are to die at one moment.
        for side in &sides {
            self.pair.node_mut(*side).stop();
        }
        for side in &sides {
            let lost = self.pair.node_mut(*side).cut(&mut self.chance)?;
            let Lost { writes, of } = lost;
            let name = self.pair.node(*side).name();
            scene.tell(format!("power of {name} cut: {writes} of {of} unflushed writes lost"));
            scene.lost += lost;
        }
        Ok(())
    }
}
