//! After a power cut: the verb is typed again, and what was promised is looked for.

use std::thread;

use anyhow::Result;

use super::ledger::Writer;
use super::look::{View, Views};
use super::pair::{Side, violated};
use super::power::Soak;
use super::scene::{Scene, Typed};
use super::schedule::{Verb, Victim};
use super::step::Step;

/// So often a verb may be typed again until the pair is at rest.
const TYPINGS: usize = 3;

impl Soak {
    /// From the machines as they came up to a pair that works. Without a victim there was no cut.
    pub fn settle(&mut self, scene: &mut Scene, victim: Option<Victim>) -> Result<()> {
        let found = self.pair.look_for_one_writer(!scene.verb.is_planned())?;
        let turned = found.0[scene.new.index()].as_ref().is_some_and(|view| view.master);
        scene.tell(format!("before anything is typed: {found}"));
        // With no other process that could have been in the gate's way.
        let asked = victim == Some(Victim::Both) && !self.pair.cable.is_pulled();
        if asked && found.closed_without_need() {
            return violated(format!(
                "P2: the gate keeps the master read-only, though its peer was asked: {found}"
            ));
        }
        if scene.done && !turned && scene.verb != Verb::Abort {
            return violated(format!("{} was done, and the cut undid it: {found}", scene.verb));
        }
        self.master = self.type_again(scene, usize::from(victim.is_some()))?;
        self.end_writers(scene)?;
        self.keep_promises(scene, victim.is_some_and(Victim::is_master))?;
        self.pair.syncs(self.master)?;
        self.pair.settle_foreign()
    }

    /// Types the verb again, at least so often, and returns who is the master then.
    fn type_again(&mut self, scene: &mut Scene, at_least: usize) -> Result<Side> {
        let (old, new) = (scene.old, scene.new);
        let turned = |views: &Views| views.at_rest_with(new.index());
        match scene.verb {
            Verb::Failover | Verb::Takeover => {
                let either = [(old, Verb::Failover), (new, Verb::Takeover)];
                self.type_until(scene, &either, at_least, turned)?;
            }
            Verb::Forced => {
                self.type_forced(scene, at_least)?;
                self.type_until(scene, &[(old, Verb::Rejoin)], 1, turned)?;
            }
            Verb::Rejoin => {
                self.type_until(scene, &[(old, Verb::Rejoin)], at_least, turned)?;
            }
            Verb::Abort => return self.type_abort(scene, at_least),
        }
        Ok(new)
    }

    /// Until the new side leads, whatever the old one is; and then they meet.
    fn type_forced(&mut self, scene: &mut Scene, at_least: usize) -> Result<()> {
        let new = scene.new;
        // A gate that is strict stays closed as long as the cable is pulled: that is what it is for.
        let leads = |view: &View| view.leads() || view.waits_at_gate();
        let forced = |views: &Views| views.0[new.index()].as_ref().is_some_and(leads);
        self.type_until(scene, &[(new, Verb::Forced)], at_least, forced)?;
        self.meet(scene)
    }

    /// Until somebody is the master, by whichever verb: any of them settles what a failover has left behind.
    fn type_abort(&mut self, scene: &mut Scene, at_least: usize) -> Result<Side> {
        let (old, new) = (scene.old, scene.new);
        let turned = |views: &Views| views.at_rest_with(new.index());
        let at_rest = |views: &Views| turned(views) || views.at_rest_with(old.index());
        let any = [(old, Verb::Abort), (old, Verb::Failover), (new, Verb::Takeover)];
        let views = self.type_until(scene, &any, at_least, at_rest)?;
        Ok(if turned(&views) { new } else { old })
    }

    /// Types one of the verbs until the goal is reached. P1 holds after each.
    fn type_until(
        &mut self,
        scene: &mut Scene,
        verbs: &[(Side, Verb)],
        at_least: usize,
        goal: impl Fn(&Views) -> bool,
    ) -> Result<Views> {
        let forced = !scene.verb.is_planned();
        let mut views = self.pair.look_for_one_writer(forced)?;
        for typed in 0..=TYPINGS {
            if typed >= at_least && goal(&views) {
                return Ok(views);
            }
            if typed < TYPINGS {
                let (side, verb) = *self.chance.pick(verbs);
                self.type_once(scene, side, verb)?;
                if scene.typed.last().is_some_and(Typed::must_wait) {
                    thread::sleep(self.pair.patience);
                }
                views = self.pair.look_for_one_writer(forced)?;
            }
        }
        violated(format!("P2: after {TYPINGS} more times {views}"))
    }

    fn type_once(&mut self, scene: &mut Scene, side: Side, verb: Verb) -> Result<()> {
        let said = self.pair.zrep(side, &scene.words(verb))?;
        if said.ok() {
            self.usual.entry(verb.timed_as()).or_insert(said.took);
        }
        scene.typed.push(Typed {
            verb,
            on: self.pair.node(side).name(),
            trouble: (!said.ok()).then(|| format!("{}: {}", said.status(), said.stderr.join("\n"))),
        });
        scene.said.push(said);
        Ok(())
    }

    /// A writer on a side that is not the master any more ends by itself; the others are ended.
    fn end_writers(&self, scene: &mut Scene) -> Result<()> {
        for writer in &mut scene.writers {
            if writer.side != self.master && !writer.ends() {
                let name = self.pair.node(writer.side).name();
                return violated(format!("P1: {name} is no master, and {} goes on", writer.file));
            }
            if let Some(wrong) = writer.stop()? {
                return violated(wrong);
            }
        }
        Ok(())
    }

    /// The ledger: what was acknowledged is where it was promised to be.
    fn keep_promises(&mut self, scene: &mut Scene, power_lost: bool) -> Result<()> {
        let loose = power_lost && plain_is_loose(scene);
        for writer in &mut scene.writers {
            scene.records += writer.acknowledged();
            scene.story.push(writer.to_text());
            let promised = writer.promised(loose && writer.side == scene.old);
            self.pair.ledger.promise(&writer.file, promised);
        }
        // By force the new master is without what the old one wrote since, which is kept aside.
        let on_old = |writer: &&Writer| writer.side == scene.old && !scene.verb.is_planned();
        let aside: Vec<String> = scene.writers.iter().filter(on_old).map(|w| w.file.clone()).collect();
        if !scene.verb.is_planned() {
            self.pair.settle_tail(scene.old, &aside)?;
        }
        self.pair
            .settle_ledger(self.master, |file| aside.iter().any(|name| name == file))
    }
}

/// Whether a power cut of the old master may take plain writes that came behind the last sync of its pool.
///
/// Not once everything has arrived: a snapshot that was sent is on disk, with all that was written before it. But `readonly=on`
/// alone proves nothing: its transaction group can be on disk when the one behind it is not, in which there are writes
/// for which it came too late. That goes for a fence, too.
fn plain_is_loose(scene: &Scene) -> bool {
    let arrived = scene.done || scene.step.is_some_and(Step::has_all);
    !(scene.verb.is_planned() && arrived)
}
