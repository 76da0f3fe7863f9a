//! What a break leaves behind. Each verb that moves data or changes a role runs with every kind of fault, before and after each of its deeds; then
//! somebody types the same verb again, or another one on either side, and the pair must be in order, with all promises kept on the way.
//!
//! A writer appends records all the time, wherever it is let. See `tests/world` for what is real in here and what is not.
//!
//! By default a part of the cases is played, always the same ([`sample`]). `ZREP_FAULTS=all` plays all; `ZREP_FAULTS=TEXT` all of the subjects with TEXT
//! in their names, which is how a case that failed is played again.

mod bench;
mod case;
mod sample;
mod subjects;
mod trees;
#[path = "../world/mod.rs"]
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use zrep::exit::Exit;

use bench::Bench;
use case::Tally;
use sample::Sample;
use subjects::{SUBJECTS, Subject};
use world::play::{Manner, Played, Strike, play};
use world::scene::{FAILOVER, SYNC, Scene};
use world::typed::{Runner, Typed};
use world::way::Line;
use world::work::Fault;
use world::{Batches, Layout, POOLS, SIDES, World, promises};

/// So many cases there are at least.
const CASES: usize = 5000;

#[test]
fn after_every_break_there_is_a_way_on_and_no_promise_is_broken() {
    let began = Instant::now();
    let sample = Sample::of(std::env::var("ZREP_FAULTS").ok().as_deref());
    let due: Vec<&Subject> = SUBJECTS.iter().filter(|subject| sample.has(subject)).collect();
    let tally = played_side_by_side(&due, &sample);
    world::say(&format!("{}, {:.1} s", tally.told(), began.elapsed().as_secs_f64()));
    tally.check();
    assert!(
        tally.cases >= CASES || sample.is_partial(),
        "only {} cases",
        tally.cases
    );
}

fn played_side_by_side(due: &[&Subject], sample: &Sample) -> Tally {
    let next = AtomicUsize::new(0);
    let tally = Mutex::new(Tally::default());
    let work = || {
        while let Some(subject) = due.get(next.fetch_add(1, Ordering::Relaxed)) {
            let played = Bench::new(subject, sample).run();
            tally.lock().expect("no panic").add(played);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    tally.into_inner().expect("no panic")
}

/// Plays a verb without a writer.
fn played(runner: &mut Runner, world: &mut World, (side, line): Line, strike: Option<Strike>) -> Played {
    let manner = Manner {
        strike,
        ..Manner::default()
    };
    let on = world.layout.machine(side);
    play(runner, world, Typed { on, line }, 0, manner)
}

/// How many snapshots of its own zrep has on each side.
fn own_snapshots(world: &World) -> [usize; 2] {
    [0, 1].map(|side| {
        let state = world.side(side).expect("a side");
        let snapshots = state.snapshots.iter();
        snapshots.filter(|snapshot| snapshot.name.starts_with("zrep_")).count()
    })
}

#[test]
fn a_sync_that_is_refused_leaves_no_snapshot() {
    let mut runner = Runner::default();
    let scene = Scene::Paired.set(&mut runner, Layout::Serving, Batches::Programs);
    let points = played(&mut runner, &mut scene.clone(), (0, SYNC), None).points;
    for strike in points.into_iter().filter(|strike| strike.fault == Fault::Refused) {
        let mut world = scene.clone();
        let exit = played(&mut runner, &mut world, (0, SYNC), Some(strike)).exit;
        let arrived = world.fake(0).read(SIDES[0]) == world.fake(1).read(SIDES[1]);
        if exit != Some(Exit::Success) && !arrived {
            assert_eq!(own_snapshots(&world), own_snapshots(&scene), "{strike:?}");
        }
    }
}

#[test]
fn a_failover_whose_last_sync_is_impossible_gives_the_source_back_as_it_was() {
    let mut runner = Runner::default();
    for layout in Layout::ALL {
        let mut world = Scene::Paired.set(&mut runner, layout, Batches::Programs);
        world.fake(1).limit(POOLS[1], 10);
        let exit = played(&mut runner, &mut world, (0, FAILOVER), None).exit;
        assert_eq!(exit, Some(Exit::Failure));
        assert_eq!(promises::steady(&world), Ok(0), "{layout:?}");
        assert_eq!(world.local(0, "zrep:lock-pid"), None);
        let target = world.side(1).expect("a target");
        assert_eq!(target.partial, None, "what had arrived only fills the pool");
    }
}
