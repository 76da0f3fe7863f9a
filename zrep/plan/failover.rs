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

use crate::intent::Intent;
use crate::model::{Kind, Link, Origin, State};
use crate::plan::lock::Locking;
use crate::plan::pairing::{self, Identity, link_of};
use crate::plan::standing::{self, Standing, Way};
use crate::plan::turn::{Turn, expect, expect_value};
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
    // N.B. the pair of a side whose turn was cut off may be swapped in part.
    let is_half_turned = pairing::is_half_turned(me, source, target);
    if !is_half_turned && !standing::is_one_attempt(me, source, target) {
        require_mutual(me, source, target)?;
    }
    match standing::of(me, source, target)? {
        Standing::Settled | Standing::Forgotten => fresh(me, source, target, request, None),
        Standing::Open(intent) => fresh(me, source, target, request, Some(&intent)),
        Standing::Superseded {
            old: crate::model::Side::Source,
            way: Way::StepDown,
        } => settle::step_down(me, source, target, &request.sync.locking),
        Standing::Superseded { .. } | Standing::Split => Err(standing::refusal(me, source, target)),
    }
}

/// A failover from its beginning. `earlier` is what an attempt that was cut off has left.
fn fresh(me: &Identity, source: &State, target: &State, request: &Request, earlier: Option<&Intent>) -> Planned {
    let refuse = |why| Refusal::source(&source.name, why);
    let link = link_of(me, source).map_err(refuse)?;
    let epoch = standing::next_epoch(me, View::new(source, &me.tag).epoch()).map_err(refuse)?;
    let turn = Turn::of(me, source, target, &link, epoch);
    let nonce = nonce(request);
    let sync = sync::plan(me, source, target, &request.sync)?;
    let intent = Intent::Failover {
        epoch: turn.epoch,
        readonly: readonly_before(source, earlier),
        nonce: nonce.clone(),
    };
    let mut plan = Plan {
        stages: vec![Stage::source(replayed(source, stopped(source, request.unmount)))],
        notes: sync.notes,
        before: before(source, &intent),
        lasting: Vec::new(),
    };
    if let Some(Intent::Failover { nonce, .. }) = earlier {
        plan.stages.extend(settle::disarm(me, target, nonce).map(Stage::target));
    }
    let (last, first) = split_last(sync.stages);
    plan.stages.extend(stop_writing(me, source, &intent, first));
    let expected = match earlier {
        Some(Intent::Failover { nonce, .. }) => Some(Intent::Aborted { nonce: nonce.clone() }.to_string()),
        Some(_) | None => View::new(target, &me.tag).intent_text().map(str::to_owned),
    };
    plan.stages.push(prepared(me, &turn, target, expected, &nonce, last));
    plan.stages.push(Stage::source(vec![
        stopped(source, false),
        // N.B. what was written is counted from the newest snapshot, whoever has made it.
        Action::ExpectNewest {
            dataset: source.name.clone(),
            snapshot: Some(sync::new_snapshot(me, source, target)?),
        },
        Action::ExpectUnwritten(source.name.clone()),
        // The last look is at this, right before the point of no return.
        expect_value(me, source, Key::Intent, Some(intent.to_string())),
    ]));
    plan.stages.push(Stage::Commit);
    plan.stages.extend(turn.raised(me, target, &nonce));
    plan.stages.push(turn.lowered());
    Ok(plan)
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

/// N.B. `readonly` does not stop a process that has a file mapped.
fn stopped(source: &State, unmount: bool) -> Action {
    if unmount {
        Action::Unmount(source.name.clone())
    } else {
        Action::ExpectUnmapped(source.name.clone())
    }
}

/// What programs had flushed before a crash stands in the intent log of a filesystem that was not mounted since, and in no snapshot.
fn replayed(source: &State, stopped: Action) -> Vec<Action> {
    let replay = Action::Replay(source.name.clone());
    match (source.kind, &stopped) {
        (Kind::Volume, _) => vec![stopped],
        (Kind::Filesystem, Action::Unmount(_)) => vec![replay, stopped],
        (Kind::Filesystem, _) => vec![stopped, replay],
    }
}

/// The source stops being written to before the snapshot that must hold everything it ever acknowledged.
fn stop_writing(me: &Identity, source: &State, intent: &Intent, mut stages: Vec<Stage>) -> Vec<Stage> {
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
        first.insert(before_snapshot, readonly);
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
        Stage::Transfer(_) | Stage::Commit => (Vec::new(), Vec::new()),
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
