//! Mistakes that somebody could make in the program, each of them one. The explorer must find each.
//!
//! They are planted in a plan on its way from the real `plan` to the real `execute`, or in what is seen on its way from a machine to the real `plan`. Every
//! other guard is left as it is; where the mistake *is* that a guard is missing, it says which.

use zrep::model::{Origin, State};
use zrep::plan::{Action, Object, Plan, Stage};

use crate::world::SIDES;
use crate::world::typed::{FAITHFUL, Mistake};

/// The target is made the master before the last stream, and not after it. All guards are there.
pub(crate) const COMMIT_BEFORE_THE_LAST_SYNC: Mistake = Mistake {
    plan: commit_first,
    ..FAITHFUL
};

/// The source is stopped behind the snapshot, right before the point of no return. All guards are there: the last look comes too early.
pub(crate) const READONLY_AFTER_THE_LAST_LOOK: Mistake = Mistake {
    plan: readonly_last,
    ..FAITHFUL
};

/// The source is stopped behind the snapshot. The missing guard is the last look before the point of no return, which is there for just that.
pub(crate) const READONLY_AFTER_THE_SNAPSHOT: Mistake = Mistake {
    plan: readonly_late,
    ..FAITHFUL
};

/// A failure behind the point of no return is undone. The missing guard is the point itself.
pub(crate) const UNDO_BEHIND_COMMIT: Mistake = Mistake {
    plan: no_commit,
    ..FAITHFUL
};

/// Both masters claim the same epoch. All guards are there, and have nothing to compare.
pub(crate) const EPOCH_NOT_RAISED: Mistake = Mistake {
    plan: epoch_kept,
    ..FAITHFUL
};

/// A master that was superseded, and fenced, syncs with `-f`. The missing guard is `plan/standing.rs`: neither its own fence nor the role and the epoch of the
/// other side are seen. The conditions of the batch go with that: they say what was seen, and would say the right thing in a program that sees and decides wrongly.
pub(crate) const FENCED_SIDE_MAY_SYNC: Mistake = Mistake {
    plan: without_role_of_target,
    seen: blind_to_roles,
};

/// A stream that is under way at a forced takeover arrives behind it. The missing guard is the snapshot that a takeover makes.
pub(crate) const NO_SNAPSHOT_AT_A_FORCED_TAKEOVER: Mistake = Mistake {
    plan: without_snapshot_of_takeover,
    ..FAITHFUL
};

/// A role that came along with a stream is taken for one's own. The missing guard is the look at where a property comes from.
pub(crate) const RECEIVED_MASTER_BELIEVED: Mistake = Mistake {
    seen: believe,
    ..FAITHFUL
};

/// What a crash has left in the intent log of a source that is not mounted is not applied before the last snapshot. All guards are there: none sees it.
pub(crate) const INTENT_LOG_FORGOTTEN: Mistake = Mistake {
    plan: without_replay,
    ..FAITHFUL
};

fn without_replay(mut plan: Plan) -> Plan {
    on_source(&mut plan, |actions| {
        actions.retain(|action| !matches!(action, Action::Replay(_)))
    });
    plan
}

fn is_stream(stage: &Stage) -> bool {
    matches!(stage, Stage::Transfer(_))
}

fn commit_first(mut plan: Plan) -> Plan {
    let Some(commit) = point_of_no_return(&plan) else {
        return plan;
    };
    let (streams, others): (Vec<Stage>, Vec<Stage>) = plan.stages.drain(..).partition(is_stream);
    plan.stages = others;
    on_target(&mut plan, |actions| {
        // There is nothing there yet to be marked.
        actions.retain(|action| !is_mark(action));
    });
    let raised = commit - streams.len() + 2;
    plan.stages.splice(raised..raised, streams);
    plan
}

fn point_of_no_return(plan: &Plan) -> Option<usize> {
    plan.stages.iter().position(|stage| *stage == Stage::Commit)
}

fn is_mark(action: &Action) -> bool {
    matches!(
        action,
        Action::Set {
            on: Object::Snapshot(_),
            ..
        }
    )
}

fn on_source(plan: &mut Plan, mut change: impl FnMut(&mut Vec<Action>)) {
    for stage in &mut plan.stages {
        if let Stage::Apply { source, .. } = stage {
            change(source);
        }
    }
}

fn on_target(plan: &mut Plan, mut change: impl FnMut(&mut Vec<Action>)) {
    for stage in &mut plan.stages {
        if let Stage::Apply { target, .. } = stage {
            change(target);
        }
    }
}

/// Takes `readonly=on` out of a batch.
fn taken_stop(actions: &mut [Action]) -> Option<Action> {
    actions.iter_mut().find_map(|action| {
        let Action::Set { on, properties } = action else {
            return None;
        };
        let stop = |(name, value): &(String, Option<String>)| name == "readonly" && value.is_some();
        let at = properties.iter().position(stop)?;
        let properties = vec![properties.remove(at)];
        Some(Action::Set {
            on: on.clone(),
            properties,
        })
    })
}

fn readonly_last(mut plan: Plan) -> Plan {
    let Some(commit) = point_of_no_return(&plan) else {
        return plan;
    };
    let mut stop = None;
    on_source(&mut plan, |actions| stop = stop.take().or_else(|| taken_stop(actions)));
    plan.stages
        .splice(commit..commit, stop.map(|stop| Stage::source(vec![stop])));
    plan
}

fn readonly_late(mut plan: Plan) -> Plan {
    if point_of_no_return(&plan).is_none() {
        return plan;
    }
    on_source(&mut plan, |actions| {
        actions.retain(|action| !matches!(action, Action::ExpectUnwritten(_)));
        let stop = taken_stop(actions);
        actions.extend(stop);
    });
    plan
}

fn no_commit(mut plan: Plan) -> Plan {
    plan.stages.retain(|stage| *stage != Stage::Commit);
    plan
}

fn epoch_kept(mut plan: Plan) -> Plan {
    let keep = |actions: &mut Vec<Action>| {
        for action in actions {
            if let Action::Set { properties, .. } = action {
                properties.retain(|(name, _)| name != "zrep:epoch");
            }
        }
    };
    on_source(&mut plan, keep);
    on_target(&mut plan, keep);
    plan
}

fn without_role_of_target(mut plan: Plan) -> Plan {
    on_target(&mut plan, |actions| {
        actions.retain(|action| !matches!(action, Action::Expect { .. }));
    });
    plan
}

fn blind_to_roles(mut state: State) -> State {
    let unseen: &[&str] = if state.name.as_str() == SIDES[0] {
        &["zrep:fenced"]
    } else {
        &["zrep:master", "zrep:epoch"]
    };
    state.user.retain(|name, _| !unseen.contains(&name.as_str()));
    state
}

fn without_snapshot_of_takeover(mut plan: Plan) -> Plan {
    on_target(&mut plan, |actions| {
        actions.retain(|action| !matches!(action, Action::Snapshot(_)));
    });
    plan
}

fn believe(mut state: State) -> State {
    if let Some(setting) = state.user.get_mut("zrep:master") {
        setting.origin = Origin::Local;
    }
    state
}
