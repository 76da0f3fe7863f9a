//! What the loop knows of a pairing from one round to the next.

use std::time::{Duration, Instant};

use crate::after;
use crate::cli::SyncArgs;
use crate::commands::sync::tree::{Work, work};
use crate::contact::{self, Purpose};
use crate::execute::{Done, Ends};
use crate::host::Applied;
use crate::model::{Side, State};
use crate::plan::lock::Locking;
use crate::plan::{Action, Object, Plan, Stage, lock, sync};
use crate::problem::Problem;
use crate::props::View;
use crate::session::{Pair, Session};
use zfs_ffi::DatasetName;

/// How long a state is carried on before it is observed anew. Holds, properties and snapshots of others change in the meantime.
const STALE: Duration = Duration::from_secs(60);

/// Both sides as they are, or will be when what is pending is done.
#[derive(Debug)]
pub struct Warm {
    pair: Pair,
    observed: Instant,
    /// The marks and the expiry that are still to be done.
    pending: Option<Pending>,
}

/// How long the target's marks and expiry may wait in a loop without pauses. They are a transaction of their own there, with nothing
/// else to travel with.
const PATIENCE: Duration = Duration::from_secs(1);

/// What rounds have left over.
#[derive(Debug)]
pub struct Pending {
    /// Changes of the source, of the last round.
    source: Vec<Action>,
    /// Changes of the target, of the last rounds.
    target: Vec<Action>,
    /// Since when the target waits.
    since: Instant,
}

impl Pending {
    /// The changes as a stage of their own.
    pub fn into_stage(self) -> Stage {
        Stage::Apply {
            source: self.source,
            target: self.target,
        }
    }

    /// Takes over what an earlier round left of the target, which is older. What it has marked and this one destroys needs no mark.
    fn take_over(&mut self, mut earlier: Self) {
        earlier.target.append(&mut self.target);
        let destroyed: Vec<String> = earlier.target.iter().filter_map(destroyed).collect();
        earlier.target.retain(|action| !matches!(action, Action::Set { on: Object::Snapshot(name), .. } if destroyed.iter().any(|gone| gone == name.as_str())));
        self.target = earlier.target;
        self.since = earlier.since;
    }
}

fn destroyed(action: &Action) -> Option<String> {
    if let Action::Destroy { snapshot, .. } = action {
        Some(snapshot.to_string())
    } else {
        None
    }
}

impl Warm {
    /// Looks at both sides.
    pub fn observe(session: &Session, source: &DatasetName) -> Result<Self, Problem> {
        Ok(Self {
            pair: contact::meet(session, Purpose::Sync, || session.pair_of_source(source))?,
            observed: Instant::now(),
            pending: None,
        })
    }

    /// The plans of a round, if the pairing is recursive. Nothing is known of it from one round to the next, and it holds no lock in between.
    pub(crate) fn tree(&self, session: &Session, args: &SyncArgs) -> Result<Option<Work>, Problem> {
        if self.pair.below.is_none() {
            return Ok(None);
        }
        let request = sync::Request {
            locking: session.locking(&self.pair.source, &self.pair.ends)?,
            now: session.now(),
            force: args.force,
            changed_only: args.changed_only,
            preferences: session.settings.preferences,
        };
        work(session, &self.pair, &request).map(Some)
    }

    /// Whether it is time to look again.
    pub fn is_stale(&self) -> bool {
        self.observed.elapsed() > STALE
    }

    /// The machines of the pair.
    pub fn ends(&self) -> Ends {
        self.pair.ends.clone()
    }

    /// Asks the source for snapshots that others have made since the last round: they travel along.
    pub fn refreshed(mut self, session: &Session) -> Result<Self, Problem> {
        let source = &mut self.pair.source;
        let since = source.newest().map_or(0, |newest| newest.createtxg);
        let host = |error| Problem::Host {
            side: Some(Side::Source),
            dataset: source.name.to_string(),
            error,
        };
        let others = session.host.snapshots_since(&source.name, since).map_err(host)?;
        source.snapshots.extend(others);
        Ok(self)
    }

    /// Plans the next round. What the last round left over is done with its first stage, and its own last stage is left over in turn.
    pub fn plan(mut self, session: &Session, args: &SyncArgs, locked: bool) -> Result<(Self, Plan), Problem> {
        let me = &session.settings.me;
        let locking = if locked {
            Locking::Held {
                holder: session.holder(),
            }
        } else {
            session.locking(&self.pair.source, &self.pair.ends)?
        };
        let request = sync::Request {
            locking,
            now: session.now(),
            force: args.force,
            changed_only: args.changed_only,
            preferences: session.settings.preferences,
        };
        let mut plan = sync::plan(me, &self.pair.source, &self.pair.target, &request)?;
        if plan.stages.is_empty() {
            return Ok((self, plan));
        }
        let release = lock::release(&self.pair.source, &me.tag);
        let mut left_over = match plan.stages.pop() {
            Some(Stage::Apply { mut source, target }) => {
                source.retain(|action| *action != release);
                Pending {
                    source,
                    target,
                    since: Instant::now(),
                }
            }
            Some(Stage::Transfer(_) | Stage::Commit | Stage::Wait { .. }) | None => return Ok((self, plan)),
        };
        if let Some(mut earlier) = self.pending.take() {
            let of_source = std::mem::take(&mut earlier.source);
            if earlier.since.elapsed() < PATIENCE {
                merge(&mut plan, of_source, Vec::new());
                left_over.take_over(earlier);
            } else {
                merge(&mut plan, of_source, earlier.target);
            }
        }
        self.pending = Some(left_over);
        Ok((self, plan))
    }

    /// Takes over what a round has done. What is pending is taken for done already: the next plan is made for the time after it.
    pub fn advance(&mut self, done: &Done, now: u64) {
        for (side, action, applied) in &done.applied {
            after::applied(self.side(*side), action, applied, now);
        }
        for (transfer, received) in &done.received {
            // The order of a target's snapshots is that of their arrival; its transaction groups are of no use to anyone.
            after::received(&mut self.pair.target, transfer, received.guid, 0, now);
        }
        for (side, action) in pending_actions(self.pending.as_ref()) {
            after::applied(self.side(side), &action, &Applied::Done, now);
        }
    }

    fn side(&mut self, side: Side) -> &mut State {
        match side {
            Side::Source => &mut self.pair.source,
            Side::Target => &mut self.pair.target,
        }
    }

    /// Gives away what is pending.
    pub fn take_pending(&mut self) -> Option<Stage> {
        self.pending.take().map(Pending::into_stage)
    }

    /// Gives away what is pending, with the lock. The next plan takes it again.
    pub fn take_last(&mut self, session: &Session) -> Stage {
        let mut release = lock::release_own(&self.pair.source, &session.settings.me.tag);
        for action in &release {
            after::applied(&mut self.pair.source, action, &Applied::Done, session.now());
        }
        match self.pending.take() {
            Some(Pending { source, target, .. }) => {
                release.splice(1..1, source);
                Stage::Apply {
                    source: release,
                    target,
                }
            }
            None => Stage::source(release),
        }
    }

    /// Whether the lock on the source, as it was observed, is this process's.
    pub fn is_locked_by(&self, session: &Session) -> bool {
        is_own(&self.pair.source, session)
    }

    /// The last plan: what is pending, and the lock.
    pub fn last_plan(mut self, session: &Session) -> Plan {
        Plan {
            stages: vec![self.take_last(session)],
            ..Plan::default()
        }
    }

    /// Gives the lock back of a dataset of which nothing else is known any more. There is nothing to do where it is not this process's.
    pub fn release_plan(session: &Session, source: &DatasetName) -> Result<Plan, Problem> {
        let state = session.require(Side::Source, source)?;
        let release = || Stage::source(lock::release_own(&state, &session.settings.me.tag));
        Ok(Plan {
            stages: is_own(&state, session).then(release).into_iter().collect(),
            ..Plan::default()
        })
    }
}

fn is_own(source: &State, session: &Session) -> bool {
    let holder = View::new(source, &session.settings.me.tag).lock_pid();
    holder.is_some_and(|pid| pid == session.pid.to_string())
}

fn pending_actions(pending: Option<&Pending>) -> Vec<(Side, Action)> {
    let Some(Pending { source, target, .. }) = pending else {
        return Vec::new();
    };
    let of = |side: Side, actions: &[Action]| actions.iter().map(|action| (side, action.clone())).collect::<Vec<_>>();
    [of(Side::Source, source), of(Side::Target, target)].concat()
}

/// Puts changes into the first stage: behind its conditions, and before its own changes.
fn merge(plan: &mut Plan, of_source: Vec<Action>, of_target: Vec<Action>) {
    match plan.stages.first_mut() {
        Some(Stage::Apply { source, target }) => {
            let conditions = source.iter().take_while(|action| action.is_condition()).count();
            source.splice(conditions..conditions, of_source);
            let conditions = target.iter().take_while(|action| action.is_condition()).count();
            target.splice(conditions..conditions, of_target);
        }
        Some(Stage::Transfer(_) | Stage::Commit | Stage::Wait { .. }) | None => {
            plan.stages.insert(
                0,
                Stage::Apply {
                    source: of_source,
                    target: of_target,
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Guid;
    use crate::plan::IfHeld;
    use zfs_ffi::SnapshotName;

    fn snapshot(name: &str) -> SnapshotName {
        SnapshotName::new(name).unwrap()
    }

    fn mark(name: &str) -> Action {
        Action::Set {
            on: Object::Snapshot(snapshot(name)),
            properties: vec![("zrep:sent".into(), Some("1".into()))],
        }
    }

    fn destroy(name: &str) -> Action {
        Action::Destroy {
            snapshot: snapshot(name),
            guid: Guid(1),
            if_held: IfHeld::Keep,
        }
    }

    fn pending(target: Vec<Action>) -> Pending {
        Pending {
            source: Vec::new(),
            target,
            since: Instant::now(),
        }
    }

    #[test]
    fn what_waits_keeps_its_order_and_loses_marks_of_what_is_destroyed() {
        let earlier = pending(vec![mark("b/fs@1"), destroy("b/fs@0")]);
        let mut later = pending(vec![mark("b/fs@2"), destroy("b/fs@1")]);
        later.take_over(earlier);
        assert_eq!(later.target, [destroy("b/fs@0"), mark("b/fs@2"), destroy("b/fs@1")]);
    }

    #[test]
    fn what_was_left_over_comes_behind_the_conditions_and_before_the_new_snapshot() {
        let expect = Action::Expect {
            dataset: snapshot("a/fs@1").dataset(),
            property: "zrep:lock-pid".into(),
            value: None,
        };
        let new = Action::Snapshot(snapshot("a/fs@2"));
        let mut plan = Plan {
            stages: vec![Stage::source(vec![expect.clone(), new.clone()])],
            ..Plan::default()
        };
        merge(&mut plan, vec![mark("a/fs@1")], vec![mark("b/fs@1")]);
        assert_eq!(
            plan.stages,
            [Stage::Apply {
                source: vec![expect, mark("a/fs@1"), new],
                target: vec![mark("b/fs@1")]
            }]
        );
    }
}
