//! One case: a verb, the fault that strikes it, and the way on. And what is counted over all cases.

use std::collections::BTreeMap;

use crate::world::play::Strike;
use crate::world::way::Way;
use crate::world::{Batches, Layout};

/// Everything about one case, so that it can be played again.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code, reason = "shown where the case fails")]
pub(crate) struct Case {
    pub(crate) subject: &'static str,
    pub(crate) layout: Layout,
    pub(crate) batches: Batches,
    pub(crate) reversed: bool,
    pub(crate) strike: Strike,
    pub(crate) way: Way,
    pub(crate) second: Option<Strike>,
}

/// So many failures are shown in full.
const SHOWN: usize = 3;

/// What came of many cases.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) cases: usize,
    /// In full.
    failures: Vec<String>,
}

impl Tally {
    pub(crate) fn fail(&mut self, why: &str, case: Case, trace: &[String]) {
        self.failures.push(format!("{why}\n{case:?}\n{}", trace.join("\n")));
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.failures.extend(other.failures);
    }

    /// In one line.
    pub(crate) fn told(&self) -> String {
        format!("{} cases, {} fail", self.cases, self.failures.len())
    }

    /// # Panics
    ///
    /// If a case has failed.
    pub(crate) fn check(&self) {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for failure in &self.failures {
            *reasons.entry(failure.lines().next().unwrap_or_default()).or_default() += 1;
        }
        reasons
            .iter()
            .for_each(|(reason, count)| eprintln!("{count} times {reason}"));
        let shown: Vec<&str> = self.failures.iter().take(SHOWN).map(String::as_str).collect();
        assert!(
            self.failures.is_empty(),
            "{}, such as\n{}",
            self.told(),
            shown.join("\n\n")
        );
    }
}
