//! One sync of a recursive pairing: a plan for each dataset of the tree. They are carried out together.
//!
//! All snapshots are made in the first stage of all plans, under the same conditions: the executor makes one batch of them. The top's plan holds the lock, and ends when all streams have ended.

use super::stream::Stream;
use super::{Request, expect_newest, expire_source, expire_target, new_snapshot_beside, plan_of, still_replica};
use crate::model::{Below, State};
use crate::plan::lock;
use crate::plan::pairing::Identity;
use crate::plan::tree::{Child, Fate, Matched, matched};
use crate::plan::turn::{expect, expect_value};
use crate::plan::{Action, Base, BaseName, IfFailed, Object, Plan, Planned, Reached, Stage, Transfer, init};
use crate::props::{Key, View, snapshot_by_guid};
use crate::refusal::{Refusal, Why};
use zfs_ffi::{DatasetName, SnapshotName};

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
    let common = Common::new(me, trees, request, purpose, new.short())?;
    let (mut plans, mut refused, mut is_idle) = (Vec::new(), Vec::new(), stream.is_up_to_date(source, target));
    for child in &children {
        match common.plan(child) {
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

/// What the plans of one tree have in common.
struct Common<'a> {
    me: &'a Identity,
    trees: Trees<'a>,
    request: &'a Request,
    purpose: Purpose,
    /// The new snapshot's name behind the `@`.
    short: &'a str,
    /// What must hold on the source when the snapshots are made.
    of_source: Vec<Action>,
    /// What must hold on the target when a stream begins.
    of_target: Vec<Action>,
    /// The epoch that the target must know first.
    raise: Option<u64>,
}

impl<'a> Common<'a> {
    fn new(
        me: &'a Identity,
        trees: Trees<'a>,
        request: &'a Request,
        purpose: Purpose,
        short: &'a str,
    ) -> Result<Self, Refusal> {
        let Trees { source, target, .. } = trees;
        let enter = lock::plan(source, &me.tag, &request.locking)?.enter;
        let mut of_source: Vec<Action> = enter.into_iter().take_while(Action::is_condition).collect();
        of_source.push(expect(me, source, Key::Master));
        let (epoch, known) = (View::new(source, &me.tag).epoch(), View::new(target, &me.tag).epoch());
        // A turn makes the epoch known that begins with it.
        let raise = (epoch > known && purpose != Purpose::Turn).then_some(epoch);
        let of_target = match raise {
            Some(epoch) => vec![
                expect(me, target, Key::Master),
                expect_value(me, target, Key::Epoch, Some(epoch.to_string())),
            ],
            None => still_replica(me, target),
        };
        Ok(Self {
            me,
            trees,
            request,
            purpose,
            short,
            of_source,
            of_target,
            raise,
        })
    }

    /// The top's plan, with what concerns the tree.
    ///
    /// N.B. what stands right before a stream travels with it if a side is far. The snapshots must not: each stream would bring its own.
    fn top(&self, mut plan: Plan, children: &[Plan]) -> Plan {
        if let Some(Stage::Apply { source, target }) = plan.stages.first_mut() {
            *target = self.first_of_target();
            self.adopt(source);
            plan.stages.insert(1, Stage::target(self.of_target.clone()));
        }
        let of: Vec<DatasetName> = children.iter().filter_map(|plan| plan.of.clone()).collect();
        let if_failed = match self.purpose {
            Purpose::Sync | Purpose::Adopt => IfFailed::GoOn,
            Purpose::Turn => IfFailed::Fail,
        };
        if !of.is_empty() {
            let last = plan.stages.len().saturating_sub(1);
            plan.stages.insert(
                last,
                Stage::Wait {
                    of,
                    until: Reached::Arrival,
                    if_failed,
                },
            );
        }
        plan
    }

    fn recursive(&self, on: &DatasetName) -> Action {
        Action::Set {
            on: Object::Dataset(on.clone()),
            properties: vec![(self.me.tag.property(Key::Recursive), Some("yes".into()))],
        }
    }

    /// Behind the lock, and before the snapshot.
    fn adopt(&self, first: &mut Vec<Action>) {
        if self.purpose == Purpose::Adopt {
            let last = first.len().saturating_sub(1);
            first.insert(last, self.recursive(&self.trees.source.name));
        }
    }

    fn first_of_target(&self) -> Vec<Action> {
        let target = &self.trees.target.name;
        let raise = self.raise.map(|epoch| Action::Set {
            on: Object::Dataset(target.clone()),
            properties: vec![(self.me.tag.property(Key::Epoch), Some(epoch.to_string()))],
        });
        let adopt = (self.purpose == Purpose::Adopt).then(|| self.recursive(target));
        let changes: Vec<Action> = raise.into_iter().chain(adopt).collect();
        match changes.is_empty() {
            true => Vec::new(),
            false => [still_replica(self.me, self.trees.target), changes].concat(),
        }
    }

    /// A child's plan, and whether there is nothing to be brought over.
    fn plan(&self, child: &Child<'_>) -> Result<(Plan, bool), Refusal> {
        match &child.fate {
            Fate::Refused(refusal) => Err(refusal.as_ref().clone()),
            Fate::Known { target, renamed, to } => {
                let there = State {
                    name: to.clone(),
                    ..(*target).clone()
                };
                let stream = Stream::between(self.me, child.source, &there, self.request)?;
                let is_idle = renamed.is_none() && stream.is_up_to_date(child.source, &there);
                Ok((self.known(child, &there, renamed.as_ref(), &stream)?, is_idle))
            }
            Fate::New { begun, to } => Ok((self.new_child(child, *begun, to)?, false)),
        }
    }

    /// What comes before the top's snapshot must be done, too: a failover stops whoever writes.
    fn with_top(&self) -> Stage {
        Stage::Wait {
            of: vec![self.trees.source.name.clone()],
            until: Reached::Snapshot,
            if_failed: IfFailed::Fail,
        }
    }

    fn begin(&self, child: &Child<'_>) -> Result<(Plan, SnapshotName), Refusal> {
        let source = child.source;
        let new = source
            .snapshot_name(self.short)
            .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
        let mut first = self.of_source.clone();
        if self.request.preferences.sends_intermediates(&self.me.tag) {
            first.push(expect_newest(source)?);
        }
        first.push(Action::Snapshot(new.clone()));
        let mut stages = vec![self.with_top(), Stage::source(first)];
        if !child.after.is_empty() {
            stages.push(Stage::Wait {
                of: child.after.clone(),
                until: Reached::Arrival,
                if_failed: IfFailed::Fail,
            });
        }
        Ok((
            Plan {
                stages,
                of: Some(source.name.clone()),
                ..Plan::default()
            },
            new,
        ))
    }

    fn known(&self, child: &Child<'_>, there: &State, renamed: Option<&DatasetName>, stream: &Stream<'_>) -> Planned {
        let (mut plan, new) = self.begin(child)?;
        plan.notes.clone_from(&stream.notes);
        if let Some(from) = renamed {
            plan.notes
                .push(format!("{from}: renaming it to {}, as on the source.", there.name));
            let rename = Action::Rename {
                from: from.clone(),
                to: there.name.clone(),
            };
            plan.stages
                .push(Stage::target([self.of_target.clone(), vec![rename]].concat()));
        }
        plan.stages
            .push(Stage::target([self.of_target.clone(), stream.prepare.clone()].concat()));
        let into = there
            .snapshot_name(self.short)
            .map_err(|error| Refusal::target(&there.name, Why::BadSnapshotName(error)))?;
        let transfers = stream.transfers(child.source, there, &new, into)?;
        plan.stages.extend(
            transfers
                .into_iter()
                .map(|transfer| Stage::Transfer(Box::new(transfer))),
        );
        if self.purpose != Purpose::Turn {
            plan.stages.push(Stage::Apply {
                source: expire_source(self.me, child.source, self.request.preferences)?,
                target: expire_target(self.me, child.source, there, stream, self.request.preferences)?,
            });
        }
        Ok(plan)
    }

    fn new_child(&self, child: &Child<'_>, begun: Option<&State>, to: &DatasetName) -> Planned {
        let source = child.source;
        let (mut plan, new) = self.begin(child)?;
        let into = |short: &str| {
            to.snapshot(short)
                .map_err(|error| Refusal::target(to, Why::BadSnapshotName(error)))
        };
        let resumed = begun.map(|begun| resumed(source, begun)).transpose()?.flatten();
        let drop = begun
            .filter(|_| resumed.is_none())
            .map(|_| Action::DestroyUnreceived(to.clone()));
        plan.notes.push(match &resumed {
            Some(first) => format!("{to}: going on with the interrupted receive of {}.", first.snapshot),
            None => format!("{to} is new: sending all of it."),
        });
        plan.stages
            .push(Stage::target(self.of_target.iter().cloned().chain(drop).collect()));
        let mut last = Transfer {
            into: into(self.short)?,
            creation: Some(init::creation_of_child(source)),
            ..init::full_of_child(source, &new, self.request.preferences)
        };
        if let Some(first) = resumed {
            last.base = first.guid.map(|guid| Base {
                guid,
                name: BaseName::Snapshot(first.snapshot.clone()),
            });
            last.creation = None;
            let into = into(first.snapshot.short())?;
            plan.stages.push(Stage::Transfer(Box::new(Transfer { into, ..first })));
        }
        plan.stages.push(Stage::Transfer(Box::new(last)));
        if self.purpose != Purpose::Turn {
            plan.stages
                .push(Stage::source(expire_source(self.me, source, self.request.preferences)?));
        }
        Ok(plan)
    }
}

/// The rest of a first receive that was interrupted, if its snapshot is still there.
fn resumed(source: &State, begun: &State) -> Result<Option<Transfer>, Refusal> {
    let Some(partial) = &begun.partial else { return Ok(None) };
    let flags = partial.point.stream;
    // N.B. the target says what it was written with; it must not talk a source out of its encryption.
    let Some(found) = snapshot_by_guid(source, partial.to_guid).filter(|_| flags.raw == source.encrypted) else {
        return Ok(None);
    };
    let snapshot = source
        .snapshot_name(&found.name)
        .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
    let creation = Some(init::creation_of_child(source));
    Ok(Some(Transfer {
        guid: Some(found.guid),
        flags,
        resume: Some(partial.point),
        creation,
        ..init::full(source, &snapshot)
    }))
}

#[cfg(test)]
mod tests;
