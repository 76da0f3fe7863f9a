//! A step of the walk, and whom it concerns.

use zrep::host::{Error, ErrorKind};

use std::rc::Rc;

use super::state::{Actor, Facts, Node};
use super::{Move, Operator, Search};
use crate::world::call::Asked;
use crate::world::play::is_force;
use crate::world::typed::{Next, Run, Typed};
use crate::world::work::{Fault, Work};
use crate::world::{World, promises};

impl Search {
    /// The next line of an operator, if there is one.
    pub(super) fn begun(&mut self, world: &mut World, operator: Operator, line: usize, number: usize) -> Option<Actor> {
        let words = *operator.lines.get(line)?;
        let typed = Typed {
            on: world.layout.machine(operator.side),
            line: words,
        };
        let pid = u32::try_from(2_000_000 + number * 100 + line * 2).expect("few processes");
        let mut run = Run::new(typed, world.layout, pid);
        run.mistake = self.mistake;
        world.alive.extend(run.pids());
        world.forced |= is_force(words);
        let mut actor = Actor {
            operator,
            line,
            run,
            calls: Vec::new(),
        };
        match self.runner.next(&actor.run).as_ref() {
            Next::Asks(asked) => {
                actor.calls = asked
                    .iter()
                    .map(|asked| Work::new(asked.clone(), world.batches))
                    .collect()
            }
            Next::Ends(_) => return self.ended(world, actor, number),
        }
        Some(actor)
    }

    fn ended(&mut self, world: &mut World, actor: Actor, number: usize) -> Option<Actor> {
        actor.run.pids().iter().for_each(|pid| _ = world.alive.remove(pid));
        self.begun(world, actor.operator, actor.line + 1, number)
    }

    /// Does a step, and looks at the promises if anything has changed.
    pub(super) fn take(&mut self, node: &mut Node, step: Move) -> Result<(), String> {
        if let Move::Deed { actor, call } = step
            && node.is_question(actor, call)
        {
            let before = Rc::clone(&node.world);
            self.deed(node, actor, call);
            // Who has heard the last answer may end, and give its processes back.
            if !Rc::ptr_eq(&before, &node.world) {
                node.facts = Facts::of(&node.world);
            }
            return Ok(());
        }
        match step {
            Move::Deed { actor, call } => self.deed(node, actor, call),
            Move::Strike { actor, call, fault } => {
                node.faults -= 1;
                self.strike(node, actor, call, fault);
            }
            Move::Write { side } => {
                node.writes -= 1;
                Rc::make_mut(&mut node.world).write(side);
            }
            Move::Cut => {
                node.faults -= 1;
                node.is_cut = true;
                self.break_links(node, None);
            }
            Move::Heal => node.is_cut = false,
            Move::Reboot { machine } => {
                node.faults -= 1;
                self.break_links(node, Some(machine));
                self.reboot(node, machine);
            }
        }
        let world = Rc::make_mut(&mut node.world);
        let kept = promises::at_every_step(world);
        node.facts = Facts::of(world);
        kept
    }

    fn deed(&mut self, node: &mut Node, number: usize, call: usize) {
        let Some(mut actor) = node.actors[number].take() else {
            return;
        };
        let work = &mut actor.calls[call];
        let answer = if node.is_cut && work.asked.over_network {
            Some(work.unheard(Error::new(ErrorKind::Unreachable, "the network is cut")))
        } else {
            match work.is_question() {
                true => work.look(&node.world),
                false if !work.is_over() => work.step(Rc::make_mut(&mut node.world)),
                false => {}
            }
            work.is_over().then(|| work.answer())
        };
        if let Some(answer) = answer {
            let asked = actor.calls[call].asked.clone();
            actor.run.hear(&asked, answer);
            node.actors[number] = self.gone_on(node, actor, number);
        } else {
            node.actors[number] = Some(actor);
        }
    }

    /// What the actor waits for after it heard an answer. A call that was under way at the same time goes on where it was.
    fn gone_on(&mut self, node: &mut Node, mut actor: Actor, number: usize) -> Option<Actor> {
        match self.runner.next(&actor.run).as_ref() {
            Next::Ends(_) => self.ended(Rc::make_mut(&mut node.world), actor, number),
            Next::Asks(asked) => {
                let before = std::mem::take(&mut actor.calls);
                let work = |asked: &Asked| {
                    let under_way = before.iter().find(|work| work.asked == *asked);
                    under_way
                        .cloned()
                        .unwrap_or_else(|| Work::new(asked.clone(), node.world.batches))
                };
                actor.calls = asked.iter().map(work).collect();
                Some(actor)
            }
        }
    }

    fn strike(&mut self, node: &mut Node, number: usize, call: usize, fault: Fault) {
        let Some(mut actor) = node.actors[number].take() else {
            return;
        };
        if fault == Fault::CallerDies {
            node.actors[number] = self.died(Rc::make_mut(&mut node.world), actor, number);
            return;
        }
        let work = &mut actor.calls[call];
        if fault == Fault::ReplyLost {
            work.step(Rc::make_mut(&mut node.world));
        }
        let asked = work.asked.clone();
        // N.B. a call that the machine itself has refused is answered so, also if the answer was to be lost.
        let Some(answer) = work.clone().struck(Rc::make_mut(&mut node.world), fault) else {
            unreachable!("{fault:?} leaves the caller alive")
        };
        actor.run.hear(&asked, answer);
        node.actors[number] = self.gone_on(node, actor, number);
    }

    fn died(&mut self, world: &mut World, actor: Actor, number: usize) -> Option<Actor> {
        for work in &actor.calls {
            let _nobody_hears = work.clone().struck(world, Fault::CallerDies);
        }
        self.ended(world, actor, number)
    }

    /// What was under way over the network is lost: a stream in its middle, changes behind their end, because a server does not stop.
    fn break_links(&mut self, node: &mut Node, to: Option<usize>) {
        for number in 0..node.actors.len() {
            while let Some(call) = node.actors[number].as_ref().and_then(|actor| actor.broken_call(to)) {
                let Some(mut actor) = node.actors[number].take() else {
                    break;
                };
                let work = &mut actor.calls[call];
                while !work.is_over() && !work.can_be_struck(Fault::LinkCut) && to.is_none() {
                    work.step(Rc::make_mut(&mut node.world));
                }
                let asked = work.asked.clone();
                let answer = work.clone().struck(Rc::make_mut(&mut node.world), Fault::PeerDies);
                actor.run.hear(&asked, answer.expect("a caller that lives"));
                node.actors[number] = self.gone_on(node, actor, number);
            }
        }
    }

    fn reboot(&mut self, node: &mut Node, machine: usize) {
        for number in 0..node.actors.len() {
            let Some(actor) = node.actors[number].take() else {
                continue;
            };
            if actor.run.typed.on == machine {
                node.actors[number] = self.died(Rc::make_mut(&mut node.world), actor, number);
            } else {
                Rc::make_mut(&mut node.world).alive.remove(&actor.run.pids()[1]);
                node.actors[number] = Some(actor);
            }
        }
    }
}
