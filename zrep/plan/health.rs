//! What monitoring wants to know of one side of a pairing: whether somebody has to look at it.

use std::fmt;

use crate::model::State;
use crate::plan::condition::{self, Condition};
use crate::plan::pairing::Identity;
use crate::plan::tree::trouble::{Trouble, troubles};
use crate::plan::uptodate::{Unsent, unsent_of_tree, waiting};
use crate::props::View;
use crate::refusal::counted;

/// The four answers of a check, the worst one last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Nobody needs to look.
    Ok,
    /// It cannot be told.
    Unknown,
    /// Somebody should look.
    Warning,
    /// Somebody must look.
    Critical,
}

impl Health {
    /// As the first line of a check has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Unknown => "UNKNOWN",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// From which age on, in seconds, the last sync is too old. `None` is never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Thresholds {
    /// Somebody should look.
    pub warning: Option<u64>,
    /// Somebody must look.
    pub critical: Option<u64>,
}

/// What is said of one dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// In a word.
    pub health: Health,
    /// Why, for people.
    pub reason: String,
    /// Seconds since the last sync began.
    pub age: Option<u64>,
}

/// Judges one side, which was observed with its marks, at `now`, in seconds since 1970. `below` is what has its role, where its pairing is recursive.
///
/// A master of which nothing is unsent is well, however long ago that was: with `sync -c` there may be nothing to send for weeks.
pub fn of(me: &Identity, state: &State, below: &[State], thresholds: Thresholds, now: u64) -> Judgement {
    let view = View::new(state, &me.tag);
    let last = view.last_sent();
    let age = last.map(|last| now.saturating_sub(view.sent(last).unwrap_or(last.creation)));
    let mut found: Vec<(Health, String)> = Vec::new();
    found.extend(of_condition(me, state));
    found.extend(of_waiting(waiting(&me.tag, state)).filter(|_| view.is_master()));
    let troubles = troubles(me, state, last.map(|last| last.name.as_str()), below);
    found.extend(of_troubles(&troubles, view.is_master()));
    let is_level = view.is_master() && unsent_of_tree(&me.tag, state, below) == Unsent::Nothing;
    found.push(of_age(age, thresholds, is_level));
    Judgement {
        health: found.iter().map(|(health, _)| *health).max().unwrap_or(Health::Ok),
        reason: found
            .into_iter()
            .map(|(_, reason)| reason)
            .collect::<Vec<_>>()
            .join("; "),
        age,
    }
}

fn of_condition(me: &Identity, state: &State) -> Option<(Health, String)> {
    let condition = condition::of(me, state);
    let health = match condition {
        // A stream that is under way looks like one that was cut off.
        Condition::Well | Condition::Interrupted => return None,
        Condition::Renamed
        | Condition::SetAside
        | Condition::ReadonlyMaster
        | Condition::WritableReplica
        | Condition::Incomplete
        | Condition::Prepared => Health::Warning,
        Condition::Fenced | Condition::InDoubt | Condition::Gated | Condition::Diverged => Health::Critical,
    };
    Some((health, condition.told(state)?))
}

fn of_waiting(count: usize) -> Option<(Health, String)> {
    (count > 1).then(|| {
        (
            Health::Warning,
            format!("{} wait to be sent", counted(count, "snapshot")),
        )
    })
}

fn of_troubles(troubles: &[Trouble<'_>], is_master: bool) -> Option<(Health, String)> {
    let first = troubles.first()?.told(is_master);
    let more = match troubles.len() {
        1 => String::new(),
        all => format!("; and {} more below", all - 1),
    };
    Some((Health::Warning, format!("{first}{more}")))
}

fn of_age(age: Option<u64>, thresholds: Thresholds, is_level: bool) -> (Health, String) {
    let Some(age) = age else {
        return (Health::Critical, "never synced".to_owned());
    };
    let is_past = |limit: &u64| age >= *limit;
    let (health, limit) = match (thresholds.critical.filter(is_past), thresholds.warning.filter(is_past)) {
        _ if is_level => return (Health::Ok, format!("synced {age} s ago, and nothing was written since")),
        (Some(limit), _) => (Health::Critical, limit),
        (None, Some(limit)) => (Health::Warning, limit),
        (None, None) => return (Health::Ok, format!("synced {age} s ago")),
    };
    (health, format!("synced {age} s ago, which is {limit} s or more"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::model::notation::{Builder, me, state};

    const SENT: u64 = 1_700_000_000;

    fn judged(state: Builder, warning: Option<u64>, critical: Option<u64>, age: u64) -> (Health, String) {
        let thresholds = Thresholds { warning, critical };
        let judgement = of(&me(), &state.build(), &[], thresholds, SENT + age);
        (judgement.health, judgement.reason)
    }

    fn written(state: Builder) -> Builder {
        state.with(|state| state.written = 1)
    }

    #[test]
    fn the_age_is_judged_by_the_thresholds_and_by_nothing_else() {
        for (warning, critical, age, expected) in [
            (None, None, 1_000_000, Health::Ok),
            (Some(60), None, 59, Health::Ok),
            (Some(60), None, 60, Health::Warning),
            (Some(60), Some(90), 90, Health::Critical),
            (None, Some(90), 90, Health::Critical),
            (Some(90), Some(60), 60, Health::Critical),
        ] {
            let master = written(state("a/fs", "@zrep_000001=1!").master());
            let (health, reason) = judged(master, warning, critical, age);
            assert_eq!(health, expected, "{warning:?} {critical:?} {age}: {reason}");
        }
    }

    #[test]
    fn a_master_without_anything_unsent_is_well_at_any_age_and_a_replica_is_not() {
        let master = state("a/fs", "@zrep_000001=1!").master();
        assert_eq!(judged(master, Some(1), Some(2), 9).0, Health::Ok);
        let replica = state("b/fs", "@zrep_000001=1!").replica();
        assert_eq!(judged(replica, Some(1), Some(2), 9).0, Health::Critical);
    }

    #[test]
    fn what_was_never_synced_and_what_piles_up_is_seen() {
        let never = state("a/fs", "@zrep_000000=1").master();
        assert_eq!(judged(never, None, None, 0), (Health::Critical, "never synced".into()));
        let one = state("a/fs", "@zrep_000000=1! @zrep_000001=2").master();
        assert_eq!(judged(one, None, None, 0).0, Health::Ok);
        let two = state("a/fs", "@zrep_000000=1! @zrep_000001_unsent=2 @zrep_000002=3").master();
        let (health, reason) = judged(two, None, None, 0);
        assert_eq!(health, Health::Warning);
        assert!(reason.contains("2 snapshots wait"), "{reason}");
    }

    #[test]
    fn a_child_that_stayed_behind_is_a_warning_and_what_it_has_unsent_counts() {
        let thresholds = Thresholds {
            warning: Some(60),
            critical: None,
        };
        let top = state("a/fs", "@zrep_000001=1!").master().build();
        for (snapshots, written, age, expected) in [
            ("@zrep_000001=2", 0, 99, Health::Ok),
            ("@zrep_000001=2", 1, 9, Health::Ok),
            ("@zrep_000001=2", 1, 99, Health::Warning),
            ("@zrep_000000=2", 0, 9, Health::Warning),
        ] {
            let child = state("a/fs/b", snapshots).with(|state| state.written = written).build();
            let judgement = of(&me(), &top, &[child], thresholds, SENT + age);
            assert_eq!(
                judgement.health, expected,
                "{snapshots} {written} {age}: {}",
                judgement.reason
            );
        }
    }

    #[test]
    fn a_master_that_was_superseded_is_critical() {
        let fenced = state("a/fs", "@zrep_000000=1!")
            .master()
            .user("zrep:fenced", "1", Origin::Local);
        let (health, reason) = judged(fenced, None, None, 0);
        assert_eq!(health, Health::Critical);
        assert!(reason.contains("zrep rejoin a/fs"), "{reason}");
    }
}
