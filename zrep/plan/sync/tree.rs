//! One sync of a recursive pairing: a plan for each dataset of the tree. They are carried out together.
//!
//! All snapshots are made in the first stage of all plans, under the same conditions: the executor makes one batch of them. The top's plan holds the lock, and ends when all streams have ended.

use super::stream::Stream;
use super::{Request, expect_newest, expire_source, expire_target, new_snapshot_beside, plan_of};
use crate::model::{Below, State};
use crate::plan::pairing::Identity;
use crate::plan::tree::{Child, Fate, Matched, matched};
use crate::plan::{Action, Plan, Planned, Stage, Transfer, init, lock};
use crate::refusal::{Refusal, Why};
use common::Common;
use zfs_ffi::{DatasetName, SnapshotName};

pub(in crate::plan) mod common;

/// Both ends of a recursive pairing, and all that is below them.
#[derive(Debug, Clone, Copy)]
pub struct Trees<'a> {
    /// The top of the source.
    pub source: &'a State,
    /// The top of the target.
    pub target: &'a State,
    /// What is below both.
    pub below: &'a Below,
}

/// What the sync is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To bring over what can be brought over.
    Sync,
    /// The same, of a pairing that was recursive by the command line of shell zrep, and becomes so by its properties.
    Adopt,
    /// To turn the pair round: all or nothing, and nothing expires.
    Turn,
}

/// The plans for a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "plans do nothing until they are executed"]
pub struct TreePlan {
    /// The top's first, then those of the children that are replicated.
    pub plans: Vec<Plan>,
    /// Why the others are not.
    pub refused: Vec<Refusal>,
    /// The target's datasets whose source is gone. They stay as they are.
    pub left: Vec<DatasetName>,
}

impl TreePlan {
    /// The plan of a pairing of one dataset.
    pub fn of_one(plan: Plan) -> Self {
        Self {
            plans: vec![plan],
            refused: Vec::new(),
            left: Vec::new(),
        }
    }
}

/// Plans a sync of a tree.
///
/// A refusal of the top is one of the whole tree, and so is any if the pair shall be turned round.
pub fn plan(me: &Identity, trees: Trees<'_>, request: &Request, purpose: Purpose) -> Result<TreePlan, Refusal> {
    let Trees { source, target, below } = trees;
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let stream = Stream::plan(me, source, target, request)?;
    let Matched { children, left } = matched(me, source, target, below);
    let left = left.into_iter().map(|state| state.name.clone()).collect();
    let all = [source, target].into_iter().chain(&below.source).chain(&below.target);
    let new = new_snapshot_beside(me, source, all)?;
    let common = Common::new(me, trees, request, purpose)?;
    let sync = Sync {
        common: &common,
        short: new.short(),
    };
    let (mut plans, mut refused, mut is_idle) = (Vec::new(), Vec::new(), stream.is_up_to_date(source, target));
    for child in &children {
        match sync.plan(child) {
            Ok((plan, idle)) => {
                is_idle &= idle;
                plans.push(plan);
            }
            Err(refusal) if purpose == Purpose::Turn => return Err(refusal),
            Err(refusal) => refused.push(refusal),
        }
    }
    if request.changed_only && is_idle {
        return Ok(TreePlan {
            plans: vec![Plan::default()],
            refused,
            left,
        });
    }
    let top = common.top(plan_of(me, (source, target), request, lock, &stream, &new)?, &plans);
    plans.insert(0, top);
    Ok(TreePlan { plans, refused, left })
}

/// What the plans of the children of one sync have in common.
struct Sync<'a> {
    common: &'a Common<'a>,
    /// The new snapshot's name behind the `@`.
    short: &'a str,
}

impl Sync<'_> {
    /// A child's plan, and whether there is nothing to be brought over.
    fn plan(&self, child: &Child<'_>) -> Result<(Plan, bool), Refusal> {
        let Common { me, request, .. } = *self.common;
        match &child.fate {
            Fate::Refused(refusal) => Err(refusal.as_ref().clone()),
            Fate::Known { target, renamed, to } => {
                let there = State {
                    name: to.clone(),
                    ..(*target).clone()
                };
                let stream = Stream::between(me, child.source, &there, request)?;
                let is_idle = renamed.is_none() && stream.is_up_to_date(child.source, &there);
                Ok((self.known(child, &there, renamed.as_ref(), &stream)?, is_idle))
            }
            Fate::New { begun, to } => Ok((self.new_child(child, *begun, to)?, false)),
        }
    }

    /// The beginning of a child's plan: its snapshot, made together with the top's.
    fn begin(&self, child: &Child<'_>) -> Result<(Plan, SnapshotName), Refusal> {
        let Common { me, request, .. } = *self.common;
        let source = child.source;
        let new = source
            .snapshot_name(self.short)
            .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
        let mut own = Vec::new();
        if request.preferences.sends_intermediates(&me.tag) {
            own.push(expect_newest(source)?);
        }
        own.push(Action::Snapshot(new.clone()));
        Ok((self.common.begin(child, own), new))
    }

    fn known(&self, child: &Child<'_>, there: &State, renamed: Option<&DatasetName>, stream: &Stream<'_>) -> Planned {
        let Common {
            me, request, purpose, ..
        } = *self.common;
        let (mut plan, new) = self.begin(child)?;
        self.common.make_ready(&mut plan, there, renamed, stream);
        let into = there
            .snapshot_name(self.short)
            .map_err(|error| Refusal::target(&there.name, Why::BadSnapshotName(error)))?;
        let transfers = stream.transfers(child.source, there, &new, into)?;
        plan.stages.extend(
            transfers
                .into_iter()
                .map(|transfer| Stage::Transfer(Box::new(transfer))),
        );
        if purpose != Purpose::Turn {
            plan.stages.push(Stage::Apply {
                source: expire_source(me, child.source, request.preferences)?,
                target: expire_target(me, child.source, there, stream, request.preferences)?,
            });
        }
        Ok(plan)
    }

    fn new_child(&self, child: &Child<'_>, begun: Option<&State>, to: &DatasetName) -> Planned {
        let Common {
            me, request, purpose, ..
        } = *self.common;
        let (mut plan, new) = self.begin(child)?;
        let last = Transfer {
            creation: Some(init::creation_of_child(child.source)),
            ..init::full_of_child(child.source, &new, request.preferences)
        };
        self.common.send_first(&mut plan, child.source, (begun, to), last)?;
        if purpose != Purpose::Turn {
            plan.stages
                .push(Stage::source(expire_source(me, child.source, request.preferences)?));
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests;
