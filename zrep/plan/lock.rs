//! The lock on the master: two properties that shell zrep understands.
//!
//! `lock-pid` names the process, `lock-time` since when. Both are set in the transaction that does the first work, under the condition
//! that `lock-pid` is what was observed: of two processes that saw the dataset free, one gets it.

use crate::model::State;
use crate::plan::{Action, Object};
use crate::props::{Key, Tag, View};
use crate::refusal::{Refusal, Why};

/// The process that wants the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Now, as 14 digits of local wall time.
    pub since: String,
}

/// What the process that stands in `lock-pid` is doing, as far as this machine knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nobody holds the lock.
    Free,
    /// It has ended, or its number belongs to a process that began after the lock was taken.
    Dead,
    /// It lives.
    Alive {
        /// What it runs, if that can be seen.
        command: Option<String>,
    },
}

/// How a plan deals with the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locking {
    /// Take it in the first stage, give it back in the last.
    Take {
        /// For whom.
        holder: Holder,
        /// What is known of the one who stands there now.
        seen: Seen,
    },
    /// The caller holds it, and keeps it.
    Held {
        /// The caller.
        holder: Holder,
    },
}

/// The actions that begin and end a plan's work on a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// To stand before the first change.
    pub enter: Vec<Action>,
    /// To stand behind the last.
    pub leave: Vec<Action>,
    /// Whose lock is taken over, if one is.
    pub note: Option<String>,
}

/// Plans the lock on `state`, or refuses because somebody else has it.
pub fn plan(state: &State, tag: &Tag, locking: &Locking) -> Result<Lock, Refusal> {
    match locking {
        Locking::Held { holder } => Ok(Lock {
            enter: vec![expect(state, tag, Some(holder.pid.to_string()))],
            leave: Vec::new(),
            note: None,
        }),
        Locking::Take { holder, seen } => take(state, tag, holder, seen),
    }
}

fn take(state: &State, tag: &Tag, holder: &Holder, seen: &Seen) -> Result<Lock, Refusal> {
    let view = View::new(state, tag);
    let found = view.lock_pid();
    let note = match (seen, found) {
        (Seen::Alive { command }, Some(pid)) => {
            let why = Why::Locked {
                pid: pid.to_owned(),
                command: command.clone(),
                since: view.lock_time().map(str::to_owned),
                property: tag.property(Key::LockPid),
            };
            return Err(Refusal::source(&state.name, why));
        }
        (Seen::Dead, Some(pid)) => Some(taking_over(state, pid)),
        (Seen::Free | Seen::Dead | Seen::Alive { .. }, _) => None,
    };
    Ok(Lock {
        enter: vec![expect(state, tag, found.map(str::to_owned)), set(state, tag, holder)],
        leave: vec![release(state, tag)],
        note,
    })
}

fn taking_over(state: &State, pid: &str) -> String {
    match pid.parse::<u32>() {
        Ok(pid) => format!(
            "{}: taking over the lock of process {pid}, which has ended.",
            state.name
        ),
        Err(_) => format!("{}: taking over a lock that names no process ({pid:?}).", state.name),
    }
}

fn expect(state: &State, tag: &Tag, value: Option<String>) -> Action {
    Action::Expect {
        dataset: state.name.clone(),
        property: tag.property(Key::LockPid),
        value,
    }
}

fn set(state: &State, tag: &Tag, holder: &Holder) -> Action {
    Action::Set {
        on: Object::Dataset(state.name.clone()),
        properties: vec![
            (tag.property(Key::LockPid), Some(holder.pid.to_string())),
            (tag.property(Key::LockTime), Some(holder.since.clone())),
        ],
    }
}

/// Gives the lock back.
pub fn release(state: &State, tag: &Tag) -> Action {
    Action::Set {
        on: Object::Dataset(state.name.clone()),
        properties: vec![(tag.property(Key::LockTime), None), (tag.property(Key::LockPid), None)],
    }
}

/// Gives the lock back if it is the one that `state` shows. A process that does not know whether it holds it still must not take it from another.
pub fn release_own(state: &State, tag: &Tag) -> Vec<Action> {
    let own = View::new(state, tag).lock_pid().map(str::to_owned);
    vec![expect(state, tag, own), release(state, tag)]
}

/// Whether this is what gives a lock back, and nothing else.
pub fn is_release(properties: &[(String, Option<String>)]) -> bool {
    let is_lock = |name: &str| {
        let suffix = name.rsplit(':').next();
        [Key::LockPid, Key::LockTime]
            .iter()
            .any(|key| suffix == Some(key.suffix()))
    };
    properties.iter().all(|(name, value)| value.is_none() && is_lock(name))
}

impl Seen {
    /// Whether the holder is a loop, which gives its lock back if somebody knocks.
    pub fn is_a_loop(&self) -> bool {
        matches!(self, Self::Alive { command: Some(command) } if command.contains("--every"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::model::notation::state;

    fn tag() -> Tag {
        Tag::new("zrep").unwrap()
    }

    fn locking(seen: Seen) -> Locking {
        Locking::Take {
            holder: Holder {
                pid: 42,
                since: "20261122180000".into(),
            },
            seen,
        }
    }

    #[test]
    fn only_the_own_lock_is_given_back() {
        let held = state("a/fs", "").user("zrep:lock-pid", "42", Origin::Local).build();
        let told: Vec<String> = release_own(&held, &tag()).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "expect zrep:lock-pid=42 on a/fs",
                "set zrep:lock-time inherited zrep:lock-pid inherited on a/fs"
            ]
        );
        let Action::Set { properties, .. } = release(&held, &tag()) else {
            panic!()
        };
        assert!(is_release(&properties));
        assert!(!is_release(&[
            ("zrep:intent".into(), None),
            ("zrep:lock-pid".into(), None)
        ]));
        assert!(!is_release(&[("zrep:lock-pid".into(), Some("1".into()))]));
    }

    #[test]
    fn a_living_process_keeps_its_lock() {
        let held = state("a/fs", "").user("zrep:lock-pid", "7", Origin::Local).build();
        let refusal = plan(
            &held,
            &tag(),
            &locking(Seen::Alive {
                command: Some("zrep sync all".into()),
            }),
        )
        .unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "source a/fs: process 7 (zrep sync all) works on it"
        );
    }

    #[test]
    fn a_dead_process_lock_is_taken_over_on_condition_that_it_is_still_there() {
        let held = state("a/fs", "").user("zrep:lock-pid", "7", Origin::Local).build();
        let lock = plan(&held, &tag(), &locking(Seen::Dead)).unwrap();
        assert_eq!(lock.enter[0].to_string(), "expect zrep:lock-pid=7 on a/fs");
        assert_eq!(
            lock.enter[1].to_string(),
            "set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs"
        );
        assert!(lock.note.unwrap().contains("process 7"));
    }

    #[test]
    fn a_free_dataset_is_taken_on_condition_that_it_is_still_free() {
        let lock = plan(&state("a/fs", "").build(), &tag(), &locking(Seen::Free)).unwrap();
        assert_eq!(lock.enter[0].to_string(), "expect no zrep:lock-pid on a/fs");
        assert_eq!(
            lock.leave[0].to_string(),
            "set zrep:lock-time inherited zrep:lock-pid inherited on a/fs"
        );
    }

    #[test]
    fn a_received_lock_is_the_senders_and_does_not_count() {
        let replica = state("a/fs", "").user("zrep:lock-pid", "7", Origin::Received).build();
        assert_eq!(
            plan(&replica, &tag(), &locking(Seen::Free)).unwrap().enter[0].to_string(),
            "expect no zrep:lock-pid on a/fs"
        );
    }

    #[test]
    fn who_holds_the_lock_looks_only_whether_it_is_still_his() {
        let held = state("a/fs", "").user("zrep:lock-pid", "42", Origin::Local).build();
        let lock = plan(
            &held,
            &tag(),
            &Locking::Held {
                holder: Holder {
                    pid: 42,
                    since: String::new(),
                },
            },
        )
        .unwrap();
        assert_eq!(
            (lock.enter[0].to_string().as_str(), lock.leave.len()),
            ("expect zrep:lock-pid=42 on a/fs", 0)
        );
    }
}
