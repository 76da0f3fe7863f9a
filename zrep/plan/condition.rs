//! What is the matter with one side of a pairing, as far as that side alone can tell, and the command that helps.

use crate::intent::Intent;
use crate::model::{Origin, State};
use crate::plan::pairing::{Identity, is_named};
use crate::plan::takeover::ALONE;
use crate::props::View;
use crate::refusal::{counted, quoted};

/// The condition of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is the matter.
    Well,
    /// Its properties are those of a pair that it is not part of.
    Renamed,
    /// It was set aside by a rejoin that was cut off.
    SetAside,
    /// A master that was superseded.
    Fenced,
    /// A failover has begun here, and how far it came only the other side can tell.
    InDoubt,
    /// A failover to this side has begun.
    Prepared,
    /// A boot could not ask the other side.
    Gated,
    /// It is read-only, and no change of roles has made it so.
    ReadonlyMaster,
    /// A replica that was written to since its last snapshot.
    Diverged,
    /// A replica that can be written to.
    WritableReplica,
    /// It has not received its first snapshot.
    Incomplete,
    /// A stream was cut off in the middle.
    Interrupted,
}

/// Looks at one side.
pub fn of(me: &Identity, state: &State) -> Condition {
    let view = View::new(state, &me.tag);
    // N.B. a pair that is being swapped names the other end twice for a moment.
    let is_turning = matches!(view.intent(), Some(Intent::Failover { .. } | Intent::Prepared { .. }));
    if !is_turning && view.link().is_some_and(|link| !is_named(&link, state)) {
        match view.lock_pid().and(old_name(state)) {
            Some(_) => Condition::SetAside,
            None => Condition::Renamed,
        }
    } else if view.is_master() {
        of_master(view, state)
    } else {
        of_replica(view, state)
    }
}

/// The name that it had before a rejoin has set it aside.
fn old_name(state: &State) -> Option<&str> {
    let (old, epoch) = state.name.as_str().rsplit_once("_diverged_e")?;
    epoch.starts_with(|first: char| first.is_ascii_digit()).then_some(old)
}

fn of_master(view: View<'_>, state: &State) -> Condition {
    match (view.fenced(), view.intent()) {
        (Some(epoch), _) if epoch > view.epoch() => Condition::Fenced,
        (_, Some(Intent::Failover { .. })) => Condition::InDoubt,
        (_, Some(Intent::Gated { .. })) => Condition::Gated,
        (_, Some(Intent::Prepared { .. })) => Condition::Prepared,
        (_, Some(Intent::Aborted { .. }) | None) if state.readonly => Condition::ReadonlyMaster,
        (_, Some(Intent::Aborted { .. }) | None) => Condition::Well,
    }
}

fn of_replica(view: View<'_>, state: &State) -> Condition {
    match view.intent() {
        _ if state.inconsistent => Condition::Incomplete,
        Some(Intent::Prepared { .. }) => Condition::Prepared,
        Some(_) | None if !state.readonly && state.readonly_origin != Origin::Inherited => Condition::WritableReplica,
        Some(_) | None if state.written > 0 && state.partial.is_none() => Condition::Diverged,
        Some(_) | None if state.partial.is_some() => Condition::Interrupted,
        Some(_) | None => Condition::Well,
    }
}

/// Whether this is the intent of a takeover of one side alone.
fn is_alone(text: &str) -> bool {
    matches!(Intent::parse(text), Some(Intent::Prepared { nonce, .. }) if nonce.starts_with(ALONE))
}

impl Condition {
    /// For scripts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Renamed => "renamed",
            Self::SetAside => "set-aside",
            Self::Fenced => "fenced",
            Self::InDoubt => "in-doubt",
            Self::Prepared => "prepared",
            Self::Gated => "gated",
            Self::ReadonlyMaster => "readonly-master",
            Self::Diverged => "diverged",
            Self::WritableReplica => "writable-replica",
            Self::Incomplete => "incomplete",
            Self::Interrupted => "interrupted-receive",
        }
    }

    /// The command that helps.
    pub fn next_command(self, state: &State) -> Option<String> {
        let name = quoted(state.name.as_str());
        match self {
            Self::Well | Self::Renamed | Self::Incomplete => None,
            Self::SetAside => old_name(state).map(|old| format!("zrep rejoin {}", quoted(old))),
            Self::Fenced | Self::Diverged => Some(format!("zrep rejoin {name}")),
            Self::InDoubt => Some(format!("zrep failover {name}")),
            Self::Prepared if state.user.values().any(|setting| is_alone(&setting.value)) => {
                Some(format!("zrep takeover -L {name}"))
            }
            Self::Prepared => Some(format!("zrep takeover {name}")),
            Self::Gated => Some(format!("zrep gate {name}")),
            Self::ReadonlyMaster => Some(format!("zfs inherit readonly {name}")),
            Self::WritableReplica => Some(format!("zfs set readonly=on {name}")),
            Self::Interrupted => Some(format!("zrep refresh {name}")),
        }
    }

    /// For people, in one line; `None` where nothing is the matter.
    pub fn told(self, state: &State) -> Option<String> {
        let bytes = |bytes: u64| counted(usize::try_from(bytes).unwrap_or(usize::MAX), "byte");
        let what = match self {
            Self::Well => return None,
            Self::Renamed => "renamed: the pair that its properties speak of is of other datasets, and zrep takes this one for none of them. Give it its name back, or destroy it once nobody needs it".to_owned(),
            Self::SetAside => "set aside by a rejoin that has not come to its end: what only this side had is in it, and nothing else has it".to_owned(),
            Self::Fenced => "fenced: the other side became the master while this one could not be reached; read-only, and nothing is sent from here any more".to_owned(),
            Self::InDoubt => "in doubt: a failover has begun here, and whether the other side is the master by now only it can tell; read-only until then".to_owned(),
            Self::Prepared => "a failover to this side has begun and has not ended".to_owned(),
            Self::Gated => "read-only since the boot, because the other side could not be asked who is the master".to_owned(),
            Self::ReadonlyMaster => "a master that is read-only, though no failover has made it so".to_owned(),
            Self::Diverged => format!("diverged: {} count as written to this replica since its last snapshot", bytes(state.written)),
            Self::WritableReplica => "a replica that can be written to: what is written makes the next sync fail".to_owned(),
            Self::Incomplete => "its first receive has not come to its end; `zrep init` on the other side completes it".to_owned(),
            Self::Interrupted => format!(
                "a receive was interrupted after {}, or is under way; the next sync goes on with it",
                bytes(state.partial.as_ref().map_or(0, |partial| partial.point.bytes))
            ),
        };
        Some(match self.next_command(state) {
            Some(command) => format!("{what}. Next: `{command}`"),
            None => what,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{Builder, me, state};
    use zfs_ffi::DatasetName;

    fn master() -> Builder {
        state("a/fs", "@zrep_000001=1!").master()
    }

    fn replica() -> Builder {
        state("a/fs", "@zrep_000001=1!").replica()
    }

    #[test]
    fn each_condition_is_told_with_what_helps() {
        let stopped = |state: &mut State| (state.readonly, state.readonly_origin) = (true, Origin::Local);
        for (state, word, helps) in [
            (master(), "well", None),
            (
                master().user("zrep:fenced", "1", Origin::Local),
                "fenced",
                Some("zrep rejoin a/fs"),
            ),
            (
                master().user("zrep:intent", "failover 1 - x", Origin::Local),
                "in-doubt",
                Some("zrep failover a/fs"),
            ),
            (
                master().user("zrep:intent", "gated -", Origin::Local),
                "gated",
                Some("zrep gate a/fs"),
            ),
            (
                master().with(stopped),
                "readonly-master",
                Some("zfs inherit readonly a/fs"),
            ),
            (replica(), "well", None),
            (
                replica().with(|state| state.name = DatasetName::new("a/fs.old").unwrap()),
                "renamed",
                None,
            ),
            (
                replica()
                    .user("zrep:lock-pid", "41", Origin::Local)
                    .with(|state| state.name = DatasetName::new("a/fs_diverged_e1").unwrap()),
                "set-aside",
                Some("zrep rejoin a/fs"),
            ),
            (
                replica().user("zrep:intent", "prepared 1 x", Origin::Local),
                "prepared",
                Some("zrep takeover a/fs"),
            ),
            (
                replica().with(|state| state.written = 9),
                "diverged",
                Some("zrep rejoin a/fs"),
            ),
            (
                replica().with(|state| state.readonly = false),
                "writable-replica",
                Some("zfs set readonly=on a/fs"),
            ),
        ] {
            let state = state.build();
            let condition = of(&me(), &state);
            assert_eq!(
                (condition.word(), condition.next_command(&state).as_deref()),
                (word, helps)
            );
            assert_eq!(condition.told(&state).is_none(), word == "well", "{word}");
        }
    }

    #[test]
    fn who_has_passed_the_epoch_that_fenced_it_is_no_longer_fenced() {
        let again = master()
            .user("zrep:fenced", "1", Origin::Local)
            .user("zrep:epoch", "2", Origin::Local)
            .build();
        assert_eq!(of(&me(), &again), Condition::Well);
    }
}
