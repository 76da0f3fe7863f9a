//! Making a superseded master the replica of the new one, without a full send and without losing what only it has.
//!
//! ```text
//!  a/fs@1 ─ @2 ─ @3 ─ tail          a/fs_diverged_e1: ─ @3 ─ @diverged_e1     kept, read-only, no pairing
//!             └ b/fs: @2 ─ new      a/fs:  @1 ─ @2                            replica of b/fs, and goes on from @2
//! ```
//!
//! A recursive pairing is set aside as a whole: one rename, and then the same for each of its datasets that the new master has, parents first.
//!
//! Cut off anywhere, it is gone on with by typing it again: which datasets there are tells how far it has come.

use crate::model::{Kind, Origin, Setting, Snapshot, State};
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::{Identity, link_of, link_of_new};
use crate::plan::standing::tree_has_more;
use crate::plan::turn::{Turn, expect, pair};
use crate::plan::{Action, Before, Object, Plan, Planned, Stage};
use crate::props::{Key, View, is_below};
use crate::refusal::{Refusal, Why, counted};
use grown::{Regrown, base_of_top, regrown};
use zfs_ffi::DatasetName;

mod grown;

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
    /// The datasets below that keep their names: they are no part of the pairing.
    pub children: &'a [DatasetName],
    /// The new master.
    pub new: &'a State,
    /// What else is part of the pairing.
    pub below: &'a Below,
}

/// What is below the tops of a recursive pairing, and has their roles.
#[derive(Debug, Default)]
pub struct Below {
    /// Below the dataset.
    pub old: Vec<State>,
    /// Below what it was renamed to.
    pub renamed: Vec<State>,
    /// Below the new master.
    pub new: Vec<State>,
}

/// Plans `zrep rejoin` of a dataset that is read-only already.
pub fn plan(me: &Identity, scene: &Scene<'_>, locking: &Locking) -> Planned {
    let has_more = |old| tree_has_more((old, &scene.below.old), (scene.new, &scene.below.new));
    match (scene.old, scene.renamed) {
        (Some(old), None) if has_more(old) => keep_aside(me, scene, old, locking),
        (Some(old), None) => only_lower(me, scene, old, locking),
        (Some(_) | None, Some(renamed)) => go_on(me, scene, renamed, locking),
        (None, None) => Err(Refusal::source(scene.name, Why::Missing)),
    }
}

/// N.B. a lock that was given back would take the mark away by which what was cut off is found: what undoes it puts the one of before back.
fn go_on(me: &Identity, scene: &Scene<'_>, renamed: &State, locking: &Locking) -> Planned {
    let lock = lock::plan(renamed, &me.tag, locking)?;
    let regrown = regrown(me, scene, renamed, &scene.below.renamed)?;
    let mut stages = vec![Stage::source(lock.enter), Stage::Commit];
    stages.extend(unmounted(scene, renamed, &scene.below.renamed));
    let (moves, stay): (Vec<_>, Vec<_>) = back(scene).into_iter().partition(|(_, to)| regrown.has_room_for(to));
    let mut notes: Vec<String> = lock.note.into_iter().chain([cut_off(scene)]).collect();
    notes.extend(stay.into_iter().map(|(from, to)| {
        format!("{from} stays where it is: what it was in has not come back. `zfs rename` gives it a name like {to}.")
    }));
    stages.extend(regrown.stages);
    stages.extend(grown_up(me, scene, renamed, moves)?);
    let before = [Key::LockPid, Key::LockTime].into_iter().filter_map(|key| {
        let property = me.tag.property(key);
        let value = renamed.user.get(&property)?.value.clone();
        let on = Object::Dataset(renamed.name.clone());
        Some(Before { on, property, value })
    });
    Ok(Plan {
        stages,
        notes,
        before: before.collect(),
        ..Plan::default()
    })
}

/// What follows when everything has grown: what keeps out of the pairing comes back, and the top becomes a replica.
fn grown_up(
    me: &Identity,
    scene: &Scene<'_>,
    was: &State,
    moves: Vec<(DatasetName, DatasetName)>,
) -> Result<Vec<Stage>, Refusal> {
    let renames = moves.into_iter().map(|(from, to)| Action::Rename { from, to });
    let renames: Vec<Action> = renames.collect();
    let mut stages: Vec<Stage> = (!renames.is_empty())
        .then(|| Stage::source(renames))
        .into_iter()
        .collect();
    stages.extend(role_at_last(me, scene, was)?);
    stages.push(cleaned(me, scene));
    Ok(stages)
}

fn cut_off(scene: &Scene<'_>) -> String {
    format!("{}: going on with a rejoin that was cut off.", scene.name)
}

/// What it has, the new master has, too.
fn only_lower(me: &Identity, scene: &Scene<'_>, old: &State, locking: &Locking) -> Planned {
    let link = link_of(me, old).map_err(|why| Refusal::source(&old.name, why))?;
    let lock = lock::plan(old, &me.tag, locking)?;
    let turn = Turn::of(me, old, scene.new, &link, View::new(scene.new, &me.tag).epoch());
    let mut enter = still_so(me, old, lock.enter);
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
    let base = base_of_top(me, scene, old)?;
    let newer = |snapshot: &&Snapshot| snapshot.createtxg > base.createtxg;
    let more = old.snapshots.iter().filter(newer).count();
    let tree = || [old].into_iter().chain(&scene.below.old);
    require_names(scene, &old.name, tree())?;
    let enter = [still_so(me, old, lock.enter), tails(scene, tree())?].concat();
    let written = tree().map(|state| state.written).fold(0, u64::saturating_add);
    let written = counted(usize::try_from(written).unwrap_or(usize::MAX), "byte");
    let what = match more {
        0 => format!("{written} written since then"),
        more => format!(
            "{}, and {written} written since the newest of them,",
            counted(more, "snapshot")
        ),
    };
    let note = format!(
        "{}: diverged from {} after @{}: {what} are kept as {}.",
        old.name, scene.new.name, base.name, scene.aside
    );
    let rename = Action::Rename {
        from: old.name.clone(),
        to: scene.aside.clone(),
    };
    let regrown = regrown(me, scene, old, &scene.below.old)?;
    let moves = back(scene);
    require_room(&regrown, &moves)?;
    let mut stages = vec![Stage::source(enter)];
    stages.extend(unmounted(scene, old, &scene.below.old));
    stages.extend([Stage::Commit, Stage::source(vec![rename])]);
    stages.extend(regrown.stages);
    stages.extend(grown_up(me, scene, old, moves)?);
    Ok(Plan {
        stages,
        notes: lock.note.into_iter().chain([note]).collect(),
        ..Plan::default()
    })
}

/// In the transaction of the lock: nobody has made it the master, or begun to, while the other side was looked at.
fn still_so(me: &Identity, old: &State, enter: Vec<Action>) -> Vec<Action> {
    let roles = [Key::Master, Key::Epoch, Key::Intent].map(|key| expect(me, old, key));
    roles.into_iter().chain(enter).collect()
}

/// N.B. the rename would fail behind the point of no return if a name became too long by it.
fn require_names<'a>(
    scene: &Scene<'_>,
    top: &DatasetName,
    tree: impl Iterator<Item = &'a State>,
) -> Result<(), Refusal> {
    for state in tree {
        let rest = state.name.as_str().strip_prefix(top.as_str()).unwrap_or_default();
        let refuse = |error| {
            let child = state.name.clone();
            Refusal::source(scene.aside, Why::BadChildName { child, error })
        };
        let moved = DatasetName::new(&format!("{}{rest}", scene.aside)).map_err(refuse)?;
        for snapshot in &state.snapshots {
            moved.snapshot(&snapshot.name).map_err(refuse)?;
        }
    }
    Ok(())
}

/// N.B. a dataset with a pairing of its own, below one that only this side has, could not come back behind the point of no return.
fn require_room(regrown: &Regrown, moves: &[(DatasetName, DatasetName)]) -> Result<(), Refusal> {
    match moves.iter().find(|(_, to)| !regrown.has_room_for(to)) {
        None => Ok(()),
        Some((_, child)) => Err(Refusal::source(child, Why::LosesItsParent)),
    }
}

/// Snapshots of what was written and is in none yet. N.B. ZFS makes none of what is not received to its end.
fn tails<'a>(scene: &Scene<'_>, tree: impl Iterator<Item = &'a State>) -> Result<Vec<Action>, Refusal> {
    let short = scene.aside.as_str().rsplit('_').next().unwrap_or("tail");
    let short = format!("diverged_{short}");
    let has_tail = |state: &&State| {
        state.written > 0 && !state.inconsistent && state.snapshots.iter().all(|snapshot| snapshot.name != short)
    };
    tree.filter(has_tail)
        .map(|state| {
            state
                .snapshot_name(&short)
                .map(Action::Snapshot)
                .map_err(|error| Refusal::source(&state.name, Why::BadSnapshotName(error)))
        })
        .collect()
}

/// A tree leaves its mountpoints, so that nobody takes what is kept aside for the replica. Each by itself: what was not mounted is not mounted by the undo.
///
/// N.B. a single dataset stays mounted where it is in use. What keeps its name below one may be mounted in it, and stays there.
fn unmounted<'a>(scene: &'a Scene<'_>, top: &'a State, below: &'a [State]) -> impl Iterator<Item = Stage> + use<'a> {
    let deepest_first = [top].into_iter().chain(below).rev();
    let holds = |state: &State| {
        let inside = |child: &DatasetName| is_below(child.as_str(), state.name.as_str());
        scene.children.iter().any(inside)
    };
    let is_left = move |state: &&State| state.kind == Kind::Filesystem && !holds(state);
    let filesystems = deepest_first.filter(move |state| !below.is_empty() && is_left(state));
    filesystems.map(|state| Stage::source(vec![Action::Unmount(state.name.clone())]))
}

/// What makes the clone a replica, when its tree is complete: a loop of the new master would bring what has not grown yet as a full stream.
fn role_at_last(me: &Identity, scene: &Scene<'_>, was: &State) -> Result<Option<Stage>, Refusal> {
    let is_replica = |state: &State| scene.renamed.is_some() && View::new(state, &me.tag).is_paired();
    if !scene.is_tree() || scene.old.is_some_and(is_replica) {
        return Ok(None);
    }
    let properties = role(me, scene, was)?.into_iter();
    let on = Object::Dataset(scene.name.clone());
    let properties = properties.map(|(name, value)| (name, Some(value))).collect();
    Ok(Some(Stage::source(vec![Action::Set { on, properties }])))
}

/// The properties of a replica.
fn role(me: &Identity, scene: &Scene<'_>, was: &State) -> Result<Vec<(String, String)>, Refusal> {
    let of_new = link_of_new(me, scene.new).map_err(|why| Refusal::target(&scene.new.name, why))?;
    let mut properties = vec![("readonly".to_owned(), "on".to_owned())];
    let given = |(name, value): (String, Option<String>)| Some((name, value?));
    properties.extend(pair(me, &of_new).into_iter().filter_map(given));
    let epoch = View::new(scene.new, &me.tag).epoch().to_string();
    properties.push((me.tag.property(Key::Epoch), epoch));
    for key in [Key::Savecount, Key::Gate, Key::Recursive] {
        let name = me.tag.property(key);
        let own = |setting: &&Setting| matches!(setting.origin, Origin::Local | Origin::Received);
        if let Some(setting) = was.user.get(&name).filter(own) {
            properties.push((name, setting.value.clone()));
        }
    }
    Ok(properties)
}

/// What is no part of the pairing goes where it was: from where, and where to. N.B. a rename does not touch their mounts.
fn back(scene: &Scene<'_>) -> Vec<(DatasetName, DatasetName)> {
    let top = scene.renamed.map_or(scene.name, |renamed| &renamed.name);
    let moved = scene.children.iter().filter_map(|child| {
        let from = scene.moved(top, child, scene.aside)?;
        let to = scene.moved(top, child, scene.name)?;
        Some((from, to))
    });
    moved.collect()
}

/// What is kept aside is no side of a pairing any more, and does not take the mountpoint from the replica at the next boot.
fn cleaned(me: &Identity, scene: &Scene<'_>) -> Stage {
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
        Key::Recursive,
    ]
    .map(|key| (me.tag.property(key), None))
    .to_vec();
    properties.extend([Key::SrcHost, Key::DestHost, Key::SrcFs, Key::DestFs].map(|key| (me.tag.property(key), None)));
    let (was, below) = match scene.renamed {
        Some(renamed) => (Some(renamed), &scene.below.renamed),
        None => (scene.old, &scene.below.old),
    };
    let tree = was.into_iter().flat_map(|was| {
        let is_filesystem = |state: &&State| state.kind == Kind::Filesystem;
        let all = [was].into_iter().chain(below).filter(is_filesystem);
        all.filter_map(|state| scene.moved(&was.name, &state.name, scene.aside))
    });
    let mut actions: Vec<Action> = tree.map(stays_unmounted).collect();
    actions.push(Action::Set {
        on: Object::Dataset(scene.aside.clone()),
        properties,
    });
    Stage::source(actions)
}

fn stays_unmounted(name: DatasetName) -> Action {
    Action::Set {
        on: Object::Dataset(name),
        properties: vec![("canmount".into(), Some("noauto".into()))],
    }
}

#[cfg(test)]
mod tests;
