//! What happens first when the two sides of a pairing see each other: whatever was cut off or forced before is settled, or said.

use crate::execute::{self, Done, Job, Quiet};
use crate::intent::Intent;
use crate::model::Side;
use crate::plan::standing::{self, Standing, Way};
use crate::plan::{Action, Plan, Stage, settle};
use crate::problem::Problem;
use crate::refusal::{Refusal, Why};
use crate::session::{Pair, Session};

/// What the verb is going to do with the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Replicate from the source to the target.
    Sync,
    /// The same, at a boot: mounting on this machine is left to what comes next there. A filesystem that is mounted before its parent is
    /// hidden by it.
    Boot,
    /// Turn the pair round; a turn that was cut off is gone on with.
    Turn,
    /// Show what would be done: nothing is settled.
    Look,
}

/// One settlement may uncover another; more than a few do not follow each other.
const SETTLEMENTS: usize = 4;

/// Looks at a pair, and settles what stands in the way of `purpose`.
///
/// # Errors
///
/// The two cannot be seen, or one of them must not do what it is asked for any more.
pub fn meet(session: &Session, purpose: Purpose, observe: impl Fn() -> Result<Pair, Problem>) -> Result<Pair, Problem> {
    for _ in 0..SETTLEMENTS {
        let pair = observe()?;
        let me = &session.settings.me;
        let below = pair.tree(me);
        let standing = standing::of_trees(me, &pair.source, &pair.target, below.as_ref())?;
        let settlement = match (standing, purpose) {
            (Standing::Settled, _)
            | (Standing::Open(Intent::Failover { .. }) | Standing::Forgotten, Purpose::Turn | Purpose::Look) => {
                return Ok(pair);
            }
            (Standing::Forgotten, Purpose::Sync | Purpose::Boot) => Settlement {
                plan: settle::forget(me, &pair.source, &pair.target),
                refused: None,
            },
            (Standing::Split, _) => return Err(standing::refusal(me, &pair.source, &pair.target).into()),
            (
                Standing::Superseded {
                    old: Side::Source,
                    way: Way::StepDown,
                },
                Purpose::Turn | Purpose::Look,
            ) => return Ok(pair),
            (Standing::Open(intent), _) => undo(session, &pair, &intent)?,
            (Standing::Superseded { old, way }, _) => supersede(session, &pair, old, way)?,
        };
        if purpose == Purpose::Look {
            return Ok(pair);
        }
        let refused = settlement.refused.clone();
        let settlement = match purpose {
            Purpose::Boot => settlement.without_mounts(),
            Purpose::Sync | Purpose::Turn | Purpose::Look => settlement,
        };
        settlement.carry_out(session, &pair)?;
        if let Some(refusal) = refused {
            return Err(refusal.into());
        }
    }
    let pair = observe()?;
    Err(standing::refusal(&session.settings.me, &pair.source, &pair.target).into())
}

/// What is done about a pair that is not settled, and what that means for the verb.
struct Settlement {
    plan: Plan,
    /// The verb ends with this.
    refused: Option<Refusal>,
}

impl Settlement {
    /// N.B. the source's side is this machine: a gate asks for what is a master here.
    fn without_mounts(mut self) -> Self {
        for stage in &mut self.plan.stages {
            if let Stage::Apply { source, .. } = stage {
                source.retain(|action| !matches!(action, Action::Mount(_)));
            }
        }
        self
    }

    fn carry_out(self, session: &Session, pair: &Pair) -> Result<Done, Problem> {
        let Self { plan, .. } = self;
        plan.notes.iter().for_each(|note| session.ui.note(note));
        let job = Job {
            ends: pair.ends.clone(),
            plan: (session.revise)(plan),
        };
        Ok(execute::run(job, &Quiet)?)
    }
}

/// The plan that undoes a failover which was cut off before its point of no return.
///
/// # Errors
///
/// Somebody else works on the source.
pub fn undoing(session: &Session, pair: &Pair, intent: &Intent) -> Result<Plan, Problem> {
    let Pair {
        source, target, ends, ..
    } = pair;
    let locking = session.locking(source, ends)?;
    Ok(settle::abort(&session.settings.me, source, target, intent, &locking)?)
}

fn undo(session: &Session, pair: &Pair, intent: &Intent) -> Result<Settlement, Problem> {
    Ok(Settlement {
        plan: undoing(session, pair, intent)?,
        refused: None,
    })
}

fn supersede(session: &Session, pair: &Pair, old: Side, way: Way) -> Result<Settlement, Problem> {
    let me = &session.settings.me;
    let (was, is) = match old {
        Side::Source => (&pair.source, &pair.target),
        Side::Target => (&pair.target, &pair.source),
    };
    let (plan, refused) = match way {
        Way::StepDown => (
            settle::step_down(me, was, is, &session.locking_at(old, pair)?)?,
            (old == Side::Source).then(|| {
                let master = Some(format!("{}:{}", is.host, is.name));
                Refusal::source(
                    &was.name,
                    Why::NotMaster {
                        tag: me.tag.to_string(),
                        master,
                    },
                )
            }),
        ),
        Way::Fence => (
            settle::fence(me, was, is),
            Some(standing::refusal(me, &pair.source, &pair.target)),
        ),
    };
    let tree = pair.tree(me).unwrap_or_default();
    let (below_old, below_new) = match old {
        Side::Source => (&tree.source, &tree.target),
        Side::Target => (&tree.target, &tree.source),
    };
    let plan = match way {
        Way::StepDown => settle::with_trees(plan, below_old, below_new),
        Way::Fence => settle::with_trees(plan, below_old, &[]),
    };
    let plan = match old {
        Side::Source => plan,
        Side::Target => {
            let mut plan = plan.flipped();
            // The other side was asked, and is the one that is wrong.
            let locking = session.locking(&pair.source, &pair.ends)?;
            plan.stages.extend(settle::opened(me, &pair.source, &locking)?);
            plan
        }
    };
    Ok(Settlement { plan, refused })
}
