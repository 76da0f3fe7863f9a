//! How far a verb had come when the power went, as the disks tell it.

use std::fmt;

use super::look::{View, Views};
use super::pair::Side;
use super::schedule::Verb;

/// What is on disk of a change, in the order of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing has begun, or all is undone.
    Before,
    /// The old master has stopped for a planned change.
    Stopped,
    /// Everything has arrived: the new side is prepared.
    Arrived,
    /// The new side is a master that is not whole yet.
    HalfTurned,
    /// The new side is the master, and the old one does not know.
    Turned,
    /// The superseded dataset has its new name, and nothing has the old one.
    Renamed,
    /// There is a clone under the old name.
    Cloned,
    /// All roles are as they are to be.
    Settled,
}

impl Step {
    /// What the disks tell of a verb by which NEW is to become the master, or has become it.
    pub fn of(verb: Verb, views: &Views, new: Side) -> Self {
        let view = |side: Side| views.0[side.index()].as_ref();
        let (old, new) = (view(new.other()), view(new));
        match verb {
            Verb::Failover | Verb::Takeover | Verb::Forced | Verb::Abort => Self::of_turn(old, new),
            Verb::Rejoin => Self::of_rejoin(old),
        }
    }

    fn of_turn(old: Option<&View>, new: Option<&View>) -> Self {
        let intent = |view: Option<&View>, verb: &str| {
            let intent = view.and_then(|view| view.intent.as_deref());
            intent.is_some_and(|text| text.starts_with(verb))
        };
        let is_master = |view: Option<&View>| view.is_some_and(|view| view.master);
        match (is_master(old), is_master(new)) {
            (_, true) if new.is_some_and(|view| view.readonly || view.intent.is_some()) => Self::HalfTurned,
            (true, true) => Self::Turned,
            (false, true) => Self::Settled,
            (_, false) if intent(new, "prepared") => Self::Arrived,
            (_, false) if intent(old, "failover") => Self::Stopped,
            (_, false) => Self::Before,
        }
    }

    fn of_rejoin(old: Option<&View>) -> Self {
        match old {
            None => Self::Renamed,
            Some(view) if view.master => Self::Before,
            Some(view) if view.clone => Self::Cloned,
            Some(_) => Self::Settled,
        }
    }

    /// Whether the new side then has all that the old one has acknowledged before it stopped.
    pub fn has_all(self) -> bool {
        match self {
            Self::Arrived | Self::HalfTurned | Self::Turned | Self::Settled => true,
            Self::Before | Self::Stopped | Self::Renamed | Self::Cloned => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Before => "as it was before",
            Self::Stopped => "old master stopped",
            Self::Arrived => "all arrived",
            Self::HalfTurned => "new master half made",
            Self::Turned => "old master unaware",
            Self::Renamed => "tail set aside",
            Self::Cloned => "clone not promoted",
            Self::Settled => "roles settled",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old() -> View {
        View {
            master: true,
            mounted: true,
            ..View::default()
        }
    }

    fn replica() -> View {
        View {
            readonly: true,
            ..View::default()
        }
    }

    fn with_intent(view: View, intent: &str) -> View {
        let intent = Some(intent.to_owned());
        View { intent, ..view }
    }

    fn step(verb: Verb, old: Option<View>, new: View) -> Step {
        Step::of(verb, &Views([old, Some(new)]), Side::Beta)
    }

    #[test]
    fn a_planned_change_is_read_from_intents_and_roles() {
        let step = |old, new| step(Verb::Failover, Some(old), new);
        let stopped = with_intent(old(), "failover 1 off x");
        let prepared = with_intent(replica(), "prepared 1 x");
        assert_eq!(step(old(), with_intent(replica(), "aborted x")), Step::Before);
        assert_eq!(step(stopped.clone(), replica()), Step::Stopped);
        assert_eq!(step(stopped.clone(), prepared.clone()), Step::Arrived);
        let half = View {
            master: true,
            ..prepared
        };
        assert_eq!(step(stopped.clone(), half), Step::HalfTurned);
        assert_eq!(step(stopped, old()), Step::Turned);
        assert_eq!(step(replica(), old()), Step::Settled);
    }

    #[test]
    fn a_rejoin_is_read_from_the_datasets_there_are() {
        let step = |old| {
            step(
                Verb::Rejoin,
                old,
                View {
                    master: true,
                    ..old_master()
                },
            )
        };
        fn old_master() -> View {
            old()
        }
        assert_eq!(step(Some(old())), Step::Before);
        assert_eq!(step(None), Step::Renamed);
        let clone = View {
            clone: true,
            ..replica()
        };
        assert_eq!(step(Some(clone)), Step::Cloned);
        assert_eq!(step(Some(replica())), Step::Settled);
    }
}
