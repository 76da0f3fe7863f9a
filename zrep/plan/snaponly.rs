//! `zrep snaponly`: the first half of a sync, a snapshot of the master under the next number, and of all that belongs to its tree. The other side is not asked.

use crate::intent::Intent;
use crate::model::State;
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::{Identity, target_of};
use crate::plan::standing::require_unfenced;
use crate::plan::sync::{new_snapshot_beside, still_master};
use crate::plan::{Action, Plan, Planned, Stage};
use crate::props::View;
use crate::refusal::{Refusal, Why};

/// Plans the snapshot, with those of `below`, which are part of the same pairing. The lock is taken, the snapshots made and the lock given back in one
/// batch: they are atomic, and all of one name.
///
/// Refuses a side that is not the master of this host, and one in the middle of a failover: whether it is the master still only the other side knows.
pub fn plan(me: &Identity, source: &State, below: &[State], locking: &Locking) -> Planned {
    let other = target_of(me, source)?;
    require_unfenced(me, source)?;
    if let Some(Intent::Failover { .. }) = View::new(source, &me.tag).intent() {
        let other = other.to_string();
        return Err(Refusal::source(&source.name, Why::InDoubt { other }));
    }
    let lock = lock::plan(source, &me.tag, locking)?;
    // N.B. numbers of the target are not known here. One that is in use there is seen by the sync that sends this snapshot.
    // N.B. ZFS makes no snapshot of what is not received to its end, and that would be the end of all the others in the batch.
    let all = || [source].into_iter().chain(below).filter(|state| !state.inconsistent);
    let new = new_snapshot_beside(me, source, all())?;
    let mut actions = still_master(me, source, lock.enter);
    for state in all() {
        let snapshot = state
            .snapshot_name(new.short())
            .map_err(|error| Refusal::source(&state.name, Why::BadSnapshotName(error)))?;
        actions.push(Action::Snapshot(snapshot));
    }
    actions.extend(lock.leave);
    Ok(Plan {
        stages: vec![Stage::source(actions)],
        notes: lock.note.into_iter().collect(),
        ..Plan::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::model::notation::{Builder, me, request, state};

    fn planned(state: Builder) -> Planned {
        plan(&me(), &state.build(), &[], &request().locking)
    }

    #[test]
    fn all_of_a_tree_get_one_name_that_is_free_in_all_of_it() {
        let below = [state("a/fs/x", "@zrep_00000b=3").build(), state("a/fs/x/y", "").build()];
        let top = state("a/fs", "@zrep_000009=1!").master().build();
        let plan = plan(&me(), &top, &below, &request().locking).unwrap();
        assert_eq!(
            plan.lines()[3..6],
            [
                "source: snapshot a/fs@zrep_00000c",
                "source: snapshot a/fs/x@zrep_00000c",
                "source: snapshot a/fs/x/y@zrep_00000c",
            ]
        );
    }

    #[test]
    fn the_snapshot_is_made_under_the_lock() {
        assert_eq!(
            planned(state("a/fs", "@zrep_000009=1! @daily=2").master())
                .unwrap()
                .lines(),
            [
                "source: expect no zrep:lock-pid on a/fs",
                "source: expect zrep:master=yes on a/fs",
                "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
                "source: snapshot a/fs@zrep_00000a",
                "source: set zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
            ]
        );
    }

    #[test]
    fn only_the_master_of_this_host_makes_one() {
        let refused = |state: Builder| planned(state).unwrap_err().telling().what;
        assert_eq!(refused(state("b/fs", "").replica()), "is not the master");
        let elsewhere = state("a/fs", "").master().user("zrep:src-host", "there", Origin::Local);
        assert_eq!(refused(elsewhere), "belongs to host there");
        let begun = state("a/fs", "")
            .master()
            .user("zrep:intent", "failover 1 - x", Origin::Local);
        assert!(refused(begun).starts_with("a failover to b/fs was cut off"));
    }
}
