//! Every verb that moves data or changes a role, where it begins, and what people may type after it broke.

use crate::world::scene::{FAILOVER, SYNC, SYNC_BACK, Scene, TAKEOVER, TAKEOVER_ALONE, init};
use crate::world::typed::Words;
use crate::world::way::{Line, Way};
use crate::world::{Layout, SIDES};

const REFRESH: Words = &["refresh", SIDES[1]];
const SNAPONLY: Words = &["snaponly", SIDES[0]];
const SYNCONLY: Words = &["synconly", SIDES[0]];
const ROLLBACK: Words = &["sync", "src/a b@zrep_000000"];
const STEP_DOWN: Words = &["failover", "-L", SIDES[0]];
const SYNC_FORCED: Words = &["sync", "-f", SIDES[0]];
const ROLLBACK_FORCED: Words = &["sync", "-f", "src/a b@zrep_000000"];
const ROUND: Words = &["loop", SIDES[0]];
const ABORT: Words = &["failover", "--abort", SIDES[0]];
const ABORT_ALONE: Words = &["failover", "--abort", "--force", SIDES[0]];
const REJOIN: Words = &["rejoin", SIDES[0]];
const REJOIN_TARGET: Words = &["rejoin", SIDES[1]];
const GATE: Words = &["gate", SIDES[0]];
const INIT_HERE: Words = &["init", SIDES[0], "localhost", SIDES[1]];
const INIT_THERE: Words = &["init", SIDES[0], "beta", SIDES[1]];

/// A verb in a scene, and the ways on after it broke.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) scene: Scene,
    pub(crate) line: fn(Layout) -> Line,
    /// Whether the other machine is out of reach while the verb runs.
    pub(crate) alone: bool,
    /// Whether no program writes while the verb runs.
    pub(crate) idle: bool,
    pub(crate) ways: fn(Layout) -> Vec<Way>,
}

/// The source is the master afterwards, as it was before.
const fn stays(lines: &'static [Line]) -> Way {
    Way { lines, master: Some(0) }
}

/// The target is the master afterwards.
const fn turns(lines: &'static [Line]) -> Way {
    Way { lines, master: Some(1) }
}

/// Whether the turn is finished or undone depends on how far it had come.
const fn settles(lines: &'static [Line]) -> Way {
    Way { lines, master: None }
}

fn any_verb(_: Layout) -> Vec<Way> {
    vec![
        turns(&[(0, FAILOVER)]),
        turns(&[(1, TAKEOVER)]),
        settles(&[(0, SYNC)]),
        settles(&[(1, REFRESH)]),
        settles(&[(0, ROUND)]),
        settles(&[(0, ABORT), (0, FAILOVER)]),
    ]
}

fn moves(_: Layout) -> Vec<Way> {
    vec![stays(&[(0, SYNC)]), stays(&[(1, REFRESH)]), stays(&[(0, ROUND)])]
}

/// What a target holds whose newest snapshot is gone looks like what somebody has written to it.
fn rolls(_: Layout) -> Vec<Way> {
    vec![stays(&[(0, SYNC_FORCED)]), stays(&[(0, ROLLBACK_FORCED)])]
}

fn init_again(layout: Layout) -> Vec<Way> {
    match layout {
        Layout::One => vec![stays(&[(0, INIT_HERE)])],
        Layout::Plain | Layout::Serving => vec![stays(&[(0, INIT_THERE)])],
    }
}

fn alone_then_rejoined(_: Layout) -> Vec<Way> {
    vec![
        turns(&[(1, TAKEOVER_ALONE), (0, REJOIN)]),
        turns(&[(0, SYNC), (1, TAKEOVER_ALONE), (0, REJOIN)]),
        settles(&[(0, FAILOVER), (0, REJOIN), (1, TAKEOVER_ALONE)]),
    ]
}

fn stepped_down(_: Layout) -> Vec<Way> {
    vec![
        turns(&[(0, STEP_DOWN), (1, TAKEOVER_ALONE), (0, REJOIN)]),
        settles(&[(0, SYNC), (1, TAKEOVER_ALONE), (0, REJOIN), (0, STEP_DOWN)]),
    ]
}

fn rejoined(_: Layout) -> Vec<Way> {
    vec![turns(&[(0, REJOIN)]), turns(&[(1, SYNC_BACK), (0, REJOIN)])]
}

fn target_rejoined(_: Layout) -> Vec<Way> {
    vec![
        settles(&[(0, SYNC), (1, REJOIN_TARGET), (0, SYNC)]),
        settles(&[(0, ABORT_ALONE), (1, REJOIN_TARGET), (0, SYNC)]),
    ]
}

const fn plain(name: &'static str, scene: Scene, line: fn(Layout) -> Line, ways: fn(Layout) -> Vec<Way>) -> Subject {
    Subject {
        name,
        scene,
        line,
        alone: false,
        idle: false,
        ways,
    }
}

const fn alone(name: &'static str, scene: Scene, line: fn(Layout) -> Line, ways: fn(Layout) -> Vec<Way>) -> Subject {
    Subject {
        alone: true,
        ..plain(name, scene, line, ways)
    }
}

const fn idle(name: &'static str, scene: Scene, line: fn(Layout) -> Line, ways: fn(Layout) -> Vec<Way>) -> Subject {
    Subject {
        idle: true,
        ..plain(name, scene, line, ways)
    }
}

#[rustfmt::skip]
pub(crate) const SUBJECTS: &[Subject] = &[
    plain("init", Scene::Alone, |layout| (0, init(layout)), init_again),
    plain("sync", Scene::Paired, |_| (0, SYNC), moves),
    plain("sync of an interrupted stream", Scene::Interrupted, |_| (0, SYNC), moves),
    plain("snaponly", Scene::Paired, |_| (0, SNAPONLY), moves),
    plain("synconly of an interrupted stream", Scene::Interrupted, |_| (0, SYNCONLY), moves),
    plain("sync to a snapshot", Scene::Paired, |_| (0, ROLLBACK), rolls),
    plain("a round of the loop", Scene::Paired, |_| (0, ROUND), moves),
    plain("refresh", Scene::Abandoned, |_| (1, REFRESH), moves),
    plain("gate", Scene::Gated, |_| (0, GATE), moves),
    plain("failover", Scene::Paired, |_| (0, FAILOVER), any_verb),
    plain("failover of a crashed master", Scene::Crashed, |_| (0, FAILOVER), any_verb),
    plain("takeover of a crashed master", Scene::Crashed, |_| (1, TAKEOVER), any_verb),
    plain("failover of an interrupted stream", Scene::Interrupted, |_| (0, FAILOVER), any_verb),
    plain("failover that had begun", Scene::Begun, |_| (0, FAILOVER), any_verb),
    plain("failover that was cut off", Scene::HalfTurned, |_| (0, FAILOVER), any_verb),
    plain("takeover", Scene::Paired, |_| (1, TAKEOVER), any_verb),
    plain("takeover that was prepared", Scene::Prepared, |_| (1, TAKEOVER), any_verb),
    plain("takeover that was cut off", Scene::HalfTurned, |_| (1, TAKEOVER), any_verb),
    plain("sync of what was prepared", Scene::Prepared, |_| (0, SYNC), any_verb),
    plain("refresh of what had begun", Scene::Begun, |_| (1, REFRESH), any_verb),
    plain("abort", Scene::Prepared, |_| (0, ABORT), any_verb),
    alone("abort alone", Scene::Prepared, |_| (0, ABORT_ALONE), any_verb),
    alone("abort alone of what was committed", Scene::HalfTurned, |_| (0, ABORT_ALONE), target_rejoined),
    idle("failover alone", Scene::Level, |_| (0, STEP_DOWN), stepped_down),
    plain("takeover alone", Scene::Paired, |_| (1, TAKEOVER_ALONE), alone_then_rejoined),
    plain("takeover alone of what was prepared", Scene::Prepared, |_| (1, TAKEOVER_ALONE), alone_then_rejoined),
    plain("rejoin", Scene::Forced, |_| (0, REJOIN), rejoined),
    plain("rejoin of a crashed master", Scene::CrashedAndOvertaken, |_| (0, REJOIN), rejoined),
    plain("rejoin without a tail", Scene::Overtaken, |_| (0, REJOIN), rejoined),
];
