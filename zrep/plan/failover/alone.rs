//! `zrep failover -L`: the master gives up its role, and the other side is not asked. It becomes the master when somebody types `zrep takeover -L` there;
//! until then nobody is it.

use super::stopped_and_replayed;
use crate::model::{Link, Origin, Snapshot, State};
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::{Identity, is_source, is_target, link_of, other_names, target_of};
use crate::plan::standing::require_unfenced;
use crate::plan::turn::{expect, pair};
use crate::plan::{Action, Before, IfHeld, Object, Plan, Planned, Stage, tree};
use crate::props::{Key, View};
use crate::refusal::{OfSnapshot, Refusal, Why, counted, quoted};

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The lock on the master.
    pub locking: Locking,
    /// Unmount it first: the sure way to stop every writer.
    pub unmount: bool,
    /// Discard what was not sent (`-f`).
    pub force: bool,
}

/// Plans to lower `source`, which was observed with its marks: it is read-only from then on, at the state of its last sent snapshot, and names the other
/// side as its master.
///
/// The other side has all up to that snapshot. What is newer is nowhere else, so it is discarded with `force` only. Before the point of no return a
/// failure leaves the master as it was.
pub fn plan(me: &Identity, source: &State, request: &Request) -> Planned {
    let refuse = |why| Refusal::source(&source.name, why);
    let link = link_of(me, source).map_err(refuse)?;
    if is_begun(me, source, &link) {
        return completed(me, source, &link, request);
    }
    tree::require_one(
        me,
        source,
        "its role is given up with the other side only",
        "`zrep failover`; or where the other side is out of reach, `zrep takeover -L` there",
    )?;
    target_of(me, source)?;
    require_unfenced(me, source)?;
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let (last, newer) = last_sent(me, source).map_err(|why| refuse(Why::Snapshot(why)))?;
    if !request.force {
        require_no_loss(source, &link, last, newer).map_err(|why| refuse(Why::Snapshot(why)))?;
    }
    let mut stages = vec![
        Stage::source(stopped_and_replayed([source].into_iter(), request.unmount)),
        Stage::source(read_only(me, source, lock.enter)),
        Stage::source(unchanged(source, request.force)?),
        Stage::Commit,
    ];
    let back = back_to(source, last, newer, request.force)?;
    if !back.is_empty() {
        stages.push(Stage::source(back));
    }
    stages.push(Stage::source(vec![lowered(me, source, link)]));
    Ok(Plan {
        stages,
        notes: lock.note.into_iter().chain(told(source, last, newer)).collect(),
        before: before(source),
        ..Plan::default()
    })
}

/// Whether the role was given up already, and the pair not swapped, or in part only: where no program makes one transaction of it, it can be cut off there.
fn is_begun(me: &Identity, source: &State, link: &Link) -> bool {
    let own = source.name.as_str();
    let is_other_twice = link.src_fs == link.dest_fs && link.src_fs != own;
    let is_torn = is_source(me, link, source) || is_other_twice || link.dest_fs == own;
    let has_stopped = source.readonly && source.readonly_origin == Origin::Local;
    !View::new(source, &me.tag).is_master() && has_stopped && is_torn && !is_target(me, link, source)
}

/// N.B. the other end's name stands there at each moment of a swap.
fn completed(me: &Identity, source: &State, link: &Link, request: &Request) -> Planned {
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let (host, dataset) = other_names(me, link, source);
    let unswapped = Link {
        src_host: me.host.clone(),
        src_fs: source.name.to_string(),
        dest_host: host.to_owned(),
        dest_fs: dataset.to_owned(),
    };
    let conditions = vec![expect(me, source, Key::Master), expect(me, source, Key::SrcFs)];
    Ok(Plan {
        stages: vec![
            Stage::Commit,
            Stage::source([conditions, lock.enter, vec![lowered(me, source, unswapped)]].concat()),
        ],
        notes: lock.note.into_iter().collect(),
        ..Plan::default()
    })
}

fn last_sent<'a>(me: &Identity, source: &'a State) -> Result<(&'a Snapshot, &'a [Snapshot]), OfSnapshot> {
    let last = View::new(source, &me.tag).last_sent().map(|last| last.guid);
    let at = source.snapshots.iter().position(|snapshot| Some(snapshot.guid) == last);
    let at = at.ok_or_else(|| OfSnapshot::NoneSent {
        tag: me.tag.to_string(),
    })?;
    Ok((&source.snapshots[at], &source.snapshots[at + 1..]))
}

fn require_no_loss(source: &State, link: &Link, last: &Snapshot, newer: &[Snapshot]) -> Result<(), OfSnapshot> {
    if newer.is_empty() && source.written == 0 {
        return Ok(());
    }
    let pasted = quoted(source.name.as_str());
    Err(OfSnapshot::Loses {
        short: last.name.clone(),
        only_here: newer.iter().map(|snapshot| snapshot.name.clone()).collect(),
        bytes: source.written,
        command: format!("zrep failover -L -f {pasted}"),
        instead: format!(
            "`zrep failover {pasted}` sends it first, if {} is in reach; if that side takes over alone, `zrep rejoin {pasted}` keeps it aside",
            link.dest_host
        ),
    })
}

fn before(source: &State) -> Vec<Before> {
    let was_local = source.readonly_origin == Origin::Local;
    let before = was_local.then(|| Before {
        on: Object::Dataset(source.name.clone()),
        property: "readonly".into(),
        value: if source.readonly { "on" } else { "off" }.into(),
    });
    before.into_iter().collect()
}

fn read_only(me: &Identity, source: &State, enter: Vec<Action>) -> Vec<Action> {
    let conditions = [Key::Master, Key::Epoch, Key::Intent].map(|key| expect(me, source, key));
    let readonly = Action::Set {
        on: Object::Dataset(source.name.clone()),
        properties: vec![("readonly".into(), Some("on".into()))],
    };
    conditions.into_iter().chain(enter).chain([readonly]).collect()
}

/// The last look, with nobody writing any more.
fn unchanged(source: &State, force: bool) -> Result<Vec<Action>, Refusal> {
    let newest = source
        .newest()
        .map(|newest| source.snapshot_name(&newest.name))
        .transpose();
    let snapshot = newest.map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
    let mut actions = vec![Action::ExpectNewest {
        dataset: source.name.clone(),
        snapshot,
    }];
    if !force {
        actions.push(Action::ExpectUnwritten(source.name.clone()));
    }
    Ok(actions)
}

/// N.B. by force also where nothing was seen: what was written a moment ago need not be counted yet.
fn back_to(source: &State, last: &Snapshot, newer: &[Snapshot], force: bool) -> Result<Vec<Action>, Refusal> {
    if !force {
        return Ok(Vec::new());
    }
    let bad = |error| Refusal::source(&source.name, Why::BadSnapshotName(error));
    let mut actions = Vec::new();
    for snapshot in newer {
        actions.push(Action::Destroy {
            snapshot: source.snapshot_name(&snapshot.name).map_err(bad)?,
            guid: snapshot.guid,
            if_held: IfHeld::Fail,
        });
    }
    actions.push(Action::Rollback(source.snapshot_name(&last.name).map_err(bad)?));
    Ok(actions)
}

/// N.B. the epoch stays: the takeover on the other side begins the next one.
fn lowered(me: &Identity, source: &State, link: Link) -> Action {
    let swapped = Link {
        src_host: link.dest_host,
        src_fs: link.dest_fs,
        dest_host: link.src_host,
        dest_fs: link.src_fs,
    };
    let gone = [Key::Master, Key::Intent, Key::Fenced, Key::LockTime, Key::LockPid];
    let gone = gone.map(|key| (me.tag.property(key), None));
    Action::Set {
        on: Object::Dataset(source.name.clone()),
        properties: gone.into_iter().chain(pair(me, &swapped)).collect(),
    }
}

fn told(source: &State, last: &Snapshot, newer: &[Snapshot]) -> Option<String> {
    if newer.is_empty() && source.written == 0 {
        return None;
    }
    let names: Vec<&str> = newer.iter().map(|snapshot| snapshot.name.as_str()).collect();
    Some(format!(
        "{}: rolling back to @{}. This discards {} ({}) and what was written since ({} bytes are known of).",
        source.name,
        last.name,
        counted(names.len(), "snapshot"),
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        },
        source.written
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{Builder, me, request, state};

    fn planned(source: Builder, force: bool) -> Planned {
        let request = Request {
            locking: request().locking,
            unmount: false,
            force,
        };
        plan(&me(), &source.build(), &request)
    }

    #[test]
    fn the_master_stops_and_then_names_the_other_side_as_its_master() {
        assert_eq!(
            planned(state("a/fs", "@zrep_000001=1!").master(), false)
                .unwrap()
                .lines(),
            [
                "source: expect no file of a/fs to be mapped for writing",
                "source: apply the intent log of a/fs",
                "source: expect zrep:master=yes on a/fs",
                "source: expect no zrep:epoch on a/fs",
                "source: expect no zrep:intent on a/fs",
                "source: expect no zrep:lock-pid on a/fs",
                "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
                "source: set readonly=on on a/fs",
                "source: expect a/fs@zrep_000001 to be the newest",
                "source: expect nothing written to a/fs since its newest snapshot",
                "-- point of no return --",
                "source: set zrep:master inherited zrep:intent inherited zrep:fenced inherited zrep:lock-time inherited zrep:lock-pid inherited zrep:src-fs=b/fs zrep:src-host=localhost zrep:dest-fs=a/fs zrep:dest-host=here on a/fs",
            ]
        );
    }

    #[test]
    fn what_was_cut_off_is_completed_and_a_replica_is_left_alone() {
        let stopped = |pair: [&str; 4]| {
            let names = ["src-fs", "src-host", "dest-fs", "dest-host"].into_iter().zip(pair);
            let bare = state("a/fs", "@zrep_000001=1!")
                .with(|state| (state.readonly, state.readonly_origin) = (true, Origin::Local));
            names.fold(bare, |state, (name, value)| {
                state.user(&format!("zrep:{name}"), value, Origin::Local)
            })
        };
        for torn in [
            ["a/fs", "here", "b/fs", "beta"],
            ["b/fs", "here", "b/fs", "beta"],
            ["b/fs", "beta", "b/fs", "beta"],
            ["b/fs", "beta", "a/fs", "beta"],
        ] {
            let lines = planned(stopped(torn), false).unwrap().lines();
            let swapped = "zrep:src-fs=b/fs zrep:src-host=beta zrep:dest-fs=a/fs zrep:dest-host=here on a/fs";
            assert!(lines.last().unwrap().ends_with(swapped), "{torn:?}: {lines:?}");
        }
        for other in [["b/fs", "beta", "a/fs", "here"], ["old/fs", "here", "b/fs", "beta"]] {
            let refused = planned(stopped(other), false).unwrap_err();
            assert!(matches!(refused.why, Why::NotMaster { .. }), "{other:?}: {refused}");
        }
    }

    #[test]
    fn what_was_not_sent_is_discarded_by_force_only() {
        let source = || state("a/fs", "@zrep_000001=1! @daily=2").master();
        let refused = planned(source(), false).unwrap_err().telling();
        assert!(refused.found.contains("1 snapshot (daily)"), "{refused:?}");
        assert!(refused.help.contains("`zrep failover -L -f a/fs`"), "{refused:?}");
        let plan = planned(source(), true).unwrap();
        assert!(plan.notes[0].contains("1 snapshot (daily)"), "{:?}", plan.notes);
        let lines = plan.lines();
        let behind: Vec<&String> = lines.iter().skip_while(|line| !line.starts_with("--")).collect();
        assert_eq!(
            behind[1..3],
            [
                "source: destroy snapshot a/fs@daily",
                "source: roll back to a/fs@zrep_000001"
            ]
        );
        let written = state("a/fs", "@zrep_000001=1!")
            .master()
            .with(|state| state.written = 9);
        assert!(planned(written, false).unwrap_err().telling().found.contains("9 bytes"));
    }

    #[test]
    fn only_a_master_that_nobody_has_superseded_steps_down() {
        let why = |source| planned(source, true).unwrap_err().why;
        assert!(matches!(
            why(state("b/fs", "@zrep_000001=1!").replica()),
            Why::NotMaster { .. }
        ));
        let fenced = state("a/fs", "@zrep_000001=1!")
            .master()
            .user("zrep:fenced", "1", Origin::Local);
        assert_eq!(why(fenced), Why::Fenced { epoch: 1 });
        let never = state("a/fs", "@zrep_000000=1").master();
        assert!(matches!(why(never), Why::Snapshot(OfSnapshot::NoneSent { .. })));
    }
}
