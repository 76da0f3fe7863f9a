//! Every interleaving of several operators, the loop, a writer and faults, over the program itself: exhaustive for what each scenario names, to the depth
//! and the number of states that are printed. Then mistakes are planted, each of which must be found where the program as it is keeps all promises.
//!
//! `ZREP_EXPLORER=deep` lets a fault strike wherever two operators are at work, too. A broken promise is shown with each step that leads to it. A walk is
//! always the same: to walk it again, name its test.

mod mutants;
mod scenarios;
mod search;
#[path = "../world/mod.rs"]
mod world;

use std::time::Instant;

use scenarios::{
    ABORT, REFRESH, REJOIN, REJOINED, ROUND, SYNC_BY_FORCE, TAKEN_OVER, cut, on_source, on_target, planned, struck,
};
use search::{Bounds, Search};
use world::scene::{FAILOVER, SYNC, SYNC_BACK, Scene, TAKEOVER, TAKEOVER_ALONE};
use world::typed::{FAITHFUL, Mistake, Runner};
use world::{Batches, Layout};

/// Where a walk begins.
type Start = (Scene, Layout);

const PAIRED: Start = (Scene::Paired, Layout::Serving);

fn walk(name: &str, (scene, layout): Start, bounds: Bounds, mistake: Mistake) -> Search {
    let began = Instant::now();
    let world = scene.set(&mut Runner::default(), layout, Batches::Programs);
    let mut search = Search::new(bounds, mistake);
    search.walk(world);
    world::say(&format!(
        "{name}: {}, {:.1} s",
        search.told(),
        began.elapsed().as_secs_f64()
    ));
    search
}

fn holds(name: &str, start: Start, bounds: Bounds) {
    let search = walk(name, start, bounds, FAITHFUL);
    assert!(search.breaches.is_empty(), "{name}: {:?}", search.breaches);
}

/// The promises are kept without the mistake, and one is broken with it.
fn are_found(scenario: &str, start: Start, bounds: &Bounds, mistakes: &[(&str, Mistake)]) {
    holds(&format!("{scenario}, no mistake"), start, bounds.clone());
    for (name, mistake) in mistakes {
        let search = walk(name, start, bounds.clone(), *mistake);
        let found = search.breaches.first().unwrap_or_else(|| panic!("{name}: not found"));
        world::say(&format!("{name}: found after {} states: {found:?}", search.states()));
    }
}

#[test]
fn a_failover_from_both_sides_at_once() {
    let both = planned(&[on_source(&[FAILOVER]), on_target(&[TAKEOVER])]);
    holds("failover and takeover", PAIRED, both);
}

#[test]
fn a_failover_while_the_loop_runs() {
    let both = planned(&[on_source(&[ROUND]), on_source(&[FAILOVER])]);
    holds("failover and the loop", PAIRED, both);
}

#[test]
fn a_takeover_while_the_loop_runs() {
    let both = planned(&[on_source(&[ROUND]), on_target(&[TAKEOVER])]);
    holds("takeover and the loop", PAIRED, both);
}

#[test]
fn a_failover_that_is_struck_twice_and_typed_twice() {
    let twice = Bounds {
        faults: 2,
        partitions: true,
        reboots: true,
        ..struck(&[on_source(&[FAILOVER, FAILOVER])])
    };
    holds("failover, twice struck", PAIRED, twice);
}

#[test]
fn an_abort_while_the_other_side_goes_on() {
    let both = planned(&[on_source(&[ABORT]), on_target(&[TAKEOVER])]);
    holds("abort and takeover", (Scene::Prepared, Layout::Serving), both);
}

#[test]
fn a_sync_from_both_sides_at_once() {
    let both = planned(&[on_source(&[SYNC]), on_target(&[REFRESH])]);
    holds("sync and refresh", PAIRED, both);
}

#[test]
fn a_forced_takeover_while_the_loop_runs() {
    let both = cut(&[on_source(&[ROUND, ROUND]), on_target(&[TAKEOVER_ALONE])]);
    holds("forced takeover and the loop", PAIRED, both);
}

#[test]
fn a_forced_takeover_in_the_middle_of_a_failover() {
    let both = cut(&[on_source(&[FAILOVER]), on_target(&[TAKEOVER_ALONE])]);
    holds("forced takeover and failover", PAIRED, both);
}

#[test]
fn a_rejoin_while_the_new_master_syncs() {
    let both = Bounds {
        closing: REJOINED,
        ..planned(&[on_source(&[REJOIN]), on_target(&[SYNC_BACK])])
    };
    holds("rejoin and sync", (Scene::Forced, Layout::Serving), both);
}

#[test]
fn mistakes_in_a_failover_are_found() {
    let turn = struck(&[on_source(&[FAILOVER])]);
    let mistakes = [
        ("commit before the last sync", mutants::COMMIT_BEFORE_THE_LAST_SYNC),
        ("readonly after the last look", mutants::READONLY_AFTER_THE_LAST_LOOK),
        ("readonly after the snapshot", mutants::READONLY_AFTER_THE_SNAPSHOT),
        ("undo behind commit", mutants::UNDO_BEHIND_COMMIT),
    ];
    are_found("a failover", PAIRED, &turn, &mistakes);
}

#[test]
fn an_intent_log_that_is_forgotten_is_found() {
    let mistakes = [("the intent log is forgotten", mutants::INTENT_LOG_FORGOTTEN)];
    let start = (Scene::Crashed, Layout::Serving);
    are_found(
        "a failover after a crash",
        start,
        &struck(&[on_source(&[FAILOVER])]),
        &mistakes,
    );
}

#[test]
fn mistakes_in_a_forced_takeover_are_found() {
    let late = cut(&[on_source(&[ROUND]), on_target(&[TAKEOVER_ALONE])]);
    let mistakes = [
        ("epoch not raised", mutants::EPOCH_NOT_RAISED),
        (
            "no snapshot at a forced takeover",
            mutants::NO_SNAPSHOT_AT_A_FORCED_TAKEOVER,
        ),
    ];
    are_found("a forced takeover", PAIRED, &late, &mistakes);
}

#[test]
fn a_fenced_side_that_syncs_is_found() {
    let mistakes = [("a fenced side may sync", mutants::FENCED_SIDE_MAY_SYNC)];
    let by_force = cut(&[on_source(&[SYNC, SYNC_BY_FORCE])]);
    are_found("a fenced side", (Scene::Forced, Layout::Plain), &by_force, &mistakes);
}

#[test]
fn a_received_role_that_is_believed_is_found() {
    let mistakes = [("a received master is believed", mutants::RECEIVED_MASTER_BELIEVED)];
    let takeover = Bounds {
        closing: TAKEN_OVER,
        ..cut(&[on_target(&[TAKEOVER_ALONE])])
    };
    let start = (Scene::ReceivedMaster, Layout::Serving);
    are_found("a received role", start, &takeover, &mistakes);
}
