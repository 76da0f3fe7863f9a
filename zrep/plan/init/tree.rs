//! A new recursive pairing: one snapshot of the whole tree, and a full stream of each dataset in it.
//!
//! The pairing is that of the top. It is complete when everything below has arrived, too; cut off before, it is completed by typing `init` again.

use super::{Observed, Request, creation_of_child, full_of_child};
use crate::model::State;
use crate::plan::lock;
use crate::plan::pairing::Identity;
use crate::plan::{Action, IfFailed, Object, Plan, Reached, Stage, Transfer};
use crate::props::{View, is_below, snapshot_by_guid};
use crate::refusal::{Refusal, Why};
use zfs_ffi::{DatasetName, SnapshotName};

/// Plans `zrep -R init`: the top's plan first, then those of its children. They are carried out together.
pub fn plan(me: &Identity, observed: Observed<'_>, request: &Request) -> Result<Vec<Plan>, Refusal> {
    let mut top = super::plan(me, observed, request)?;
    let first = First::of(&top);
    let enter = lock::plan(observed.source, &me.tag, &request.locking)?.enter;
    let conditions: Vec<Action> = enter.into_iter().take_while(Action::is_condition).collect();
    let begin = Begin {
        me,
        observed,
        request,
        first,
        conditions,
    };
    let children: Result<Vec<Option<Plan>>, Refusal> =
        observed.below.source.iter().map(|child| begin.plan(child)).collect();
    let children: Vec<Plan> = children?.into_iter().flatten().collect();
    let of: Vec<DatasetName> = children.iter().filter_map(|plan| plan.of.clone()).collect();
    let commit = top.stages.iter().position(|stage| *stage == Stage::Commit);
    if let Some(commit) = commit.filter(|_| !of.is_empty()) {
        top.stages.insert(
            commit,
            Stage::Wait {
                of,
                until: Reached::Arrival,
                if_failed: IfFailed::Fail,
            },
        );
    }
    Ok([top].into_iter().chain(children).collect())
}

/// The first snapshot of the pairing.
struct First {
    short: String,
    /// It is made now, of the whole tree.
    is_new: bool,
}

impl First {
    fn of(top: &Plan) -> Self {
        let actions = || {
            top.stages.iter().flat_map(|stage| match stage {
                Stage::Apply { source, .. } => source.as_slice(),
                Stage::Transfer(_) | Stage::Commit | Stage::Wait { .. } => &[],
            })
        };
        let made = actions().find_map(Action::new_snapshot);
        let marked = actions().find_map(|action| match action {
            Action::Set {
                on: Object::Snapshot(name),
                ..
            } => Some(name),
            _ => None,
        });
        let name = made.or(marked);
        Self {
            short: name.map(|name| name.short().to_owned()).unwrap_or_default(),
            is_new: made.is_some(),
        }
    }
}

struct Begin<'a> {
    me: &'a Identity,
    observed: Observed<'a>,
    request: &'a Request,
    first: First,
    /// What must hold on the source when the snapshots are made.
    conditions: Vec<Action>,
}

impl Begin<'_> {
    /// The plan for a child; nothing for one that has arrived, or that has come after the first snapshot: the first sync brings it.
    fn plan(&self, child: &State) -> Result<Option<Plan>, Refusal> {
        if View::new(child, &self.me.tag).is_paired() {
            let (top, tag) = (self.observed.source.name.clone(), self.me.tag.to_string());
            return Err(Refusal::source(&child.name, Why::Nested { top, tag }));
        }
        super::require_raw(child, self.request)?;
        let to = self.place(child)?;
        let Some(there) = self.observed.below.target.iter().find(|state| state.name == to) else {
            return self.whole(child, &to, None);
        };
        let has_arrived = there
            .snapshots
            .iter()
            .any(|snapshot| snapshot_by_guid(child, snapshot.guid).is_some());
        match &there.partial {
            Some(partial) if there.inconsistent => match snapshot_by_guid(child, partial.to_guid) {
                Some(found) if partial.point.stream.raw == child.encrypted => {
                    let snapshot = named(child, &found.name)?;
                    let (flags, resume) = (partial.point.stream, Some(partial.point));
                    let rest = Transfer {
                        guid: Some(found.guid),
                        flags,
                        resume,
                        ..full_of_child(child, &snapshot, self.request.preferences)
                    };
                    self.begun(child, &to, None, rest).map(Some)
                }
                None if partial.to_name.split('@').next() == Some(child.name.as_str()) => {
                    self.whole(child, &to, Some(Action::DestroyUnreceived(to.clone())))
                }
                Some(_) | None => Err(Refusal::target(&to, Why::TargetExists)),
            },
            _ if has_arrived => Ok(None),
            Some(_) | None => Err(Refusal::target(&to, Why::TargetExists)),
        }
    }

    fn place(&self, child: &State) -> Result<DatasetName, Refusal> {
        let target = &self.request.target;
        let rest = child
            .name
            .as_str()
            .strip_prefix(self.observed.source.name.as_str())
            .unwrap_or_default();
        DatasetName::new(&format!("{target}{rest}")).map_err(|error| {
            Refusal::target(
                target,
                Why::BadChildName {
                    child: child.name.clone(),
                    error,
                },
            )
        })
    }

    fn whole(&self, child: &State, to: &DatasetName, prepare: Option<Action>) -> Result<Option<Plan>, Refusal> {
        let found = child
            .snapshots
            .iter()
            .find(|snapshot| snapshot.name == self.first.short);
        if !self.first.is_new && found.is_none() {
            // N.B. of an init that was cut off nobody knows whether its first snapshot was taken back, or this came later.
            let note = format!(
                "{}: not in the first snapshot; it is not on the target before the next sync.",
                child.name
            );
            return Ok(Some(Plan {
                notes: vec![note],
                ..Plan::default()
            }));
        }
        let snapshot = named(child, &self.first.short)?;
        let guid = found.map(|found| found.guid).filter(|_| !self.first.is_new);
        self.begun(
            child,
            to,
            prepare,
            Transfer {
                guid,
                ..full_of_child(child, &snapshot, self.request.preferences)
            },
        )
        .map(Some)
    }

    fn begun(
        &self,
        child: &State,
        to: &DatasetName,
        prepare: Option<Action>,
        transfer: Transfer,
    ) -> Result<Plan, Refusal> {
        let into = to
            .snapshot(transfer.snapshot.short())
            .map_err(|error| Refusal::target(to, Why::BadSnapshotName(error)))?;
        let mut stages = Vec::new();
        if self.first.is_new {
            let snapshot = Action::Snapshot(named(child, &self.first.short)?);
            stages.push(Stage::source([self.conditions.clone(), vec![snapshot]].concat()));
        }
        // What it lies in must be there.
        stages.push(Stage::Wait {
            of: self.above(child),
            until: Reached::Arrival,
            if_failed: IfFailed::Fail,
        });
        stages.push(Stage::target(prepare.into_iter().collect()));
        stages.push(Stage::Transfer(Box::new(Transfer {
            into,
            creation: Some(creation_of_child(child)),
            ..transfer
        })));
        Ok(Plan {
            stages,
            of: Some(child.name.clone()),
            ..Plan::default()
        })
    }

    fn above(&self, child: &State) -> Vec<DatasetName> {
        let all = [self.observed.source].into_iter().chain(&self.observed.below.source);
        let above = all.filter(|state| is_below(child.name.as_str(), state.name.as_str()));
        above.map(|state| state.name.clone()).collect()
    }
}

fn named(child: &State, short: &str) -> Result<SnapshotName, Refusal> {
    child
        .snapshot_name(short)
        .map_err(|error| Refusal::source(&child.name, Why::BadSnapshotName(error)))
}

#[cfg(test)]
mod tests;
