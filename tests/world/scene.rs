//! Where a case begins.

use zfs_ffi::{DatasetName, SnapshotName};
use zrep::exit::Exit;
use zrep::host::Host;
use zrep::host::fake::Fake;
use zrep::model::{Kind, Native};
use zrep::plan::{Action, Object, Plan, Stage};

use super::play::{Manner, Strike, play};
use super::typed::{FAITHFUL, Mistake, Runner, Typed, Words};
use super::work::Fault;
use super::{Batches, Foreign, Layout, POOLS, SIDES, World};

/// The state of a pairing before the verb of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scene {
    /// A filesystem, and nothing else.
    Alone,
    /// Synced, and written to since. Somebody else has made a snapshot meanwhile.
    Paired,
    /// Synced, and nothing was written since.
    Level,
    /// Synced, written to since, with half a stream on the target.
    Interrupted,
    /// An old lock stands on the master, of a process that is dead.
    Abandoned,
    /// A failover was cut off when the source had stopped, and the target knew nothing of it.
    Begun,
    /// A failover was cut off right before its point of no return.
    Prepared,
    /// A failover was cut off behind its point of no return.
    HalfTurned,
    /// The target has taken over alone. Both sides were written to since.
    Forced,
    /// The target has taken over alone, and the source has nothing that the target lacks.
    Overtaken,
    /// The source has crashed, and is not mounted again: a record that was flushed stands in its intent log alone.
    Crashed,
    /// The same; then it was synced as it is, and the target has taken over alone.
    CrashedAndOvertaken,
    /// The replica has received the property that says who is master.
    ReceivedMaster,
    /// The master has a strict gate.
    Gated,
    /// The same, after the target has taken over alone.
    GatedAndForced,
}

/// The command line of `init`.
pub fn init(layout: Layout) -> Words {
    match layout {
        Layout::One => &["init", SIDES[0], "localhost", SIDES[1]],
        Layout::Plain | Layout::Serving => &["init", SIDES[0], "beta", SIDES[1]],
    }
}

pub const SYNC: Words = &["sync", SIDES[0]];
pub const SYNC_BACK: Words = &["sync", SIDES[1]];
pub const FAILOVER: Words = &["failover", SIDES[0]];
pub const TAKEOVER: Words = &["takeover", SIDES[1]];
pub const TAKEOVER_ALONE: Words = &["takeover", "-L", SIDES[1]];

impl Scene {
    /// Sets the scene. Everything that is there then and not zrep's is remembered.
    pub fn set(self, runner: &mut Runner, layout: Layout, batches: Batches) -> World {
        let mut world = alone(layout, batches);
        match self {
            Self::Alone => {}
            Self::ReceivedMaster => pair(&mut Runner::default(), &mut world, INIT_SENDS_THE_ROLE),
            _ => pair(runner, &mut world, FAITHFUL),
        }
        match self {
            Self::Alone | Self::Paired | Self::ReceivedMaster => {}
            Self::Level => typed(runner, &mut world, 0, SYNC),
            Self::Interrupted => broken(runner, &mut world, SYNC, |world| {
                world.side(1).is_some_and(|target| target.partial.is_some())
            }),
            Self::Abandoned => broken(runner, &mut world, SYNC, |world| {
                world.local(0, "zrep:lock-pid").is_some()
            }),
            Self::Begun => broken(runner, &mut world, FAILOVER, |world| {
                world.local(0, "zrep:intent").is_some() && world.local(1, "zrep:intent").is_none()
            }),
            Self::Prepared => broken(runner, &mut world, FAILOVER, |world| {
                [0, 1].map(|side| world.local(side, "zrep:intent").is_some()) == [true, true]
            }),
            Self::HalfTurned => broken(runner, &mut world, FAILOVER, |world| {
                [0, 1].map(|side| world.local(side, "zrep:master").is_some()) == [true, true]
            }),
            Self::Forced => force(runner, &mut world),
            Self::Crashed => world.fake(0).crash(SIDES[0]),
            Self::CrashedAndOvertaken => {
                world.fake(0).crash(SIDES[0]);
                typed(runner, &mut world, 0, SYNC);
                typed(runner, &mut world, 1, TAKEOVER_ALONE);
                world.write(1);
            }
            Self::Overtaken => {
                typed(runner, &mut world, 0, SYNC);
                typed(runner, &mut world, 1, TAKEOVER_ALONE);
                world.write(1);
            }
            Self::Gated => gate(&world),
            Self::GatedAndForced => {
                gate(&world);
                force(runner, &mut world);
            }
        }
        world.foreign = foreign(&world);
        world
    }
}

fn alone(layout: Layout, batches: Batches) -> World {
    let machines = match layout {
        Layout::One => vec![Fake::of(&POOLS, 1)],
        Layout::Plain | Layout::Serving => vec![Fake::of(&POOLS[..1], 1), Fake::of(&POOLS[1..], 2)],
    };
    let world = World {
        layout,
        batches,
        machines,
        alive: Default::default(),
        acknowledged: Vec::new(),
        foreign: Foreign::default(),
        forced: false,
        sealed: [None; 2],
    };
    world.fake(0).create(SIDES[0], Kind::Filesystem);
    world.fake(0).write(SIDES[0], &[1; 64]);
    for name in ["src/a b/child", "src/other"] {
        world.fake(0).create(name, Kind::Filesystem);
        world.fake(0).write(name, b"not zrep's");
        snapshot(&world, 0, &format!("{name}@zrep_000000"));
    }
    world.fake(1).create("dst/other", Kind::Filesystem);
    snapshot(&world, 1, "dst/other@daily");
    snapshot(&world, 0, &format!("{}@daily", SIDES[0]));
    snapshot(&world, 0, &format!("{}@uk_000004", SIDES[0]));
    world
}

fn snapshot(world: &World, side: usize, name: &str) {
    let name = SnapshotName::new(name).expect("a snapshot's name");
    world.fake(side).apply(&[Action::Snapshot(name)]).expect("a snapshot");
}

fn pair(runner: &mut Runner, world: &mut World, mistake: Mistake) {
    let line = init(world.layout);
    let manner = Manner {
        mistake,
        ..Manner::default()
    };
    let on = world.layout.machine(0);
    let played = play(runner, world, Typed { on, line }, 92, manner);
    assert_eq!(played.exit, Some(Exit::Success), "{}", played.trace.join("\n"));
    world.write(0);
    typed(runner, world, 0, SYNC);
    world.fake(1).create(&format!("{}/child", SIDES[1]), Kind::Filesystem);
    world.write(0);
    snapshot(world, 0, &format!("{}@hourly", SIDES[0]));
    world.write(0);
}

/// Both sides go their own ways.
fn force(runner: &mut Runner, world: &mut World) {
    typed(runner, world, 1, TAKEOVER_ALONE);
    world.write(0);
    world.write(1);
    snapshot(world, 0, &format!("{}@mine", SIDES[0]));
    world.write(0);
}

fn gate(world: &World) {
    let closed = Action::Set {
        on: Object::Dataset(name_of(0)),
        properties: vec![("zrep:gate".into(), Some("strict".into()))],
    };
    world.fake(0).apply(&[closed]).expect("a property");
}

fn typed(runner: &mut Runner, world: &mut World, side: usize, line: Words) {
    let on = world.layout.machine(side);
    let played = play(runner, world, Typed { on, line }, 90, Manner::default());
    assert_eq!(
        played.exit,
        Some(Exit::Success),
        "{line:?}\n{}",
        played.trace.join("\n")
    );
}

/// Cuts a verb off where it leaves the world as it is `wanted`.
fn broken(runner: &mut Runner, world: &mut World, line: Words, wanted: fn(&World) -> bool) {
    let on = world.layout.machine(0);
    let mut struck = |strike: Option<Strike>| {
        let mut world = world.clone();
        let manner = Manner {
            strike,
            ..Manner::default()
        };
        let played = play(runner, &mut world, Typed { on, line }, 91, manner);
        (world, played.points)
    };
    let points = struck(None).1;
    let deaths = points.into_iter().filter(|strike| strike.fault == Fault::CallerDies);
    let found = deaths.map(|strike| struck(Some(strike)).0).find(wanted);
    *world = found.expect("a point that leaves this behind");
}

fn foreign(world: &World) -> Foreign {
    let mut foreign = Foreign::default();
    for (machine, fake) in world.machines.iter().enumerate() {
        for state in fake.dump() {
            let is_side = SIDES.contains(&state.name.as_str());
            let others = state
                .snapshots
                .iter()
                .filter(|snapshot| is_side && !snapshot.name.starts_with("zrep_"));
            foreign
                .snapshots
                .extend(others.map(|snapshot| (machine, snapshot.guid)));
            let is_pool = POOLS.contains(&state.name.as_str());
            if !is_side && !is_pool {
                let data = fake.read(state.name.as_str());
                foreign.datasets.push((machine, state, data));
            }
        }
    }
    foreign
}

/// The dataset of a side.
pub fn name_of(side: usize) -> DatasetName {
    DatasetName::new(SIDES[side]).expect("a dataset's name")
}

/// `init` sends the role along, as shell zrep's streams do.
const INIT_SENDS_THE_ROLE: Mistake = Mistake {
    plan: send_role,
    ..FAITHFUL
};

fn send_role(mut plan: Plan) -> Plan {
    for stage in &mut plan.stages {
        if let Stage::Transfer(transfer) = stage
            && let Some(creation) = &mut transfer.creation
        {
            creation
                .received
                .push(("zrep:master".into(), Native::Text("yes".into())));
        }
    }
    plan
}
