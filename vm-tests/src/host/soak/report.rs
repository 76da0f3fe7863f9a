//! What people see of a soak: a line for each cut, and what all came to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::disk::Lost;
use super::power::Outcome;
use super::scene::Typed;
use super::schedule::{Cut, Verb, Victim};
use super::step::Step;
use crate::host::progress::elapsed;

/// A cut in a line, and a line more for each verb that did not end well when it was typed again.
pub fn line(cut: &Cut, outcome: &Outcome, usual: Duration, took: Duration) -> String {
    let Outcome { scene, violation } = outcome;
    let mut text = format!(
        "{:>4}  {:<25} power of {:<7} off after {:>4.1} of {:.1} s  found: {:<24} {:<42} {:>5} records {:>11}  {}",
        cut.number,
        format!("{} on {}", cut.verb, scene.typed_on.name()),
        victims(cut.victim, scene.old.name(), scene.new.name()),
        scene.after.as_secs_f64(),
        usual.as_secs_f64(),
        found(scene.step, scene.done),
        again(&scene.typed),
        scene.records,
        elapsed(took),
        verdict(violation.is_none())
    );
    for trouble in scene.typed.iter().filter_map(|typed| typed.trouble.as_deref()) {
        text.push_str("\n        | ");
        text.push_str(&trouble.replace('\n', "\n        | "));
    }
    text
}

fn victims(victim: Victim, old: &'static str, new: &'static str) -> &'static str {
    match victim {
        Victim::Master => old,
        Victim::Replica => new,
        Victim::Both => "both",
    }
}

fn found(step: Option<Step>, done: bool) -> String {
    let step = step.map_or_else(|| "nothing".to_owned(), |step| step.to_string());
    if done { format!("{step}, done") } else { step }
}

fn again(typed: &[Typed]) -> String {
    let ends = |typed: &Typed| if typed.trouble.is_none() { "" } else { " (!)" };
    let typed: Vec<String> = typed
        .iter()
        .map(|typed| format!("{} on {}{}", typed.verb, typed.on, ends(typed)))
        .collect();
    format!("typed: {}", typed.join(", "))
}

fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "FAILED" }
}

/// All that led to a broken promise, to be read from top to bottom.
pub fn violation(outcome: &Outcome, pools: &str) -> Option<String> {
    let violation = outcome.violation.as_ref()?;
    let mut text = format!("FAILED {violation}\n");
    for line in &outcome.scene.story {
        text.push_str(&format!("  {line}\n"));
    }
    for said in &outcome.scene.said {
        text.push_str(&format!("{said}\n"));
    }
    text.push_str(pools);
    Some(text)
}

/// What all cuts came to.
#[derive(Debug, Default)]
pub struct Tally {
    cuts: usize,
    failed: usize,
    /// Of rehearsals, which are no cuts.
    failed_before: usize,
    lost: Lost,
    steps: BTreeMap<Verb, BTreeMap<Step, usize>>,
}

impl Tally {
    pub fn rehearsed(&mut self, outcome: &Outcome) {
        self.failed_before += usize::from(outcome.violation.is_some());
    }

    pub fn count(&mut self, outcome: &Outcome) {
        self.cuts += 1;
        self.failed += usize::from(outcome.violation.is_some());
        self.lost += outcome.scene.lost;
        if let Some(step) = outcome.scene.step {
            *self
                .steps
                .entry(outcome.scene.verb)
                .or_default()
                .entry(step)
                .or_default() += 1;
        }
    }

    pub fn is_clean(&self) -> bool {
        self.failed + self.failed_before == 0
    }

    /// Which steps the cuts have hit, a line for each verb.
    pub fn steps(&self) -> String {
        let mut text = String::new();
        for (verb, steps) in &self.steps {
            let steps: Vec<String> = steps.iter().map(|(step, count)| format!("{step} {count}")).collect();
            text.push_str(&format!("cut in {verb}: {}\n", steps.join(", ")));
        }
        let Lost { writes, of } = self.lost;
        text.push_str(&format!(
            "{writes} of {of} writes that were not flushed were lost with the power"
        ));
        text
    }
}

/// The closing line.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cuts,
            failed,
            failed_before,
            ..
        } = self;
        write!(f, "{cuts} cuts, {} held, {failed} failed", cuts - failed)?;
        match failed_before {
            0 => Ok(()),
            count => write!(f, " (and {count} without any cut)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::soak::pair::{Side, Violation};
    use crate::host::soak::scene::Scene;

    fn outcome(violation: Option<&str>) -> Outcome {
        let mut scene = Scene::new("cut 3".to_owned(), Verb::Rejoin, Side::Beta);
        scene.after = Duration::from_millis(840);
        scene.step = Some(Step::Renamed);
        scene.lost = Lost { writes: 2, of: 5 };
        let typed = |trouble: Option<&str>| Typed {
            verb: Verb::Rejoin,
            on: "beta",
            trouble: trouble.map(str::to_owned),
        };
        scene.typed = vec![typed(Some("status 1: zrep: busy\n  help: wait")), typed(None)];
        let violation = violation.map(|what| Violation(what.to_owned()));
        Outcome { scene, violation }
    }

    #[test]
    fn a_cut_is_a_line_and_what_did_not_end_well_stands_below() {
        let cut = Cut {
            number: 3,
            verb: Verb::Rejoin,
            victim: Victim::Master,
            at: 0.15,
            seed: 1,
        };
        let text = line(&cut, &outcome(None), Duration::from_secs(5), Duration::from_secs(40));
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].contains("rejoin on beta            power of beta    off after  0.8 of 5.0 s"),
            "{text}"
        );
        assert!(lines[0].contains("typed: rejoin on beta (!), rejoin on beta"), "{text}");
        assert!(lines[0].ends_with("held"));
        assert_eq!(lines[1..], ["        | status 1: zrep: busy", "        |   help: wait"]);
    }

    #[test]
    fn the_closing_line_counts() {
        let mut tally = Tally::default();
        tally.count(&outcome(None));
        assert!(tally.is_clean());
        tally.count(&outcome(Some("P1: two masters")));
        assert!(!tally.is_clean());
        assert_eq!(tally.to_string(), "2 cuts, 1 held, 1 failed");
        assert!(tally.steps().contains("cut in rejoin: tail set aside 2"));
        assert!(tally.steps().contains("4 of 10 writes"));
    }
}
