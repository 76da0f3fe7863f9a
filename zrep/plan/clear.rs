//! `zrep clear`: one side forgets its pairing, and its snapshots go. The other side is not asked, and stays as it is.

use crate::model::{Origin, Snapshot, State};
use crate::names::Naming;
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::{Identity, require_no_child};
use crate::plan::{Action, Object, Plan, Planned, Stage, expire};
use crate::props::Key;
use crate::refusal::{Refusal, counted};

/// Plans to clear `state`: the snapshots that zrep has named are destroyed, and the tag's properties are unset. Both are told by their whole names: what
/// only looks like zrep's, or is another tag's, stays.
///
/// `below` is what has the role of `state`, where its pairing is recursive: its snapshots go, too.
///
/// The properties go last, so that what was cut off can be typed again. A snapshot that is held stays, and is named.
pub fn plan(me: &Identity, state: &State, below: &[State], locking: &Locking) -> Planned {
    require_no_child(me, state).map_err(|why| Refusal::source(&state.name, why))?;
    let lock = lock::plan(state, &me.tag, locking)?;
    let all = [state].into_iter().chain(below);
    let destroyed: Vec<Action> = all.flat_map(|state| expire::actions(state, &own(me, state))).collect();
    let set = set(me, state);
    if destroyed.is_empty() && set.is_empty() {
        return Ok(Plan::default());
    }
    let mut actions = lock.enter;
    actions.extend(destroyed);
    // N.B. the lock is among what is unset.
    let unset = set.into_iter().chain([Key::LockTime, Key::LockPid]);
    actions.push(Action::Set {
        on: Object::Dataset(state.name.clone()),
        properties: unset.map(|key| (me.tag.property(key), None)).collect(),
    });
    Ok(Plan {
        stages: vec![Stage::source(actions)],
        notes: lock.note.into_iter().collect(),
        ..Plan::default()
    })
}

/// What the plan does, for the question whether it shall.
pub fn would(me: &Identity, state: &State, below: &[State]) -> Vec<String> {
    let set: Vec<String> = set(me, state).into_iter().map(|key| me.tag.property(key)).collect();
    let unset = format!("unset what {} says of its pairing: {}", state.name, set.join(", "));
    let all = [state].into_iter().chain(below);
    all.filter_map(|state| would_destroy(me, state))
        .chain((!set.is_empty()).then_some(unset))
        .collect()
}

fn would_destroy(me: &Identity, state: &State) -> Option<String> {
    let own: Vec<&str> = own(me, state).iter().map(|snapshot| snapshot.name.as_str()).collect();
    let (count, names) = (counted(own.len(), "snapshot"), own.join(", "));
    (!own.is_empty()).then(|| format!("destroy {count} of {}: {names}", state.name))
}

fn own<'a>(me: &Identity, state: &'a State) -> Vec<&'a Snapshot> {
    let all = state.snapshots.iter();
    all.filter(|snapshot| Naming::of(&me.tag, &snapshot.name).is_own())
        .collect()
}

/// The tag's properties that are set on the dataset itself or came with a stream, but for the lock.
fn set(me: &Identity, state: &State) -> Vec<Key> {
    let is_set = |key: &Key| {
        let setting = state.user.get(&me.tag.property(*key));
        setting.is_some_and(|setting| matches!(setting.origin, Origin::Local | Origin::Received))
    };
    let is_lock = |key: &Key| matches!(key, Key::LockPid | Key::LockTime);
    Key::ALL
        .into_iter()
        .filter(|key| !is_lock(key))
        .filter(is_set)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, request, state};

    #[test]
    fn what_is_below_a_recursive_pairing_loses_its_snapshots_and_nothing_else() {
        let top = state("a/fs", "@zrep_000001=1!")
            .user("zrep:recursive", "yes", Origin::Local)
            .build();
        let below = [state("a/fs/b", "@zrep_000001=2 @daily=3")
            .user("my:note", "x", Origin::Local)
            .build()];
        assert_eq!(
            would(&me(), &top, &below),
            [
                "destroy 1 snapshot of a/fs: zrep_000001",
                "destroy 1 snapshot of a/fs/b: zrep_000001",
                "unset what a/fs says of its pairing: zrep:recursive",
            ]
        );
        let lines = plan(&me(), &top, &below, &request().locking).unwrap().lines();
        assert_eq!(
            lines.iter().filter(|line| line.contains("a/fs/b")).count(),
            1,
            "{lines:?}"
        );
    }

    #[test]
    fn what_is_zreps_goes_and_what_only_looks_like_it_stays() {
        let state = state(
            "a/fs",
            "@zrep_000001=1! @zrep_backup1=2 @zrep_ab=3 @uk-zrep_000001=4 @zrep_000002_unsent=5 @daily=6",
        )
        .user("zrep:master", "yes", Origin::Local)
        .user("zrep:src-fs", "a/fs", Origin::Received)
        .user("zrep:dest-fs", "b/fs", Origin::Inherited)
        .user("zrep:note", "mine", Origin::Local)
        .user("myzrep:master", "yes", Origin::Local)
        .build();
        assert_eq!(
            plan(&me(), &state, &[], &request().locking).unwrap().lines(),
            [
                "source: expect no zrep:lock-pid on a/fs",
                "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
                "source: destroy snapshot a/fs@zrep_000001",
                "source: destroy snapshot a/fs@zrep_000002_unsent",
                "source: set zrep:src-fs inherited zrep:master inherited zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
            ]
        );
        assert_eq!(
            would(&me(), &state, &[]),
            [
                "destroy 2 snapshots of a/fs: zrep_000001, zrep_000002_unsent",
                "unset what a/fs says of its pairing: zrep:src-fs, zrep:master",
            ]
        );
    }

    #[test]
    fn what_was_cut_off_can_be_typed_again_and_then_there_is_nothing_to_do() {
        let rest = state("a/fs", "@zrep_000001=1!").build();
        assert!(plan(&me(), &rest, &[], &request().locking).unwrap().lines()[2].starts_with("source: destroy"));
        let nothing = state("a/fs", "@daily=1").build();
        assert_eq!(plan(&me(), &nothing, &[], &request().locking), Ok(Plan::default()));
        assert!(would(&me(), &nothing, &[]).is_empty());
    }
}
