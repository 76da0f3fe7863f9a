//! What a break leaves behind. Each verb runs over the fake with a fault at each of its calls, one after the other; then the same
//! verb is typed again, without a fault, and must come to its end.
//!
//! Three faults: the call fails and has done nothing; the call has done its work and its answer is lost; the machine is gone from
//! this call on, so that nothing can be undone either.

use std::io::{PipeReader, PipeWriter};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use zfs_ffi::DatasetName;
use zrep::cli::Cli;
use zrep::commands;
use zrep::exit::Exit;
use zrep::host::fake::Fake;
use zrep::host::{Applied, BatchError, Error, ErrorKind, Host, Received};
use zrep::model::{Kind, Snapshot, State};
use zrep::plan::lock::Seen;
use zrep::plan::{Action, Transfer};
use zrep::props::Tag;
use zrep::session::Session;
use zrep::settings::{Machine, Settings};
use zrep::ui::Ui;

/// What happens at the call that is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Refused,
    AnswerLost,
    Gone,
}

const FAULTS: [Fault; 3] = [Fault::Refused, Fault::AnswerLost, Fault::Gone];

/// A host that breaks at one of its calls.
#[derive(Debug)]
struct Faulty {
    fake: Arc<Fake>,
    calls: AtomicUsize,
    strike: usize,
    fault: Fault,
}

impl Faulty {
    fn new(fake: &Arc<Fake>, strike: usize, fault: Fault) -> Self {
        Self {
            fake: Arc::clone(fake),
            calls: AtomicUsize::new(0),
            strike,
            fault,
        }
    }

    fn never(fake: &Arc<Fake>) -> Self {
        Self::new(fake, usize::MAX, Fault::Refused)
    }

    fn call<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let broken = || {
            Err(Error::new(
                ErrorKind::Other,
                format!("fault {:?} at call {number}", self.fault),
            ))
        };
        match self.fault {
            Fault::Refused if number == self.strike => broken(),
            Fault::Gone if number >= self.strike => broken(),
            Fault::AnswerLost if number == self.strike => work().and_then(|_| broken()),
            Fault::Refused | Fault::Gone | Fault::AnswerLost => work(),
        }
    }
}

impl Host for Faulty {
    fn observe(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        self.call(|| self.fake.observe(dataset))
    }

    fn snapshots_since(&self, dataset: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error> {
        self.call(|| self.fake.snapshots_since(dataset, txg))
    }

    fn settle(&self, pool: &str) -> Result<(), Error> {
        self.call(|| self.fake.settle(pool))
    }

    fn with_property(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        self.call(|| self.fake.with_property(property))
    }

    fn apply(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        let mut of_fake = None;
        let result = self.call(|| {
            self.fake.apply(batch).map_err(|failed| {
                of_fake = Some(failed.clone());
                failed.error
            })
        });
        let lost = self.fault == Fault::AnswerLost;
        result.map_err(|error| {
            of_fake.unwrap_or(BatchError {
                index: 0,
                begun: lost,
                error,
            })
        })
    }

    fn send(&self, transfer: &Transfer, out: PipeWriter, watch: Option<&(dyn Fn(u64) + Sync)>) -> Result<(), Error> {
        self.call(|| self.fake.send(transfer, out, watch))
    }

    fn receive(&self, transfer: &Transfer, input: PipeReader) -> Result<Received, Error> {
        self.call(|| self.fake.receive(transfer, input))
    }

    fn estimate(&self, transfer: &Transfer) -> Result<u64, Error> {
        self.call(|| self.fake.estimate(transfer))
    }

    fn lock_seen(&self, state: &State, tag: &Tag) -> Seen {
        self.fake.lock_seen(state, tag)
    }
}

/// Types a command on a machine.
fn zrep(host: Faulty, line: &[&str]) -> Exit {
    let words = ["zrep"].iter().chain(line);
    let cli = Cli::try_parse_from(words).unwrap();
    let machine = Machine {
        nodename: "here".into(),
        is_root: true,
    };
    let rundir = rundir();
    let variable = |name: &str| (name == "ZREP_RUNDIR").then(|| rundir.to_string_lossy().into_owned());
    let settings = Settings::new(None, &machine, variable).unwrap();
    commands::run(&cli.verb, &Session::new(settings, Arc::new(host), Ui::new(false)))
}

fn rundir() -> PathBuf {
    let name = format!("zrep-faults-{}-{:?}", std::process::id(), std::thread::current().id());
    let path = std::env::temp_dir().join(name.replace(['(', ')'], ""));
    std::fs::create_dir_all(&path).unwrap();
    path
}

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

fn machine() -> Arc<Fake> {
    let fake = Arc::new(Fake::new(&["src", "dst"]));
    fake.create(SOURCE, Kind::Filesystem);
    fake.write(SOURCE, &[1; 20_000]);
    fake
}

/// A pairing that has been synced, and a source that was written to since.
fn paired() -> Arc<Fake> {
    let fake = machine();
    assert_eq!(
        zrep(Faulty::never(&fake), &["init", SOURCE, "localhost", TARGET]),
        Exit::Success
    );
    fake.write(SOURCE, &[2; 20_000]);
    assert_eq!(zrep(Faulty::never(&fake), &["sync", SOURCE]), Exit::Success);
    fake.write(SOURCE, &[3; 20_000]);
    fake
}

/// How many calls the verb makes when nothing breaks.
fn calls_of(scene: fn() -> Arc<Fake>, verb: &[&str]) -> usize {
    let fake = scene();
    let host = Faulty::never(&fake);
    let calls = Arc::new(host);
    let counted = Faulty {
        fake: Arc::clone(&calls.fake),
        calls: AtomicUsize::new(0),
        strike: usize::MAX,
        fault: Fault::Refused,
    };
    let shared = Arc::new(counted);
    let session_host: Arc<dyn Host> = Arc::clone(&shared) as Arc<dyn Host>;
    let cli = Cli::try_parse_from(["zrep"].iter().chain(verb)).unwrap();
    let machine = Machine {
        nodename: "here".into(),
        is_root: true,
    };
    let rundir = rundir();
    let settings = Settings::new(None, &machine, |name| {
        (name == "ZREP_RUNDIR").then(|| rundir.to_string_lossy().into_owned())
    })
    .unwrap();
    assert_eq!(
        commands::run(&cli.verb, &Session::new(settings, session_host, Ui::new(false))),
        Exit::Success
    );
    shared.calls.load(Ordering::SeqCst)
}

/// Strikes each call of `verb` with each fault; `check` sees the machine after the break, and after the verb was typed again.
fn strike_everywhere(
    scene: fn() -> Arc<Fake>,
    verb: &[&str],
    after_break: fn(&Fake, Exit),
    again: fn(&Arc<Fake>),
) -> usize {
    let mut cases = 0;
    for fault in FAULTS {
        for strike in 0..calls_of(scene, verb) {
            eprintln!("case: {verb:?}, {fault:?} at call {strike}");
            let fake = scene();
            let exit = zrep(Faulty::new(&fake, strike, fault), verb);
            after_break(&fake, exit);
            again(&fake);
            cases += 1;
        }
    }
    assert!(cases > 10, "too few cases: {cases}");
    cases
}

fn state(fake: &Fake, name: &str) -> Option<State> {
    fake.observe(&DatasetName::new(name).unwrap()).unwrap()
}

fn local<'a>(state: &'a State, property: &str) -> Option<&'a str> {
    use zrep::model::Origin;
    state
        .user
        .get(property)
        .filter(|setting| setting.origin == Origin::Local)
        .map(|setting| setting.value.as_str())
}

fn masters(fake: &Fake) -> Vec<&'static str> {
    let is_master = |name: &&str| state(fake, name).is_some_and(|state| local(&state, "zrep:master") == Some("yes"));
    [SOURCE, TARGET].into_iter().filter(is_master).collect()
}

fn assert_equal_and_unlocked(fake: &Fake) {
    let (source, target) = (state(fake, SOURCE).unwrap(), state(fake, TARGET).unwrap());
    assert_eq!(fake.read(SOURCE), fake.read(TARGET));
    assert_eq!(source.newest().map(|s| s.guid), target.newest().map(|s| s.guid));
    assert_eq!(target.partial, None);
    for side in [&source, &target] {
        assert_eq!(local(side, "zrep:lock-pid"), None, "{}", side.name);
    }
}

#[test]
fn a_sync_that_breaks_anywhere_is_made_good_by_the_next_one() {
    let before = state(&paired(), TARGET).unwrap().snapshots.len();
    assert_eq!(before, 2);
    let after_break = |fake: &Fake, _: Exit| {
        let target = state(fake, TARGET).unwrap();
        assert!(target.readonly, "the replica stays read-only");
        assert_eq!(masters(fake), [SOURCE]);
    };
    let again = |fake: &Arc<Fake>| {
        assert_eq!(zrep(Faulty::never(fake), &["sync", SOURCE]), Exit::Success);
        assert_equal_and_unlocked(fake);
    };
    eprintln!(
        "{} cases",
        strike_everywhere(paired, &["sync", SOURCE], after_break, again)
    );
}

#[test]
fn a_sync_that_is_refused_by_the_pool_leaves_no_snapshot() {
    for strike in 0..calls_of(paired, &["sync", SOURCE]) {
        let fake = paired();
        let before: Vec<usize> = fake.dump().iter().map(|state| state.snapshots.len()).collect();
        let exit = zrep(Faulty::new(&fake, strike, Fault::Refused), &["sync", SOURCE]);
        let arrived = fake.read(SOURCE) == fake.read(TARGET);
        if exit == Exit::Success || arrived {
            continue;
        }
        let after: Vec<usize> = fake.dump().iter().map(|state| state.snapshots.len()).collect();
        assert_eq!(before, after, "call {strike}");
    }
}

#[test]
fn an_init_that_breaks_anywhere_can_be_typed_again() {
    let after_break = |fake: &Fake, exit: Exit| {
        if exit != Exit::Success {
            assert!(
                masters(fake).is_empty() || fake.read(SOURCE) == fake.read(TARGET),
                "a master before the data is there"
            );
        }
    };
    let again = |fake: &Arc<Fake>| {
        if masters(fake).is_empty() {
            assert_eq!(
                zrep(Faulty::never(fake), &["init", SOURCE, "localhost", TARGET]),
                Exit::Success
            );
        }
        fake.write(SOURCE, &[4; 5_000]);
        assert_eq!(zrep(Faulty::never(fake), &["sync", SOURCE]), Exit::Success);
        assert_equal_and_unlocked(fake);
        assert_eq!(masters(fake), [SOURCE]);
        assert!(state(fake, TARGET).unwrap().readonly);
    };
    eprintln!(
        "{} cases",
        strike_everywhere(machine, &["init", SOURCE, "localhost", TARGET], after_break, again)
    );
}

/// One writer, whatever breaks: never are both sides writable, and what the source held is on the side that is.
fn one_writer_at_most(fake: &Fake) {
    let (source, target) = (state(fake, SOURCE).unwrap(), state(fake, TARGET).unwrap());
    assert!(source.readonly || target.readonly, "both sides are writable");
    if !target.readonly {
        assert_eq!(
            fake.read(SOURCE),
            fake.read(TARGET),
            "writable without the source's last data"
        );
        assert!(masters(fake).contains(&TARGET), "writable without being master");
    }
}

fn turn_from_wherever_it_stands(fake: &Arc<Fake>) {
    if masters(fake) != [TARGET] {
        let from_source = zrep(Faulty::never(fake), &["failover", SOURCE]);
        assert_eq!(from_source, Exit::Success, "typed again on the source's side");
    }
    assert_eq!(masters(fake), [TARGET]);
    one_writer_at_most(fake);
    let target = state(fake, TARGET).unwrap();
    assert!(!target.readonly, "the new master can be written to");
    fake.write(TARGET, &[5; 5_000]);
    assert_eq!(zrep(Faulty::never(fake), &["sync", TARGET]), Exit::Success);
    assert_eq!(fake.read(SOURCE), fake.read(TARGET));
}

#[test]
fn a_failover_that_breaks_anywhere_has_one_writer_at_most_and_can_be_typed_again() {
    let after_break = |fake: &Fake, _: Exit| one_writer_at_most(fake);
    eprintln!(
        "{} cases",
        strike_everywhere(paired, &["failover", SOURCE], after_break, turn_from_wherever_it_stands)
    );
}

#[test]
fn a_takeover_that_breaks_anywhere_has_one_writer_at_most_and_can_be_typed_again() {
    let after_break = |fake: &Fake, _: Exit| one_writer_at_most(fake);
    let again = |fake: &Arc<Fake>| {
        if masters(fake) != [TARGET] && masters(fake) != [SOURCE, TARGET] {
            assert_eq!(zrep(Faulty::never(fake), &["takeover", TARGET]), Exit::Success);
        }
        turn_from_wherever_it_stands(fake);
    };
    eprintln!(
        "{} cases",
        strike_everywhere(paired, &["takeover", TARGET], after_break, again)
    );
}

#[test]
fn a_failover_whose_last_sync_is_impossible_gives_the_source_back_as_it_was() {
    let fake = paired();
    fake.limit("dst", 1000);
    assert_eq!(zrep(Faulty::never(&fake), &["failover", SOURCE]), Exit::Failure);
    let source = state(&fake, SOURCE).unwrap();
    assert!(!source.readonly);
    assert_eq!((masters(&fake), local(&source, "zrep:lock-pid")), (vec![SOURCE], None));
    assert_eq!(
        state(&fake, TARGET).unwrap().partial,
        None,
        "what had arrived only fills the pool"
    );
}
