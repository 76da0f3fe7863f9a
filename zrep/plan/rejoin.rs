//! Making a superseded master the replica of the new one, without a full send and without losing what only it has.
//!
//! ```text
//!  a/fs@1 ─ @2 ─ @3 ─ tail          a/fs_diverged_e1: ─ @3 ─ @diverged_e1     kept, read-only, no pairing
//!             └ b/fs: @2 ─ new      a/fs:  @1 ─ @2                            replica of b/fs, and goes on from @2
//! ```
//!
//! Cut off anywhere, it is gone on with by typing it again: which datasets there are tells how far it has come.

use crate::model::{Kind, Native, Origin, Setting, State};
use crate::plan::base::require_common;
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::{Identity, link_of, link_of_new};
use crate::plan::standing::has_more;
use crate::plan::turn::{Turn, pair};
use crate::plan::{Action, Object, Plan, Planned, Stage};
use crate::props::{Key, View};
use crate::refusal::{Refusal, Why, counted};
use zfs_ffi::DatasetName;

/// What there is to go on with.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The dataset's name.
    pub name: &'a DatasetName,
    /// The dataset, unless it was renamed already.
    pub old: Option<&'a State>,
    /// What it is, or would be, renamed to.
    pub aside: &'a DatasetName,
    /// That dataset, if the renaming was cut off.
    pub renamed: Option<&'a State>,
    /// The datasets directly below, which keep their names.
    pub children: &'a [DatasetName],
    /// The new master.
    pub new: &'a State,
}

/// Plans `zrep rejoin` of a dataset that is read-only already.
pub fn plan(me: &Identity, scene: &Scene<'_>, locking: &Locking) -> Planned {
    match (scene.old, scene.renamed) {
        (Some(old), None) if has_more(old, scene.new) => keep_aside(me, scene, old, locking),
        (Some(old), None) => only_lower(me, scene, old, locking),
        (None, Some(renamed)) => Ok(Plan {
            stages: [clone_of(me, scene, renamed)?, back(scene), cleaned(me, scene)].concat(),
            notes: vec![cut_off(scene)],
            ..Plan::default()
        }),
        // A clone has none of its origin's snapshots until it is promoted, and cannot be promoted twice.
        (Some(old), Some(_)) => Ok(Plan {
            stages: [
                (!has_common(old, scene.new))
                    .then(|| promoted(scene))
                    .into_iter()
                    .collect(),
                back(scene),
                cleaned(me, scene),
            ]
            .concat(),
            notes: vec![cut_off(scene)],
            ..Plan::default()
        }),
        (None, None) => Err(Refusal::source(scene.name, Why::Missing)),
    }
}

fn cut_off(scene: &Scene<'_>) -> String {
    format!("{}: going on with a rejoin that was cut off.", scene.name)
}

fn has_common(old: &State, new: &State) -> bool {
    let is_there = |guid| new.snapshots.iter().any(|snapshot| snapshot.guid == guid);
    old.snapshots.iter().any(|snapshot| is_there(snapshot.guid))
}

/// What it has, the new master has, too.
fn only_lower(me: &Identity, scene: &Scene<'_>, old: &State, locking: &Locking) -> Planned {
    let link = link_of(me, old).map_err(|why| Refusal::source(&old.name, why))?;
    let lock = lock::plan(old, &me.tag, locking)?;
    let turn = Turn::of(me, old, scene.new, &link, View::new(scene.new, &me.tag).epoch());
    let mut enter = lock.enter;
    let conditions = enter.iter().take_while(|action| action.is_condition()).count();
    enter.insert(conditions, Action::ExpectUnwritten(old.name.clone()));
    Ok(Plan {
        stages: vec![Stage::source(enter), Stage::Commit, turn.lowered()],
        notes: lock.note.into_iter().collect(),
        ..Plan::default()
    })
}

fn keep_aside(me: &Identity, scene: &Scene<'_>, old: &State, locking: &Locking) -> Planned {
    let lock = lock::plan(old, &me.tag, locking)?;
    let common = require_common(me, old, scene.new)?;
    let (base, txg) = (common.on_target.name.clone(), common.source_txg);
    let more = old.snapshots.iter().filter(|snapshot| snapshot.createtxg > txg).count();
    let mut enter = lock.enter;
    if old.written > 0 {
        let short = scene.aside.as_str().rsplit('_').next().unwrap_or("tail");
        let tail = old
            .snapshot_name(&format!("diverged_{short}"))
            .map_err(|error| Refusal::source(&old.name, Why::BadSnapshotName(error)))?;
        if old.snapshots.iter().all(|snapshot| snapshot.name != tail.short()) {
            enter.push(Action::Snapshot(tail));
        }
    }
    let written = counted(usize::try_from(old.written).unwrap_or(usize::MAX), "byte");
    let what = match more {
        0 => format!("{written} written since then"),
        more => format!(
            "{}, and {written} written since the newest of them,",
            counted(more, "snapshot")
        ),
    };
    let note = format!(
        "{}: diverged from {} after @{base}: {what} are kept as {}.",
        old.name, scene.new.name, scene.aside
    );
    let rename = Action::Rename {
        from: old.name.clone(),
        to: scene.aside.clone(),
    };
    let mut stages = vec![Stage::source(enter), Stage::Commit, Stage::source(vec![rename])];
    stages.extend(clone_of(me, scene, old)?);
    stages.extend(back(scene));
    stages.extend(cleaned(me, scene));
    Ok(Plan {
        stages,
        notes: lock.note.into_iter().chain([note]).collect(),
        ..Plan::default()
    })
}

/// The last state that both have, under the old name: a replica from its first moment.
fn clone_of(me: &Identity, scene: &Scene<'_>, was: &State) -> Result<Vec<Stage>, Refusal> {
    let common = require_common(me, was, scene.new)?;
    let base = was
        .snapshots
        .iter()
        .find(|snapshot| snapshot.guid == common.base.guid)
        .map(|snapshot| snapshot.name.clone());
    let Some(base) = base else {
        let why = Why::NoCommonSnapshot {
            source: scene.new.name.clone(),
            source_newest: scene.new.newest().map(|newest| newest.name.clone()),
            target_newest: was.newest().map(|newest| newest.name.clone()),
            host: me.host.clone(),
        };
        return Err(Refusal::source(scene.name, why));
    };
    let snapshot = scene
        .aside
        .snapshot(&base)
        .map_err(|error| Refusal::source(scene.aside, Why::BadSnapshotName(error)))?;
    let clone = Action::Clone {
        snapshot,
        name: scene.name.clone(),
        properties: role(me, scene, was)?,
    };
    Ok(vec![Stage::source(vec![clone]), promoted(scene)])
}

fn promoted(scene: &Scene<'_>) -> Stage {
    Stage::source(vec![Action::Promote(scene.name.clone())])
}

/// What makes the clone a replica.
fn role(me: &Identity, scene: &Scene<'_>, was: &State) -> Result<Vec<(String, Native)>, Refusal> {
    let of_new = link_of_new(me, scene.new).map_err(|why| Refusal::target(&scene.new.name, why))?;
    let text = |(name, value): (String, Option<String>)| Some((name, Native::Text(value?)));
    let mut properties = vec![("readonly".to_owned(), Native::Number(1))];
    properties.extend(pair(me, &of_new).into_iter().filter_map(text));
    let epoch = View::new(scene.new, &me.tag).epoch().to_string();
    properties.push((me.tag.property(Key::Epoch), Native::Text(epoch)));
    for key in [Key::Savecount, Key::Gate] {
        let name = me.tag.property(key);
        let own = |setting: &&Setting| matches!(setting.origin, Origin::Local | Origin::Received);
        if let Some(setting) = was.user.get(&name).filter(own) {
            properties.push((name, Native::Text(setting.value.clone())));
        }
    }
    Ok(properties)
}

/// The children go where they were. N.B. a rename does not touch their mounts.
fn back(scene: &Scene<'_>) -> Vec<Stage> {
    let renamed = scene.children.iter().filter_map(|child| {
        let last = child.as_str().rsplit('/').next()?;
        let from = DatasetName::new(&format!("{}/{last}", scene.aside)).ok()?;
        let to = DatasetName::new(&format!("{}/{last}", scene.name)).ok()?;
        Some(Action::Rename { from, to })
    });
    let actions: Vec<Action> = renamed.collect();
    (!actions.is_empty())
        .then(|| Stage::source(actions))
        .into_iter()
        .collect()
}

/// What is kept aside is no side of a pairing any more, and does not take the mountpoint from the replica at the next boot.
fn cleaned(me: &Identity, scene: &Scene<'_>) -> Vec<Stage> {
    let was = scene.renamed.or(scene.old);
    // N.B. the pair last: as long as it stands there, what was cut off is found.
    let mut properties: Vec<(String, Option<String>)> = [
        Key::Master,
        Key::Fenced,
        Key::Intent,
        Key::Epoch,
        Key::LockTime,
        Key::LockPid,
        Key::LastSent,
        Key::LastSentTime,
        Key::Savecount,
    ]
    .map(|key| (me.tag.property(key), None))
    .to_vec();
    properties.extend([Key::SrcHost, Key::DestHost, Key::SrcFs, Key::DestFs].map(|key| (me.tag.property(key), None)));
    let set = |properties| Action::Set {
        on: Object::Dataset(scene.aside.clone()),
        properties,
    };
    let mut actions = Vec::new();
    if was.is_some_and(|state| state.kind == Kind::Filesystem) {
        actions.push(set(vec![("canmount".into(), Some("noauto".into()))]));
    }
    actions.push(set(properties));
    vec![Stage::source(actions)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, request, state};

    fn new_master() -> State {
        state("b/fs", "@zrep_000001=1! @zrep_000002=2! @zrep_000003=9")
            .master()
            .user("zrep:src-fs", "b/fs", Origin::Local)
            .user("zrep:dest-fs", "a/fs", Origin::Local)
            .user("zrep:dest-host", "here", Origin::Local)
            .user("zrep:epoch", "1", Origin::Local)
            .build()
    }

    fn lines(old: Option<State>, renamed: Option<State>) -> Vec<String> {
        let (name, aside) = (
            DatasetName::new("a/fs").unwrap(),
            DatasetName::new("a/fs_diverged_e1").unwrap(),
        );
        let scene = Scene {
            name: &name,
            old: old.as_ref(),
            aside: &aside,
            renamed: renamed.as_ref(),
            children: &[DatasetName::new("a/fs/child").unwrap()],
            new: &new_master(),
        };
        plan(&me(), &scene, &request().locking).unwrap().lines()
    }

    fn fenced(name: &str, line: &str) -> State {
        state(name, line)
            .master()
            .user("zrep:fenced", "1", Origin::Local)
            .with(|state| {
                (state.readonly, state.readonly_origin) = (true, Origin::Local);
                state.written = 7;
            })
            .build()
    }

    #[test]
    fn the_tail_is_kept_under_its_own_name_and_the_base_under_the_old_one() {
        let lines = lines(Some(fenced("a/fs", "@zrep_000001=1! @zrep_000002=2! @mine=5")), None);
        assert_eq!(
            lines[2..8],
            [
                "source: snapshot a/fs@diverged_e1",
                "-- point of no return --",
                "source: rename a/fs to a/fs_diverged_e1",
                "source: clone a/fs_diverged_e1@zrep_000002 as a/fs",
                "source: promote a/fs",
                "source: rename a/fs_diverged_e1/child to a/fs/child",
            ]
        );
        assert!(
            lines
                .iter()
                .all(|line| !line.contains("destroy") && !line.contains("roll back"))
        );
        assert!(lines.last().unwrap().ends_with("on a/fs_diverged_e1"));
    }

    #[test]
    fn without_a_tail_it_only_steps_down() {
        let mut old = fenced("a/fs", "@zrep_000001=1! @zrep_000002=2!");
        old.written = 0;
        let lines = lines(Some(old), None);
        assert!(
            lines
                .iter()
                .all(|line| !line.contains("rename") && !line.contains("clone"))
        );
        assert!(lines.last().unwrap().contains("zrep:master inherited"));
    }

    #[test]
    fn what_was_cut_off_is_gone_on_with() {
        let renamed = || fenced("a/fs_diverged_e1", "@zrep_000001=1! @zrep_000002=2!");
        assert_eq!(
            lines(None, Some(renamed()))[0],
            "source: clone a/fs_diverged_e1@zrep_000002 as a/fs"
        );
        let clone = state("a/fs", "").replica().build();
        assert_eq!(lines(Some(clone), Some(renamed()))[0], "source: promote a/fs");
    }
}
