//! Brings a pairing back to one master and one replica, after something was cut off or forced.
//!
//! Each of these plans is safe to be cut off itself, and to be made again.

use crate::intent::Intent;
use crate::model::{Link, State};
use crate::plan::lock::{self, Lock, Locking};
use crate::plan::pairing::{Identity, is_torn, link_of};
use crate::plan::turn::{self, Turn};
use crate::plan::{Action, Object, Plan, Planned, Stage, standing};
use crate::props::{Key, View};
use crate::refusal::Refusal;

/// Makes the old master the replica of the new one, and completes what may be missing there. Behind the point of no return there is
/// only the way forward.
pub fn step_down(me: &Identity, old: &State, new: &State, locking: &Locking) -> Planned {
    let lock = lock::plan(old, &me.tag, locking)?;
    let link = whole_link(me, old, new)?;
    let turn = Turn::of(me, old, new, &link, View::new(new, &me.tag).epoch());
    let note = format!(
        "{} is the master already; completing a failover that was cut off.",
        new.name
    );
    let mut stages = vec![Stage::Commit];
    stages.extend(turn.completed(me, new));
    let mut enter = lock.enter;
    if old.written == 0 {
        let conditions = enter.iter().take_while(|action| action.is_condition()).count();
        enter.insert(conditions, Action::ExpectUnwritten(old.name.clone()));
    }
    stages.push(Stage::source(enter));
    stages.push(turn.lowered());
    Ok(Plan {
        stages,
        notes: lock.note.into_iter().chain([note]).collect(),
        ..Plan::default()
    })
}

/// The same for trees: what is below the old master follows it, and what is below the new one is mounted.
pub fn with_trees(mut plan: Plan, below_old: &[State], below_new: &[State]) -> Plan {
    let (source, target) = (turn::following(below_old), turn::mount_all(below_new));
    if !source.is_empty() || !target.is_empty() {
        plan.stages.push(Stage::Apply { source, target });
    }
    plan
}

/// The pair as it stands on the old master, or on the new one where the old one's was cut off while it was swapped.
fn whole_link(me: &Identity, old: &State, new: &State) -> Result<Link, Refusal> {
    let link = link_of(me, old).map_err(|why| Refusal::source(&old.name, why))?;
    if is_torn(me, &link, old, new) {
        link_of(me, new).map_err(|why| Refusal::target(&new.name, why))
    } else {
        Ok(link)
    }
}

/// Keeps a superseded master from being written to and from being believed. It loses nothing thereby.
pub fn fence(me: &Identity, old: &State, new: &State) -> Plan {
    let epoch = View::new(new, &me.tag).epoch();
    let view = View::new(old, &me.tag);
    if view.fenced() == Some(epoch) && old.readonly {
        return Plan::default();
    }
    let fenced = Action::Set {
        on: Object::Dataset(old.name.clone()),
        properties: vec![
            ("readonly".into(), Some("on".into())),
            (me.tag.property(Key::Fenced), Some(epoch.to_string())),
        ],
    };
    let note = format!(
        "{} was superseded: {} is the master, in epoch {epoch}. Making {} read-only; what was written to it stays.",
        old.name, new.name, old.name
    );
    // N.B. what was observed of the old one may be older than what was observed of the new one: it may have stopped in between, or be lowered, or have
    // made the snapshot behind which it has nothing more.
    let mut actions = [Key::Master, Key::Epoch, Key::Intent]
        .map(|key| turn::expect(me, old, key))
        .to_vec();
    actions.extend(expect_newest(old));
    actions.push(fenced);
    Plan {
        stages: vec![Stage::source(actions)],
        notes: vec![note],
        ..Plan::default()
    }
}

fn expect_newest(state: &State) -> Option<Action> {
    let newest = state.newest()?;
    Some(Action::ExpectNewest {
        dataset: state.name.clone(),
        snapshot: Some(state.snapshot_name(&newest.name).ok()?),
    })
}

/// Gives a change up that has not reached its point of no return.
///
/// N.B. a commit may be on its way still, although who sent it is dead. It is conditional on what stands in the target's intent; so that
/// is changed first, and only then does the source become writable.
pub fn abort(me: &Identity, source: &State, target: &State, intent: &Intent, locking: &Locking) -> Planned {
    let lock = lock::plan(source, &me.tag, locking)?;
    let mut stages = Vec::new();
    if let Intent::Failover { nonce, .. } = intent {
        stages.extend(disarm(me, target, nonce).map(Stage::target));
    }
    let mut actions = entered(me, source, &lock);
    actions.extend(restored(me, source, intent));
    stages.push(Stage::source(actions));
    let note = match intent {
        Intent::Gated { .. } => format!("{}: its peer was asked; it is the master still.", source.name),
        Intent::Failover { .. } | Intent::Prepared { .. } | Intent::Aborted { .. } => format!(
            "{}: a failover was cut off before its point of no return; undoing it.",
            source.name
        ),
    };
    Ok(Plan {
        stages,
        notes: lock.note.into_iter().chain([note]).collect(),
        ..Plan::default()
    })
}

/// Gives a change up although the target cannot be asked: the source becomes the master of an epoch above any that the target can hold.
pub fn abort_alone(me: &Identity, source: &State, intent: &Intent, locking: &Locking) -> Planned {
    let lock = lock::plan(source, &me.tag, locking)?;
    let reached = match intent {
        Intent::Failover { epoch, .. } => {
            standing::next_epoch(me, *epoch).map_err(|why| Refusal::source(&source.name, why))?
        }
        Intent::Prepared { .. } | Intent::Aborted { .. } | Intent::Gated { .. } => 0,
    };
    let epoch = View::new(source, &me.tag).epoch().max(reached);
    let mut actions = entered(me, source, &lock);
    actions.push(Action::Set {
        on: Object::Dataset(source.name.clone()),
        properties: vec![(me.tag.property(Key::Epoch), Some(epoch.to_string()))],
    });
    actions.extend(restored(me, source, intent));
    let note = format!(
        "{}: giving a failover up without knowing whether its target became the master. If it did, it is superseded by this: what was written there is kept aside when it rejoins.",
        source.name
    );
    Ok(Plan {
        stages: vec![Stage::Commit, Stage::source(actions)],
        notes: lock.note.into_iter().chain([note]).collect(),
        ..Plan::default()
    })
}

/// Opens a gate that was closed because the other side could not be asked; `None` where there is none.
pub fn opened(me: &Identity, source: &State, locking: &Locking) -> Result<Option<Stage>, Refusal> {
    let Some(intent @ Intent::Gated { .. }) = View::new(source, &me.tag).intent() else {
        return Ok(None);
    };
    let lock = lock::plan(source, &me.tag, locking)?;
    let mut actions = entered(me, source, &lock);
    actions.extend(restored(me, source, &intent));
    Ok(Some(Stage::source(actions)))
}

/// N.B. under the lock: between the condition and what is restored, which is no single transaction, another attempt could begin.
fn entered(me: &Identity, source: &State, lock: &Lock) -> Vec<Action> {
    let mut actions = lock.enter.clone();
    let conditions = actions.iter().take_while(|action| action.is_condition()).count();
    actions.insert(conditions, turn::expect(me, source, Key::Intent));
    actions
}

/// Makes every commit of an earlier attempt fail, wherever it is.
pub fn disarm(me: &Identity, target: &State, nonce: &str) -> Option<Vec<Action>> {
    let aborted = Intent::Aborted {
        nonce: nonce.to_owned(),
    };
    if View::new(target, &me.tag).intent() == Some(aborted.clone()) {
        return None;
    }
    Some(vec![
        turn::expect(me, target, Key::Master),
        turn::expect(me, target, Key::Epoch),
        turn::expect(me, target, Key::Intent),
        Action::Set {
            on: Object::Dataset(target.name.clone()),
            properties: vec![(me.tag.property(Key::Intent), Some(aborted.to_string()))],
        },
    ])
}

/// Takes back that the target is prepared for a change which was given up without it. A commit that is on its way still fails thereby.
pub fn forget(me: &Identity, source: &State, target: &State) -> Plan {
    let actions = vec![
        turn::expect(me, target, Key::Master),
        turn::expect(me, target, Key::Intent),
        Action::Set {
            on: Object::Dataset(target.name.clone()),
            properties: vec![(me.tag.property(Key::Intent), None)],
        },
    ];
    Plan {
        // N.B. the target was looked at after the source: a failover may have begun in between.
        stages: vec![
            Stage::source(vec![turn::expect(me, source, Key::Intent)]),
            Stage::target(actions),
        ],
        notes: vec![format!("{}: a failover to it was given up.", target.name)],
        ..Plan::default()
    }
}

/// `readonly` as it was, then the intent and the lock away.
pub fn restored(me: &Identity, source: &State, intent: &Intent) -> Vec<Action> {
    let set = |properties| Action::Set {
        on: Object::Dataset(source.name.clone()),
        properties,
    };
    let before = match intent {
        Intent::Failover { readonly, .. } | Intent::Gated { readonly } => *readonly,
        Intent::Prepared { .. } | Intent::Aborted { .. } => None,
    };
    let word = before.map(|on| if on { "on" } else { "off" }.to_owned());
    vec![
        set(vec![("readonly".into(), word)]),
        set(vec![
            (me.tag.property(Key::Intent), None),
            (me.tag.property(Key::LockTime), None),
            (me.tag.property(Key::LockPid), None),
        ]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::model::notation::{me, request, state};

    #[test]
    fn a_commit_that_is_on_its_way_is_made_impossible_before_the_source_becomes_writable() {
        let source = state("a/fs", "@zrep_000001=1!").master().build();
        let target = state("b/fs", "@zrep_000001=1!")
            .replica()
            .user("zrep:intent", "prepared 1 7-1", Origin::Local)
            .build();
        let intent = Intent::Failover {
            epoch: 1,
            readonly: Some(false),
            nonce: "7-1".into(),
        };
        assert_eq!(
            abort(&me(), &source, &target, &intent, &request().locking)
                .unwrap()
                .lines(),
            [
                "target: expect no zrep:master on b/fs",
                "target: expect no zrep:epoch on b/fs",
                "target: expect zrep:intent=prepared 1 7-1 on b/fs",
                "target: set zrep:intent=aborted 7-1 on b/fs",
                "source: expect no zrep:lock-pid on a/fs",
                "source: expect no zrep:intent on a/fs",
                "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
                "source: set readonly=off on a/fs",
                "source: set zrep:intent inherited zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
            ]
        );
    }

    #[test]
    fn what_a_target_was_prepared_for_is_forgotten_only_if_the_source_has_begun_nothing_since() {
        let source = state("a/fs", "@zrep_000001=1!").master().build();
        let target = state("b/fs", "@zrep_000001=1!")
            .replica()
            .user("zrep:intent", "prepared 1 7-1", Origin::Local)
            .build();
        assert_eq!(
            forget(&me(), &source, &target).lines(),
            [
                "source: expect no zrep:intent on a/fs",
                "target: expect no zrep:master on b/fs",
                "target: expect zrep:intent=prepared 1 7-1 on b/fs",
                "target: set zrep:intent inherited on b/fs",
            ]
        );
    }

    #[test]
    fn what_completes_a_new_master_does_nothing_to_one_that_was_turned_since() {
        let stopped = state("a/fs", "@zrep_000001=1!")
            .master()
            .user("zrep:intent", "failover 1 - 7-1", Origin::Local)
            .with(|state| (state.readonly, state.readonly_origin) = (true, Origin::Local))
            .build();
        let new = state("b/fs", "@zrep_000001=1!")
            .master()
            .user("zrep:epoch", "1", Origin::Local)
            .user("zrep:intent", "prepared 1 7-1", Origin::Local)
            .build();
        let lines = step_down(&me(), &stopped, &new, &request().locking).unwrap().lines();
        assert_eq!(
            lines[1..4],
            [
                "target: expect zrep:master=yes on b/fs",
                "target: expect zrep:epoch=1 on b/fs",
                "target: expect zrep:intent=prepared 1 7-1 on b/fs",
            ]
        );
    }

    #[test]
    fn fencing_is_done_once() {
        let new = state("b/fs", "")
            .master()
            .user("zrep:epoch", "2", Origin::Local)
            .build();
        let old = state("a/fs", "@zrep_000001=1!").master();
        assert_eq!(
            fence(&me(), &old.build(), &new).lines(),
            [
                "source: expect zrep:master=yes on a/fs",
                "source: expect no zrep:epoch on a/fs",
                "source: expect no zrep:intent on a/fs",
                "source: expect a/fs@zrep_000001 to be the newest",
                "source: set readonly=on zrep:fenced=2 on a/fs",
            ]
        );
        let old = state("a/fs", "")
            .master()
            .user("zrep:fenced", "2", Origin::Local)
            .with(|state| state.readonly = true);
        assert!(fence(&me(), &old.build(), &new).stages.is_empty());
    }
}
