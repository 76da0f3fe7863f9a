//! What a break leaves behind of a tree of three. Its streams run side by side, so here is no script of calls as for single datasets: each call of the verb is struck in
//! turn, in the order in which they happen to come, and then somebody types a verb again.

use std::fmt;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

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
use zrep::props::{Tag, View};
use zrep::session::Session;
use zrep::settings::{Machine, Settings};
use zrep::ui::Ui;

const TOPS: [&str; 2] = ["src/a b", "dst/a copy"];
const CHILDREN: [&str; 2] = ["/one", "/one/deep"];

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// It is not possible.
    Refused,
    /// It is done, and nobody hears of it.
    Unheard,
    /// The process ends before it.
    DeadBefore,
    /// The process ends behind it.
    DeadBehind,
}

impl Blow {
    const ALL: [Self; 4] = [Self::Refused, Self::Unheard, Self::DeadBefore, Self::DeadBehind];
}

/// A machine on which one call of a process is struck. Of a process that has ended, nothing more comes.
struct Struck {
    fake: Arc<Fake>,
    at: usize,
    blow: Blow,
    calls: AtomicUsize,
    is_dead: AtomicBool,
    was_struck: AtomicBool,
    /// The fake is one machine: what happens at the same time has some order.
    turn: Mutex<()>,
}

impl fmt::Debug for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.blow, self.at)
    }
}

impl Struck {
    fn living(&self) -> Result<(), Error> {
        match self.is_dead.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorKind::Unreachable, "the process has ended")),
            false => Ok(()),
        }
    }

    /// Does something, or what the blow makes of it.
    fn under<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.living()?;
        if self.calls.fetch_add(1, Ordering::SeqCst) != self.at {
            return work();
        }
        self.was_struck.store(true, Ordering::SeqCst);
        let lost = |_| Err(Error::new(ErrorKind::Lost, "no answer"));
        match self.blow {
            Blow::Refused => Err(Error::new(ErrorKind::Busy, "struck")),
            Blow::Unheard => work().and_then(lost),
            Blow::DeadBefore => {
                self.is_dead.store(true, Ordering::SeqCst);
                self.living().and_then(|()| work())
            }
            Blow::DeadBehind => {
                let done = work();
                self.is_dead.store(true, Ordering::SeqCst);
                done.and_then(lost)
            }
        }
    }
}

impl Host for Struck {
    fn observe(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        self.living().and_then(|()| self.fake.observe(dataset))
    }

    fn observe_below(&self, dataset: &DatasetName) -> Result<Vec<State>, Error> {
        self.living().and_then(|()| self.fake.observe_below(dataset))
    }

    fn snapshots_since(&self, dataset: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error> {
        self.living().and_then(|()| self.fake.snapshots_since(dataset, txg))
    }

    fn settle(&self, pool: &str) -> Result<(), Error> {
        self.fake.settle(pool)
    }

    fn with_property(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        self.fake.with_property(property)
    }

    fn children(&self, dataset: &DatasetName) -> Result<Vec<DatasetName>, Error> {
        self.fake.children(dataset)
    }

    fn apply(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        let _turn = self.turn.lock().expect("no panic");
        let done = Mutex::new(None);
        let struck = self.under(|| {
            *done.lock().expect("no panic") = Some(self.fake.apply(batch));
            Ok(())
        });
        match (struck, done.into_inner().expect("no panic")) {
            (Ok(()), Some(applied)) => applied,
            (Err(error), _) => Err(BatchError::whole(error)),
            (Ok(()), None) => unreachable!("it was done"),
        }
    }

    fn send(&self, transfer: &Transfer, out: PipeWriter, watch: Option<&(dyn Fn(u64) + Sync)>) -> Result<(), Error> {
        self.living().and_then(|()| self.fake.send(transfer, out, watch))
    }

    /// A stream that is struck before its end leaves a part of it behind.
    fn receive(&self, transfer: &Transfer, mut input: PipeReader) -> Result<Received, Error> {
        let mut stream = Vec::new();
        let read = input.read_to_end(&mut stream);
        read.map_err(|error| Error::new(ErrorKind::Interrupted, error.to_string()))?;
        let _turn = self.turn.lock().expect("no panic");
        let receive = |stream: &[u8]| {
            let (input, mut out) = pipe().expect("a pipe");
            out.write_all(stream).expect("room in the pipe");
            drop(out);
            self.fake.receive(transfer, input)
        };
        let is_cut = self.blow == Blow::DeadBefore && self.calls.load(Ordering::SeqCst) == self.at;
        if is_cut && self.living().is_ok() {
            drop(receive(&stream[..stream.len() - 1]));
        }
        self.under(|| receive(&stream))
    }

    fn estimate(&self, transfer: &Transfer) -> Result<u64, Error> {
        self.fake.estimate(transfer)
    }

    fn lock_seen(&self, state: &State, tag: &Tag) -> Seen {
        self.fake.lock_seen(state, tag)
    }
}

fn typed(host: Arc<dyn Host>, pid: u32, line: &[&str]) -> Exit {
    let cli = Cli::try_parse_from(["zrep"].iter().chain(line)).expect("a command line");
    let rundir = std::env::temp_dir().join(format!(
        "zrep-faults-trees-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::create_dir_all(&rundir).expect("a directory");
    let machine = Machine {
        nodename: "here".into(),
        is_root: true,
    };
    let variable = |name: &str| (name == "ZREP_RUNDIR").then(|| rundir.to_string_lossy().into_owned());
    let session = Session {
        recursive: cli.recursive,
        pid,
        ..Session::new(
            Settings::new(None, &machine, variable).expect("settings"),
            host,
            Ui::silent(),
        )
    };
    commands::run(&cli.verb, &session)
}

/// A process that lives, and one that has ended.
const LIVING: fn() -> u32 = std::process::id;
const ENDED: u32 = 4_000_000;

fn state(fake: &Fake, name: &str) -> Option<State> {
    fake.observe(&DatasetName::new(name).expect("a name"))
        .expect("a fake tells")
}

fn tree() -> Fake {
    let fake = Fake::new(&["src", "dst"]);
    for child in [""].iter().chain(&CHILDREN) {
        let name = format!("{}{child}", TOPS[0]);
        fake.create(&name, Kind::Filesystem);
        fake.write(&name, &[1; 100]);
    }
    fake
}

const INIT: &[&str] = &["-R", "init", TOPS[0], "localhost", TOPS[1]];
const SYNC: &[&str] = &["sync", TOPS[0]];
const SNAPONLY: &[&str] = &["-R", "snaponly", TOPS[0]];
const SYNCONLY: &[&str] = &["-R", "synconly", TOPS[0]];
const REJOIN: &[&str] = &["rejoin", TOPS[0]];
const FAILOVER: &[&str] = &["failover", TOPS[0]];
const TAKEOVER: &[&str] = &["takeover", TOPS[1]];

fn paired() -> Fake {
    let fake = Arc::new(tree());
    assert_eq!(typed(Arc::clone(&fake) as Arc<dyn Host>, LIVING(), INIT), Exit::Success);
    for child in [""].iter().chain(&CHILDREN) {
        fake.write(&format!("{}{child}", TOPS[0]), &[2; 50]);
    }
    (*fake).clone()
}

/// Strikes each call of `line` in each way, and goes on with each of `ways`.
fn strike_everywhere(scene: &Fake, children: &[&str], line: &[&str], ways: &[&[&str]]) {
    strike_everywhere_and(scene, children, line, ways, &|_, _| {});
}

/// The same, and looks at what else must hold then.
fn strike_everywhere_and(
    scene: &Fake,
    children: &[&str],
    line: &[&str],
    ways: &[&[&str]],
    holds: &dyn Fn(&Fake, &str),
) {
    let mut cases = 0;
    for blow in Blow::ALL {
        for at in 0.. {
            let mut was_struck = false;
            for way in ways {
                let fake = Arc::new(scene.clone());
                let struck = Arc::new(Struck {
                    fake: Arc::clone(&fake),
                    at,
                    blow,
                    calls: AtomicUsize::new(0),
                    is_dead: AtomicBool::new(false),
                    was_struck: AtomicBool::new(false),
                    turn: Mutex::new(()),
                });
                let _ = typed(Arc::clone(&struck) as Arc<dyn Host>, ENDED, line);
                was_struck |= struck.was_struck.load(Ordering::SeqCst);
                let case = format!("{line:?} {blow:?} at {at}, then {way:?}");
                goes_on(&fake, way, children, &case);
                holds(&fake, &case);
                cases += 1;
            }
            if !was_struck {
                break;
            }
        }
    }
    crate::world::say(&format!("{line:?} of a tree: {cases} cases"));
    assert!(cases >= 16, "only {cases} cases");
}

/// Types the way on, at most three times, and looks whether the tree is in order then.
fn goes_on(fake: &Arc<Fake>, way: &[&str], children: &[&str], case: &str) {
    let here = || Arc::clone(fake) as Arc<dyn Host>;
    is_writable_on_one_side(fake, case);
    for _ in 0..3 {
        if typed(here(), LIVING(), way) == Exit::Success {
            break;
        }
        is_writable_on_one_side(fake, case);
    }
    let master = (0..2)
        .find(|side| is_master(fake, TOPS[*side]))
        .unwrap_or_else(|| panic!("{case}: no master"));
    assert!(!is_master(fake, TOPS[1 - master]), "{case}: two masters");
    assert_eq!(
        typed(here(), LIVING(), &["sync", TOPS[master]]),
        Exit::Success,
        "{case}: the sync behind it"
    );
    for child in [""].iter().chain(children) {
        let names = TOPS.map(|top| format!("{top}{child}"));
        let [own, other] = [master, 1 - master]
            .map(|side| state(fake, &names[side]).unwrap_or_else(|| panic!("{case}: {} is not there", names[side])));
        assert_eq!((own.readonly, other.readonly), (false, true), "{case}: {child:?}");
        assert_eq!(fake.read(&names[0]), fake.read(&names[1]), "{case}: {child:?} differs");
        assert_eq!(
            own.newest().map(|newest| newest.guid),
            other.newest().map(|newest| newest.guid),
            "{case}: {child:?}"
        );
        assert!(
            fake.read(&names[0]).is_some_and(|data| data.starts_with(&[1; 100])),
            "{case}: data is gone"
        );
        assert_eq!((own.partial, other.partial), (None, None), "{case}: {child:?}");
    }
}

fn is_master(fake: &Fake, name: &str) -> bool {
    let tag = Tag::new(Tag::DEFAULT).expect("a tag");
    state(fake, name).is_some_and(|state| View::new(&state, &tag).is_master())
}

fn is_writable_on_one_side(fake: &Fake, case: &str) {
    let is_writable = |top: &str| {
        let all = [""]
            .iter()
            .chain(&CHILDREN)
            .filter_map(|child| state(fake, &format!("{top}{child}")));
        all.into_iter().any(|state| !state.readonly && !state.inconsistent)
    };
    assert!(
        !(is_writable(TOPS[0]) && is_writable(TOPS[1])),
        "{case}: both sides can be written to"
    );
}

#[test]
fn an_init_of_a_tree_is_completed_wherever_it_was_cut_off() {
    strike_everywhere(&tree(), &CHILDREN, INIT, &[INIT]);
}

#[test]
fn a_sync_of_a_tree_goes_on_wherever_it_was_cut_off() {
    strike_everywhere(&paired(), &CHILDREN, SYNC, &[SYNC, &["refresh", TOPS[1]]]);
}

/// Both sides were written to, the top and what is below it; one child was made on the old master alone, which is fenced by now.
fn forced() -> Fake {
    let fake = Arc::new(paired());
    let here = || Arc::clone(&fake) as Arc<dyn Host>;
    assert_eq!(typed(here(), LIVING(), SYNC), Exit::Success);
    assert_eq!(typed(here(), LIVING(), &["takeover", "-L", TOPS[1]]), Exit::Success);
    for (side, data) in [(0, [3; 30]), (1, [4; 30])] {
        for child in ["", "/one/deep"] {
            fake.write(&format!("{}{child}", TOPS[side]), &data);
        }
    }
    fake.create("src/a b/late", Kind::Filesystem);
    fake.write("src/a b/late", &[5; 10]);
    assert_eq!(typed(here(), LIVING(), SYNC), Exit::Failure);
    (*fake).clone()
}

#[test]
fn a_rejoin_of_a_tree_goes_on_wherever_it_was_cut_off_and_keeps_what_diverged() {
    strike_everywhere_and(&forced(), &CHILDREN, REJOIN, &[REJOIN], &|fake, case| {
        let aside = "src/a b_diverged_e1";
        for (rest, tail) in [("", &[3; 30][..]), ("/one/deep", &[3; 30]), ("/late", &[5; 10])] {
            let kept = fake.read(&format!("{aside}{rest}"));
            assert!(
                kept.is_some_and(|data| data.ends_with(tail)),
                "{case}: the tail of {rest:?} is gone"
            );
        }
        assert!(state(fake, "src/a b/late").is_none(), "{case}");
        let second = state(fake, "src/a b_diverged_e1-2");
        assert!(second.is_none(), "{case}: noise is kept as data");
    });
}

/// A snapshot of the whole tree waits to be sent.
#[test]
fn both_halves_of_a_sync_of_a_tree_go_on_wherever_they_were_cut_off() {
    let waiting = Arc::new(paired());
    strike_everywhere(&waiting, &CHILDREN, SNAPONLY, &[SNAPONLY, SYNC]);
    assert_eq!(
        typed(Arc::clone(&waiting) as Arc<dyn Host>, LIVING(), SNAPONLY),
        Exit::Success
    );
    strike_everywhere(&waiting, &CHILDREN, SYNCONLY, &[SYNCONLY, SYNC]);
}

/// `one` was renamed with what is below it, and there is a new one in its place.
fn changed() -> Fake {
    let fake = paired();
    let name = |text: &str| DatasetName::new(text).expect("a name");
    let rename = Action::Rename {
        from: name("src/a b/one"),
        to: name("src/a b/two"),
    };
    fake.apply(&[rename]).expect("a rename");
    fake.create("src/a b/one", Kind::Filesystem);
    fake.write("src/a b/one", &[1; 200]);
    fake
}

#[test]
fn a_sync_of_a_tree_that_has_changed_goes_on_wherever_it_was_cut_off() {
    let children = ["/two", "/two/deep", "/one"];
    strike_everywhere(&changed(), &children, SYNC, &[SYNC, &["refresh", TOPS[1]]]);
    strike_everywhere(&changed(), &children, FAILOVER, &[FAILOVER, TAKEOVER]);
}

#[test]
fn a_failover_of_a_tree_is_completed_or_undone_wherever_it_was_cut_off() {
    strike_everywhere(&paired(), &CHILDREN, FAILOVER, &[FAILOVER, TAKEOVER, SYNC]);
    strike_everywhere(&paired(), &CHILDREN, TAKEOVER, &[FAILOVER, TAKEOVER, SYNC]);
}
