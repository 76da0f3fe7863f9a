//! Datasets that come from one another: renames, clones, and who owns the snapshots.

use std::collections::BTreeMap;

use super::{CLAIMED, Dataset, World, missing, new_state};
use crate::host::{Applied, Error, ErrorKind};
use crate::model::{Guid, Native, Origin, Setting, State};
use crate::plan::Action;
use zfs_ffi::DatasetName;

/// Whether it is possible, given that the actions before it in the batch will have been done.
pub(super) fn check(world: &World, batch: &[Action], index: usize, action: &Action) -> Result<(), Error> {
    let before = &batch[..index];
    let is_there = |name: &DatasetName| {
        let renamed_away = |action: &Action| matches!(action, Action::Rename { from, .. } if from == name);
        let made = |action: &Action| matches!(action, Action::Rename { to, .. } | Action::Clone { name: to, .. } if to == name);
        let now = world.datasets.contains_key(name.as_str());
        before
            .iter()
            .fold(now, |there, action| (there || made(action)) && !renamed_away(action))
    };
    // N.B. the fake's pools are no datasets.
    let has_parent = |name: &DatasetName| {
        name.parent()
            .is_none_or(|parent| parent.parent().is_none() || is_there(&parent))
    };
    let orphan = |name: &DatasetName| Err(missing(name.parent().unwrap_or_else(|| name.clone()).as_str()));
    let exists = |name: &DatasetName| Error::new(ErrorKind::Exists, format!("{name}: exists"));
    match action {
        Action::Rename { from, to } => match (is_there(from), is_there(to)) {
            (true, false) if !has_parent(to) => orphan(to),
            (true, false) => Ok(()),
            (false, _) => Err(missing(from.as_str())),
            (true, true) => Err(exists(to)),
        },
        Action::Clone { snapshot, name, .. } => {
            let has = world.snapshot(snapshot).is_some() || !before.is_empty();
            match (has && is_there(&snapshot.dataset()), is_there(name)) {
                (true, false) if !has_parent(name) => orphan(name),
                (true, false) => Ok(()),
                (false, _) => Err(missing(snapshot.as_str())),
                (true, true) => Err(exists(name)),
            }
        }
        Action::Promote(name) if is_there(name) => {
            let made = before
                .iter()
                .any(|action| matches!(action, Action::Clone { name: made, .. } if made == name));
            let is_clone = world
                .datasets
                .get(name.as_str())
                .is_some_and(|found| found.origin.is_some());
            if made || is_clone {
                Ok(())
            } else {
                Err(Error::new(ErrorKind::Other, format!("promote {name}: not a clone")))
            }
        }
        other => Err(missing(other.object())),
    }
}

/// Does it.
pub(super) fn carry_out(world: &mut World, action: &Action) -> Applied {
    match action {
        Action::Rename { from, to } => rename(world, from, to),
        Action::Clone {
            snapshot,
            name,
            properties,
        } => {
            let guid = world.guid();
            let txg = world.txg;
            if let Some(origin) = world.datasets.get(snapshot.dataset().as_str()) {
                let found = origin
                    .state
                    .snapshots
                    .iter()
                    .find(|found| found.name == snapshot.short());
                let head = found
                    .and_then(|found| origin.data.get(&found.guid))
                    .cloned()
                    .unwrap_or_default();
                let mut state = new_state(name.clone(), guid, origin.state.kind);
                properties.iter().for_each(|(name, value)| set(&mut state, name, value));
                state.referenced = head.len() as u64;
                // N.B. where the intent log was in use at the snapshot, a clone counts as written to: see `commands/rejoin.rs`.
                state.written = CLAIMED;
                let clone = Dataset {
                    state,
                    head,
                    data: BTreeMap::new(),
                    log: Vec::new(),
                    partial: Vec::new(),
                    origin: found.map(|found| (snapshot.dataset().to_string(), found.guid)),
                };
                world.datasets.insert(name.to_string(), clone);
                world.txg = txg + 1;
            }
        }
        Action::Promote(name) => promote(world, name),
        _ => {}
    }
    Applied::Done
}

/// A property that a clone or a new target begins with.
pub(super) fn set(state: &mut State, name: &str, value: &Native) {
    let text = match value {
        Native::Text(text) => text.clone(),
        Native::Number(number) => number.to_string(),
    };
    if name == "readonly" {
        (state.readonly, state.readonly_origin) = (text == "1" || text == "on", Origin::Local);
    } else if name.contains(':') {
        let origin = Origin::Local;
        _ = state.user.insert(name.to_owned(), Setting { value: text, origin });
    } else {
        _ = state.copied.insert(name.to_owned(), value.clone());
    }
}

fn rename(world: &mut World, from: &DatasetName, to: &DatasetName) {
    let below = format!("{from}/");
    let names: Vec<String> = world
        .datasets
        .keys()
        .filter(|name| *name == from.as_str() || name.starts_with(&below))
        .cloned()
        .collect();
    for old in names {
        let new = format!("{to}{}", &old[from.as_str().len()..]);
        let (Some(mut dataset), Ok(name)) = (world.datasets.remove(&old), DatasetName::new(&new)) else {
            continue;
        };
        dataset.state.name = name;
        world.datasets.insert(new.clone(), dataset);
        for other in world.datasets.values_mut() {
            if let Some((origin, _)) = &mut other.origin
                && *origin == old
            {
                origin.clone_from(&new);
            }
        }
    }
}

/// The snapshots up to the one that the clone was made of change their owner.
fn promote(world: &mut World, name: &DatasetName) {
    let Some((parent, of)) = world
        .datasets
        .get_mut(name.as_str())
        .and_then(|clone| clone.origin.take())
    else {
        return;
    };
    let Some(origin) = world.datasets.get_mut(&parent) else {
        return;
    };
    let count = origin
        .state
        .snapshots
        .iter()
        .position(|snapshot| snapshot.guid == of)
        .map_or(0, |index| index + 1);
    let moved: Vec<_> = origin.state.snapshots.drain(..count).collect();
    let data: Vec<(Guid, Vec<u8>)> = moved
        .iter()
        .filter_map(|snapshot| Some((snapshot.guid, origin.data.remove(&snapshot.guid)?)))
        .collect();
    origin.origin = Some((name.to_string(), of));
    if let Some(clone) = world.datasets.get_mut(name.as_str()) {
        clone.state.snapshots.splice(0..0, moved);
        clone.data.extend(data);
    }
}
