//! Waiting for a loop to get out of the way. It gives its locks back in its pauses, and makes one for whoever knocks
//! ([`lock::knock`](crate::lock::knock)): who types a command need not find the loop and end it.

use std::thread;
use std::time::{Duration, Instant};

use crate::problem::Problem;
use crate::session::Session;

/// How long between two looks: well below the shortest pause that a loop makes.
const LOOK: Duration = Duration::from_millis(40);

/// Tries again, for as long as `Z_LOCK_RETRY` says, while a loop has the dataset for itself. Whoever else has it is not waited for.
pub(super) fn patiently<T>(session: &Session, mut attempt: impl FnMut() -> Result<T, Problem>) -> Result<T, Problem> {
    let mut patience = Patience { session, until: None };
    loop {
        match attempt() {
            Err(problem) if patience.waits_for(&problem) => thread::sleep(LOOK),
            result => return result,
        }
    }
}

/// How often a dataset is looked at anew because somebody made a snapshot of it, or took its lock, between the look and the first change.
const ATTEMPTS: usize = 20;

/// The same, and anew where what was seen did not last until the first change.
pub(super) fn afresh<T>(session: &Session, mut attempt: impl FnMut() -> Result<T, Problem>) -> Result<T, Problem> {
    for _ in 1..ATTEMPTS {
        match patiently(session, &mut attempt) {
            Err(problem) if problem.is_stale() => {}
            result => return result,
        }
    }
    patiently(session, attempt)
}

struct Patience<'a> {
    session: &'a Session,
    until: Option<Instant>,
}

impl Patience<'_> {
    fn waits_for(&mut self, problem: &Problem) -> bool {
        let limit = self.session.settings.lock_retry;
        match self.until {
            None if problem.is_a_loop() && !limit.is_zero() => {
                self.say(problem, limit);
                self.until = Some(Instant::now() + limit);
                true
            }
            None => false,
            // The loop may be quicker with its next round, too.
            Some(until) => (problem.is_a_loop() || problem.is_stale()) && Instant::now() < until,
        }
    }

    fn say(&self, problem: &Problem, limit: Duration) {
        self.session.ui.note(&format!(
            "{}; waiting for the end of its round, {} s at most.",
            problem.told().headline(),
            limit.as_secs()
        ));
    }
}
