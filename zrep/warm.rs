//! What the loop knows of a pairing from one round to the next.

use std::time::{Duration, Instant};

use crate::after;
use crate::cli::SyncArgs;
use crate::execute::Done;
use crate::host::Applied;
use crate::model::{Side, State};
use crate::plan::lock::Locking;
use crate::plan::{Action, Plan, Stage, lock, sync};
use crate::problem::Problem;
use crate::session::{Pair, Session};
use zfs_ffi::DatasetName;

/// How long a state is carried on before it is observed anew. Holds, properties and snapshots of others change in the meantime.
const STALE: Duration = Duration::from_secs(60);

/// Both sides as they are, or will be when what is pending is done.
#[derive(Debug)]
pub struct Warm {
    pair: Pair,
    observed: Instant,
    /// The marks and the expiry of the last round, which are still to be done.
    pending: Option<Pending>,
}

/// Changes of the source and of the target.
pub type Pending = (Vec<Action>, Vec<Action>);

impl Warm {
    /// Looks at both sides.
    pub fn observe(session: &Session, source: &DatasetName) -> Result<Self, Problem> {
        Ok(Self {
            pair: session.pair_of_source(source)?,
            observed: Instant::now(),
            pending: None,
        })
    }

    /// Whether it is time to look again.
    pub fn is_stale(&self) -> bool {
        self.observed.elapsed() > STALE
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
            session.locking(&self.pair.source)
        };
        let request = sync::Request {
            locking,
            now: session.now(),
            force: args.force,
            changed_only: args.changed_only,
        };
        let mut plan = sync::plan(me, &self.pair.source, &self.pair.target, &request)?;
        if plan.stages.is_empty() {
            return Ok((self, plan));
        }
        let release = lock::release(&self.pair.source, &me.tag);
        let left_over = match plan.stages.pop() {
            Some(Stage::Apply { mut source, target }) => {
                source.retain(|action| *action != release);
                Some((source, target))
            }
            Some(Stage::Transfer(_) | Stage::Commit) | None => None,
        };
        if let Some(pending) = std::mem::replace(&mut self.pending, left_over) {
            merge(&mut plan, pending);
        }
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
    pub fn take_pending(&mut self) -> Option<Pending> {
        self.pending.take()
    }

    /// The last plan: what is pending, and the lock.
    pub fn last_plan(mut self, session: &Session) -> Plan {
        let (mut source, target) = self.pending.take().unwrap_or_default();
        source.push(lock::release(&self.pair.source, &session.settings.me.tag));
        Plan {
            stages: vec![Stage::Apply { source, target }],
            ..Plan::default()
        }
    }

    /// Gives the lock back of a dataset of which nothing else is known any more.
    pub fn release_plan(session: &Session, source: &DatasetName) -> Result<Plan, Problem> {
        let state = session.require(Side::Source, source)?;
        let actions = vec![lock::release(&state, &session.settings.me.tag)];
        Ok(Plan {
            stages: vec![Stage::source(actions)],
            ..Plan::default()
        })
    }
}

fn pending_actions(pending: Option<&Pending>) -> Vec<(Side, Action)> {
    let Some((source, target)) = pending else {
        return Vec::new();
    };
    let of = |side: Side, actions: &[Action]| actions.iter().map(|action| (side, action.clone())).collect::<Vec<_>>();
    [of(Side::Source, source), of(Side::Target, target)].concat()
}

/// Puts the pending changes into the first stage: behind its conditions, and before its own changes.
fn merge(plan: &mut Plan, (pending_source, pending_target): Pending) {
    match plan.stages.first_mut() {
        Some(Stage::Apply { source, target }) => {
            let conditions = source
                .iter()
                .take_while(|action| matches!(action, Action::Expect { .. }))
                .count();
            source.splice(conditions..conditions, pending_source);
            target.splice(0..0, pending_target);
        }
        Some(Stage::Transfer(_) | Stage::Commit) | None => {
            plan.stages.insert(
                0,
                Stage::Apply {
                    source: pending_source,
                    target: pending_target,
                },
            );
        }
    }
}
