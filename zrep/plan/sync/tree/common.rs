//! What the plans of a tree have in common, whichever snapshot they send.

use crate::model::State;
use crate::plan::pairing::Identity;
use crate::plan::sync::stream::Stream;
use crate::plan::sync::tree::{Purpose, Trees};
use crate::plan::sync::{Request, still_replica};
use crate::plan::tree::Child;
use crate::plan::turn::{expect, expect_value};
use crate::plan::{Action, Base, BaseName, IfFailed, Object, Plan, Reached, Stage, Transfer, init, lock};
use crate::props::{Key, View, snapshot_by_guid};
use crate::refusal::{Refusal, Why};
use zfs_ffi::DatasetName;

/// The tops, what was asked for, and what must hold before anything is done.
pub(in crate::plan) struct Common<'a> {
    pub(in crate::plan) me: &'a Identity,
    trees: Trees<'a>,
    pub(in crate::plan) request: &'a Request,
    pub(super) purpose: Purpose,
    /// What must hold on the source when the snapshots are made.
    of_source: Vec<Action>,
    /// What must hold on the target when a stream begins.
    of_target: Vec<Action>,
    /// The epoch that the target must know first.
    raise: Option<u64>,
}

impl<'a> Common<'a> {
    pub(in crate::plan) fn new(
        me: &'a Identity,
        trees: Trees<'a>,
        request: &'a Request,
        purpose: Purpose,
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
            of_source,
            of_target,
            raise,
        })
    }

    /// The top's plan, with what concerns the tree.
    ///
    /// N.B. what stands right before a stream travels with it if a side is far. The snapshots must not: each stream would bring its own.
    pub(in crate::plan) fn top(&self, mut plan: Plan, children: &[Plan]) -> Plan {
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

    /// What comes before the top's snapshot must be done, too: a failover stops whoever writes.
    fn with_top(&self) -> Stage {
        Stage::Wait {
            of: vec![self.trees.source.name.clone()],
            until: Reached::Snapshot,
            if_failed: IfFailed::Fail,
        }
    }

    /// The beginning of a child's plan: what is done on the source under the top's conditions, in one batch with what the top does.
    pub(in crate::plan) fn begin(&self, child: &Child<'_>, own: Vec<Action>) -> Plan {
        let first = self.of_source.iter().cloned().chain(own).collect();
        let mut stages = vec![self.with_top(), Stage::source(first)];
        if !child.after.is_empty() {
            stages.push(Stage::Wait {
                of: child.after.clone(),
                until: Reached::Arrival,
                if_failed: IfFailed::Fail,
            });
        }
        Plan {
            stages,
            of: Some(child.source.name.clone()),
            ..Plan::default()
        }
    }

    /// What the target's child needs before the streams: its name, and the end of what stands in their way.
    pub(in crate::plan) fn make_ready(
        &self,
        plan: &mut Plan,
        there: &State,
        renamed: Option<&DatasetName>,
        stream: &Stream<'_>,
    ) {
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
    }

    /// The streams of a child that the target does not have: what is left of a first receive that was cut off, and `last`.
    pub(in crate::plan) fn send_first(
        &self,
        plan: &mut Plan,
        source: &State,
        (begun, to): (Option<&State>, &DatasetName),
        mut last: Transfer,
    ) -> Result<(), Refusal> {
        let into = |short: &str| {
            to.snapshot(short)
                .map_err(|error| Refusal::target(to, Why::BadSnapshotName(error)))
        };
        last.into = into(last.snapshot.short())?;
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
        let mut is_done = false;
        if let Some(first) = resumed {
            is_done = first.guid == last.guid;
            last.base = first.guid.map(|guid| Base {
                guid,
                name: BaseName::Snapshot(first.snapshot.clone()),
            });
            last.creation = None;
            let into = into(first.snapshot.short())?;
            plan.stages.push(Stage::Transfer(Box::new(Transfer { into, ..first })));
        }
        if !is_done {
            plan.stages.push(Stage::Transfer(Box::new(last)));
        }
        Ok(())
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
