//! What must hold whatever happens. The numbers are those of the promises in `docs/failover.md`.

use std::collections::BTreeSet;

use zrep::intent::Intent;
use zrep::model::State;
use zrep::props::View;

use super::work::tag;
use super::{SIDES, World, local, records};

/// P1 and P3. To be asked after each deed.
pub fn at_every_step(world: &mut World) -> Result<(), String> {
    let sides = [0, 1].map(|side| world.side(side));
    let writable: Vec<usize> = (0..SIDES.len())
        .filter(|side| sides[*side].as_ref().is_some_and(is_writable))
        .collect();
    if let ([0, 1], [Some(one), Some(other)]) = (writable.as_slice(), &sides) {
        let epochs = [epoch(one), epoch(other)];
        if !world.forced || epochs[0] == epochs[1] {
            return Err(format!("P1: both sides can be written to (epochs {epochs:?})"));
        }
    }
    a_master_has_a_replica(world, &sides)?;
    match world.forced {
        true => nothing_comes_from_below(world, &sides),
        false => nothing_acknowledged_is_missing(world, &writable),
    }
}

/// As long as nobody forces anything, who says that it is the master has a replica that a sync can go on from.
fn a_master_has_a_replica(world: &World, sides: &[Option<State>; 2]) -> Result<(), String> {
    let [Some(source), target] = sides else { return Ok(()) };
    let is_at_target = |guid| {
        target
            .iter()
            .flat_map(|state| &state.snapshots)
            .any(|found| found.guid == guid)
    };
    let has_replica = source.snapshots.iter().any(|snapshot| is_at_target(snapshot.guid));
    if is_master(source) && !has_replica && !world.forced {
        return Err(format!("P2: {} is the master before its replica is there", source.name));
    }
    Ok(())
}

fn is_writable(state: &State) -> bool {
    !state.readonly && !state.inconsistent
}

fn epoch(state: &State) -> u64 {
    View::new(state, &tag()).epoch()
}

/// By an epoch that it has not reached itself.
fn is_fenced(state: &State) -> bool {
    View::new(state, &tag()).fenced().is_some_and(|by| by > epoch(state))
}

fn is_master(state: &State) -> bool {
    local(state, "zrep:master") == Some("yes")
}

/// Where a program can write, everything is that any program was told is on disk.
fn nothing_acknowledged_is_missing(world: &World, writable: &[usize]) -> Result<(), String> {
    for side in writable {
        let there = world.records(*side);
        if let Some(missing) = world.acknowledged.iter().find(|record| !there.contains(record)) {
            return Err(format!(
                "P3: {} can be written to without record {missing:?}",
                SIDES[*side]
            ));
        }
    }
    Ok(())
}

/// A side of a lower epoch brings nothing onto the master of a higher one.
fn nothing_comes_from_below(world: &mut World, sides: &[Option<State>; 2]) -> Result<(), String> {
    let [Some(one), Some(other)] = sides else { return Ok(()) };
    for (side, own, others) in [(0, one, other), (1, other, one)] {
        let is_above = is_master(own) && (!is_master(others) || epoch(own) > epoch(others));
        if !is_above {
            world.sealed[side] = None;
            continue;
        }
        let from_others = world.records(side).iter().filter(|(writer, _)| *writer != side).count();
        let before = *world.sealed[side].get_or_insert(from_others);
        if from_others > before {
            return Err(format!("P1: {} got data from the side that it superseded", SIDES[side]));
        }
    }
    Ok(())
}

/// P4: what zrep has not made is there as it was, under whatever name, and so is every record, on the machine where it was written.
pub fn nothing_is_destroyed(world: &World) -> Result<(), String> {
    for (machine, before, data) in &world.foreign.datasets {
        let fake = &world.machines[*machine];
        let now = fake.dump().into_iter().find(|state| state.guid == before.guid);
        let same = now.is_some_and(|now| {
            let content = fake.read(now.name.as_str());
            (&now.snapshots, &now.user, &content) == (&before.snapshots, &before.user, data)
        });
        if !same {
            return Err(format!("P4: {} is not as it was", before.name));
        }
    }
    for (machine, guid) in &world.foreign.snapshots {
        let states = world.machines[*machine].dump();
        if !states
            .iter()
            .flat_map(|state| &state.snapshots)
            .any(|found| found.guid == *guid)
        {
            return Err(format!(
                "P4: a foreign snapshot of machine {machine} is gone (guid {guid})"
            ));
        }
    }
    every_record_is_on_its_machine(world)
}

fn every_record_is_on_its_machine(world: &World) -> Result<(), String> {
    for (machine, fake) in world.machines.iter().enumerate() {
        let heads = fake
            .dump()
            .into_iter()
            .filter_map(|state| fake.read(state.name.as_str()));
        let there: BTreeSet<_> = heads.flat_map(|head| records(&head)).collect();
        let written_here = |(side, _): &&(usize, u16)| world.layout.machine(*side) == machine;
        let gone = world
            .acknowledged
            .iter()
            .filter(written_here)
            .find(|record| !there.contains(record));
        if let Some(gone) = gone {
            return Err(format!("P4: record {gone:?} is not on its machine any more"));
        }
    }
    Ok(())
}

/// P4 at the end: what is not zrep's has its own name, and what a master had for itself has one name.
pub fn everything_is_in_its_place(world: &World) -> Result<(), String> {
    for state in world.machines.iter().flat_map(|fake| fake.dump()) {
        let aside = state.name.as_str().split_once("_diverged_e");
        if aside.is_some_and(|(_, epoch)| epoch.contains('-')) {
            return Err(format!(
                "P4: {} is kept aside in the epoch in which something was already",
                state.name
            ));
        }
    }
    for (machine, before, _) in &world.foreign.datasets {
        let states = world.machines[*machine].dump();
        let in_place = |state: &State| (state.guid, &state.name) == (before.guid, &before.name);
        if !states.iter().any(in_place) {
            return Err(format!("P4: {} is not where it was", before.name));
        }
    }
    Ok(())
}

/// The side that is the master, if the pair is in order: nothing is left to be finished or undone.
pub fn steady(world: &World) -> Result<usize, String> {
    let sides: Vec<State> = (0..SIDES.len()).filter_map(|side| world.side(side)).collect();
    let [source, target] = sides.as_slice() else {
        return Err("P2: a side is not there".into());
    };
    let (master, other, number) = match (is_master(source), is_master(target)) {
        (true, false) => (source, target, 0),
        (false, true) => (target, source, 1),
        (both, _) => return Err(format!("P2: {} masters", if both { "two" } else { "no" })),
    };
    expect(!other.inconsistent, "the replica is half received")?;
    expect(!master.readonly, "the master is read-only")?;
    expect(other.readonly, "the replica can be written to")?;
    for state in [master, other] {
        names_the_pair(state, master, other)?;
        is_idle(state)?;
        is_free(world, state)?;
    }
    expect(
        epoch(master) >= epoch(other),
        "the replica's epoch is above the master's",
    )?;
    Ok(number)
}

fn expect(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("P2: {what}")) }
}

fn names_the_pair(state: &State, master: &State, other: &State) -> Result<(), String> {
    let named = |property: &str| state.user.get(property).map(|setting| setting.value.as_str());
    let ends = (named("zrep:src-fs"), named("zrep:dest-fs"));
    let right = ends == (Some(master.name.as_str()), Some(other.name.as_str()));
    expect(right, &format!("{} names {ends:?}", state.name))
}

fn is_idle(state: &State) -> Result<(), String> {
    expect(!is_fenced(state), &format!("{} is fenced", state.name))?;
    // Who has given a change up may leave a note on the side that was prepared for it. Whatever is done with that next takes it away.
    let intent = View::new(state, &tag()).intent();
    let idle = match &intent {
        None | Some(Intent::Aborted { .. }) => true,
        Some(Intent::Prepared { .. } | Intent::Failover { .. } | Intent::Gated { .. }) => false,
    };
    expect(idle, &format!("{} intends something: {intent:?}", state.name))
}

/// A lock whose process has ended keeps nobody out.
fn is_free(world: &World, state: &State) -> Result<(), String> {
    let lock = local(state, "zrep:lock-pid").and_then(|pid| pid.parse().ok());
    let free = lock.is_none_or(|pid| !world.alive.contains(&pid));
    expect(free, &format!("{} is locked", state.name))
}

/// After a sync that has succeeded both sides are the same, and nothing of it is left over.
pub fn at_rest(world: &World) -> Result<(), String> {
    let sides = [0, 1].map(|side| world.side(side));
    let [Some(one), Some(other)] = &sides else {
        return Err("P2: a side is not there".into());
    };
    let heads = [0, 1].map(|side| world.fake(side).read(SIDES[side]));
    let newest = [one, other].map(|state| state.newest().map(|newest| newest.guid));
    if heads[0] != heads[1] || newest[0] != newest[1] {
        return Err("P3: the sides differ after a sync".into());
    }
    for state in [one, other] {
        // N.B. what a cut has left on a side that has become the master by force since is dropped when that is a replica again.
        if state.partial.is_some() && !is_master(state) {
            return Err(format!("P2: {} has half a stream after a sync", state.name));
        }
        // N.B. a lock that somebody who died has left on a replica means nothing.
        if local(state, "zrep:lock-pid").is_some() && is_master(state) {
            return Err(format!("P2: {} is locked after a sync", state.name));
        }
    }
    Ok(())
}
