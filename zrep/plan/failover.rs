//! Turning a pairing round while both sides are in reach.
//!
//! ```text
//!  source: nobody has its files mapped for writing, or it is unmounted; its intent log is applied
//!  source: read-only, and what is intended        undone on failure: the source is as it was
//!  a last sync; target: prepared                  undone on failure
//!  source: nothing was written meanwhile
//!  ---- point of no return ----
//!  target: master of the next epoch, pair swapped, if it is still prepared
//!  target: writable, mounted
//!  source: no master any more, pair swapped; stays read-only
//! ```
//!
//! The target becomes writable only after the source has stopped. A failover that was cut off is completed or undone by whichever verb
//! comes next, on either side: see [`settle`].

pub mod alone;

use crate::intent::Intent;
use crate::model::{Below, Kind, Link, Origin, State};
use crate::plan::lock::Locking;
use crate::plan::pairing::{self, Identity, link_of};
use crate::plan::standing::{self, Standing, Way};
use crate::plan::sync::tree::Trees;
use crate::plan::turn::{self, Turn, expect, expect_value};
use crate::plan::{Action, Before, Object, Plan, Planned, Stage, settle, sync};
use crate::props::{Key, View};
use crate::refusal::{Refusal, Why};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The last sync.
    pub sync: sync::Request,
    /// Unmount the source first: the sure way to stop every writer.
    pub unmount: bool,
    /// How often this process has tried before.
    pub tried: usize,
}

/// Plans `zrep failover`, and `zrep takeover` of a target whose source is in reach.
pub fn plan(me: &Identity, source: &State, target: &State, request: &Request) -> Planned {
    let mut plans = plan_all(me, (source, target), None, request)?;
    Ok(plans.swap_remove(0))
}

/// The same with what is below the two, where the pairing is recursive. The top's plan is the first one; the others bring over what is below, and are carried out together with it.
pub fn plan_all(
    me: &Identity,
    (source, target): (&State, &State),
    below: Option<&Below>,
    request: &Request,
) -> Result<Vec<Plan>, Refusal> {
    // N.B. the pair of a side whose turn was cut off may be swapped in part.
    let is_half_turned = pairing::is_half_turned(me, source, target);
    if !is_half_turned && !standing::is_one_attempt(me, source, target) {
        require_mutual(me, source, target)?;
    }
    let own = below.map(|below| below.own(me)).unwrap_or_default();
    let turned = Turned {
        source,
        target,
        below,
        own: &own,
    };
    match standing::of_trees(me, source, target, Some(&own))? {
        Standing::Settled | Standing::Forgotten => fresh(me, turned, request, None),
        Standing::Open(intent) => fresh(me, turned, request, Some(&intent)),
        Standing::Superseded {
            old: crate::model::Side::Source,
            way: Way::StepDown,
        } => {
            let plan = settle::step_down(me, source, target, &request.sync.locking)?;
            Ok(vec![settle::with_trees(plan, turned.of_source(), turned.of_target())])
        }
        Standing::Superseded { .. } | Standing::Split => Err(standing::refusal(me, source, target)),
    }
}

/// The two sides, and what is below them.
#[derive(Clone, Copy)]
struct Turned<'a> {
    source: &'a State,
    target: &'a State,
    below: Option<&'a Below>,
    /// What of that has their roles.
    own: &'a Below,
}

impl<'a> Turned<'a> {
    fn of_source(self) -> &'a [State] {
        &self.own.source
    }

    fn of_target(self) -> &'a [State] {
        &self.own.target
    }

    /// The last sync: the top's plan, and those of what is below.
    fn sync(self, me: &Identity, request: &Request) -> Result<Vec<Plan>, Refusal> {
        let Self {
            source, target, below, ..
        } = self;
        match below {
            None => Ok(vec![sync::plan(me, source, target, &request.sync)?]),
            Some(below) => {
                let trees = Trees { source, target, below };
                Ok(sync::tree::plan(me, trees, &request.sync, sync::tree::Purpose::Turn)?.plans)
            }
        }
    }

    /// All datasets of the source.
    fn sources(self) -> impl DoubleEndedIterator<Item = &'a State> + Clone {
        [self.source].into_iter().chain(self.of_source())
    }

    /// Nothing was written behind the last snapshot, whoever has made it.
    fn unwritten(self, short: &str) -> Result<Vec<Action>, Refusal> {
        let newest = self.sources().map(|state| {
            let snapshot = state
                .snapshot_name(short)
                .map_err(|error| Refusal::source(&state.name, Why::BadSnapshotName(error)))?;
            Ok(Action::ExpectNewest {
                dataset: state.name.clone(),
                snapshot: Some(snapshot),
            })
        });
        let unwritten = self
            .sources()
            .map(|state| Ok(Action::ExpectUnwritten(state.name.clone())));
        newest.chain(unwritten).collect()
    }
}

/// N.B. a child is unmounted before what it is mounted in; and `readonly` does not stop a process that has a file mapped.
fn stopped<'a>(sources: impl DoubleEndedIterator<Item = &'a State>, unmount: bool) -> Vec<Action> {
    match unmount {
        true => sources.rev().map(|state| Action::Unmount(state.name.clone())).collect(),
        false => sources
            .map(|state| Action::ExpectUnmapped(state.name.clone()))
            .collect(),
    }
}

/// What programs had flushed before a crash stands in the intent log of a filesystem that was not mounted since, and in no snapshot.
fn stopped_and_replayed<'a>(sources: impl DoubleEndedIterator<Item = &'a State> + Clone, unmount: bool) -> Vec<Action> {
    let filesystems = sources.clone().filter(|state| state.kind == Kind::Filesystem);
    let replayed = filesystems.map(|state| Action::Replay(state.name.clone())).collect();
    match unmount {
        true => [replayed, stopped(sources, true)].concat(),
        false => [stopped(sources, false), replayed].concat(),
    }
}

/// A failover from its beginning. `earlier` is what an attempt that was cut off has left.
fn fresh(me: &Identity, turned: Turned<'_>, request: &Request, earlier: Option<&Intent>) -> Result<Vec<Plan>, Refusal> {
    let Turned { source, target, .. } = turned;
    let refuse = |why| Refusal::source(&source.name, why);
    let link = link_of(me, source).map_err(refuse)?;
    let epoch = standing::next_epoch(me, View::new(source, &me.tag).epoch()).map_err(refuse)?;
    let turn = Turn::of(me, source, target, &link, epoch);
    let nonce = nonce(request);
    let mut plans = turned.sync(me, request)?;
    let sync = plans.swap_remove(0);
    let short = sync::made(&sync)
        .map(|name| name.short().to_owned())
        .unwrap_or_default();
    let intent = Intent::Failover {
        epoch: turn.epoch,
        readonly: readonly_before(source, earlier),
        nonce: nonce.clone(),
    };
    let mut plan = Plan {
        stages: vec![Stage::source(stopped_and_replayed(turned.sources(), request.unmount))],
        notes: sync.notes,
        before: [before(source, &intent), turn::before_following(turned.of_source())].concat(),
        lasting: Vec::new(),
        of: Some(source.name.clone()),
    };
    if let Some(Intent::Failover { nonce, .. }) = earlier {
        plan.stages.extend(settle::disarm(me, target, nonce).map(Stage::target));
    }
    let (last, first) = split_last(sync.stages);
    plan.stages.extend(stop_writing(me, turned, &intent, first));
    let expected = match earlier {
        Some(Intent::Failover { nonce, .. }) => Some(Intent::Aborted { nonce: nonce.clone() }.to_string()),
        Some(_) | None => View::new(target, &me.tag).intent_text().map(str::to_owned),
    };
    plan.stages.push(prepared(me, &turn, target, expected, &nonce, last));
    // The last look is at this, right before the point of no return.
    let begun = expect_value(me, source, Key::Intent, Some(intent.to_string()));
    plan.stages.push(Stage::source(
        [stopped(turned.sources(), false), turned.unwritten(&short)?, vec![begun]].concat(),
    ));
    plan.stages.push(Stage::Commit);
    plan.stages.extend(turn.raised(me, target, &nonce));
    if turned.below.is_some() {
        plan.stages.push(Stage::target(turn::mount_all(turned.of_target())));
    }
    plan.stages.push(turn.lowered());
    Ok([plan].into_iter().chain(plans).collect())
}

/// Tells this attempt from every other of this machine, those of the same process within one second included: what another side has written against one
/// of them must not be taken for a word about the next.
fn nonce(request: &Request) -> String {
    let (Locking::Take { holder, .. } | Locking::Held { holder }) = &request.sync.locking;
    let nonce = format!("{}-{}-{}", holder.pid, holder.since, request.sync.now);
    match request.tried {
        0 => nonce,
        tried => format!("{nonce}-{tried}"),
    }
}

/// The local value that an undo restores. An attempt that was cut off has overwritten it already.
fn readonly_before(source: &State, earlier: Option<&Intent>) -> Option<bool> {
    match earlier {
        Some(Intent::Failover { readonly, .. } | Intent::Gated { readonly }) => *readonly,
        Some(Intent::Prepared { .. } | Intent::Aborted { .. }) | None => {
            (source.readonly_origin == Origin::Local).then_some(source.readonly)
        }
    }
}

fn before(source: &State, intent: &Intent) -> Vec<Before> {
    let Intent::Failover {
        readonly: Some(readonly),
        ..
    } = intent
    else {
        return Vec::new();
    };
    vec![Before {
        on: Object::Dataset(source.name.clone()),
        property: "readonly".into(),
        value: if *readonly { "on" } else { "off" }.into(),
    }]
}

/// The source stops being written to before the snapshot that must hold everything it ever acknowledged.
fn stop_writing(me: &Identity, turned: Turned<'_>, intent: &Intent, mut stages: Vec<Stage>) -> Vec<Stage> {
    let source = turned.source;
    let readonly = Action::Set {
        on: Object::Dataset(source.name.clone()),
        properties: vec![
            ("readonly".into(), Some("on".into())),
            (me.tag.property(Key::Intent), Some(intent.to_string())),
        ],
    };
    if let Some(Stage::Apply { source: first, target }) = stages.first_mut() {
        // The epoch that begins is above the one that a sync would make known.
        target.retain(Action::is_condition);
        let conditions = first.iter().take_while(|action| action.is_condition()).count();
        let unturned = [Key::Epoch, Key::Intent].map(|key| expect(me, source, key));
        first.splice(conditions..conditions, unturned);
        let before_snapshot = first
            .iter()
            .position(|action| matches!(action, Action::Snapshot(_)))
            .unwrap_or(first.len());
        let stop = turn::following(turned.of_source()).into_iter().chain([readonly]);
        first.splice(before_snapshot..before_snapshot, stop);
    }
    stages
}

fn split_last(mut stages: Vec<Stage>) -> (Stage, Vec<Stage>) {
    let last = stages.pop().unwrap_or(Stage::Commit);
    (last, stages)
}

/// The sync's last stage, which leaves the target prepared. Without giving the lock back: the source stays locked until its role is
/// gone. Nothing expires, either: a failover does what it must, and the next sync cleans up.
fn prepared(me: &Identity, turn: &Turn, target: &State, expected: Option<String>, nonce: &str, last: Stage) -> Stage {
    let is_mark = |action: &Action| {
        matches!(
            action,
            Action::Set {
                on: Object::Snapshot(_),
                ..
            }
        )
    };
    let (source_marks, target_marks): (Vec<Action>, Vec<Action>) = match last {
        Stage::Apply { source, target } => (
            source.into_iter().filter(is_mark).collect(),
            target.into_iter().filter(is_mark).collect(),
        ),
        Stage::Transfer(_) | Stage::Commit | Stage::Wait { .. } => (Vec::new(), Vec::new()),
    };
    let prepared = Intent::Prepared {
        epoch: turn.epoch,
        nonce: nonce.to_owned(),
    };
    let mut on_target = vec![
        expect(me, target, Key::Master),
        expect(me, target, Key::Epoch),
        expect_value(me, target, Key::Intent, expected),
    ];
    on_target.extend(target_marks);
    on_target.push(Action::Set {
        on: Object::Dataset(target.name.clone()),
        properties: vec![(me.tag.property(Key::Intent), Some(prepared.to_string()))],
    });
    Stage::Apply {
        source: source_marks,
        target: on_target,
    }
}

/// Both sides must name each other, or the roles of a third dataset would be changed.
fn require_mutual(me: &Identity, source: &State, target: &State) -> Result<(), Refusal> {
    let of_target = link_of(me, target).map_err(|why| Refusal::target(&target.name, why))?;
    let of_source = link_of(me, source).map_err(|why| Refusal::source(&source.name, why))?;
    if !standing::names_both(&of_target, source, target) {
        let why = Why::NotMutual {
            tag: me.tag.to_string(),
            other: source.name.to_string(),
            found: named(&of_target),
        };
        return Err(Refusal::target(&target.name, why));
    }
    if !standing::names_both(&of_source, source, target) {
        let why = Why::NotMutual {
            tag: me.tag.to_string(),
            other: target.name.to_string(),
            found: named(&of_source),
        };
        return Err(Refusal::source(&source.name, why));
    }
    Ok(())
}

fn named(link: &Link) -> String {
    format!("src-fs={}, dest-fs={}", link.src_fs, link.dest_fs)
}

#[cfg(test)]
mod tests;
