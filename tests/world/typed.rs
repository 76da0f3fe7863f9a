//! A verb as it is typed on a machine, and how far its run has come.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use zrep::cli::{Cli, Verb};
use zrep::commands;
use zrep::exit::Exit;
use zrep::host::Host;
use zrep::hostname::HostName;
use zrep::model::State;
use zrep::peers;
use zrep::plan::Plan;
use zrep::run::Loop;
use zrep::session::Session;
use zrep::settings::{Machine, Settings};
use zrep::ui::Ui;

use super::call::{Answer, Asked};
use super::player::{History, Player, Script, Suspended};
use super::{Layout, digest};

/// The time is always the same: no decision depends on it.
const NOW: u64 = 1_800_000_000;

/// A mistake in the program, for the explorer to find.
#[derive(Clone, Copy)]
pub struct Mistake {
    /// What is planned instead of what should be.
    pub plan: fn(Plan) -> Plan,
    /// What is seen instead of what is there.
    pub seen: fn(State) -> State,
}

/// No mistake.
pub const FAITHFUL: Mistake = Mistake {
    plan: |plan| plan,
    seen: |state| state,
};

impl Default for Mistake {
    fn default() -> Self {
        FAITHFUL
    }
}

impl fmt::Debug for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mistake")
    }
}

/// A command line, without `zrep`. `loop DATASET` is one round of the loop.
pub type Words = &'static [&'static str];

/// A verb, and where it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Typed {
    /// The number of the machine.
    pub on: usize,
    pub line: Words,
}

/// A run of a verb.
#[derive(Debug, Clone)]
pub struct Run {
    pub typed: Typed,
    /// Its process, and behind it the one that serves it on the other machine.
    pub pid: u32,
    pub layout: Layout,
    pub mistake: Mistake,
    history: History,
    /// Of the history, so that it need not be looked through again.
    digests: [u64; 3],
}

/// What comes next.
#[derive(Debug, Clone)]
pub enum Next {
    /// It waits for these, all at the same time.
    Asks(Vec<Asked>),
    Ends(Exit),
}

impl Run {
    pub fn new(typed: Typed, layout: Layout, pid: u32) -> Self {
        Self {
            typed,
            pid,
            layout,
            mistake: FAITHFUL,
            history: History::default(),
            digests: [0; 3],
        }
    }

    /// The processes that this run has on both machines.
    pub fn pids(&self) -> [u32; 2] {
        [self.pid, self.pid + 1]
    }

    /// Gives an answer.
    pub fn hear(&mut self, asked: &Asked, answer: Answer) {
        let heard = digest(&answer);
        let row = self.history.add(asked, answer);
        self.digests[row] = digest(&(self.digests[row], heard));
    }

    /// What tells this run from others.
    pub fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.typed, self.pid, self.digests).hash(&mut hasher);
        hasher.finish()
    }

    /// Plays the run up to where it stands.
    pub fn play(&self) -> Next {
        let script = Script::new(self.history.clone());
        let played = catch_unwind(AssertUnwindSafe(|| self.commanded(&script)));
        match played {
            Ok(exit) => Next::Ends(exit),
            Err(payload) if payload.is::<Suspended>() => Next::Asks(script.asked()),
            Err(panic) => resume_unwind(panic),
        }
    }

    fn commanded(&self, script: &Arc<Script>) -> Exit {
        let session = self.session(script);
        let cli = parsed(self.typed.line);
        match (&cli.verb, self.typed.line[0]) {
            (Verb::Sync(args), "loop") => {
                let mut running = Loop::new(&session, args, Duration::from_secs(1));
                let _ = running.round();
                running.rest();
                let exit = running.round();
                exit.and(running.leave())
            }
            (verb, _) => commands::run(verb, &session),
        }
    }

    fn session(&self, script: &Arc<Script>) -> Session {
        let here = self.typed.on;
        let host = self.player(script, here, false);
        let session = Session {
            pid: self.pid,
            clock: || NOW,
            revise: self.mistake.plan,
            ..Session::new(settings(self.layout.name(here)), host, Ui::silent())
        };
        for there in (0..self.layout.machines()).filter(|there| *there != here) {
            let name = self.layout.name(there);
            let machine = peers::Machine {
                host: self.player(script, there, true),
                name: name.into(),
            };
            session.peers.know(HostName::new(name).expect("a host's name"), machine);
        }
        session
    }

    fn player(&self, script: &Arc<Script>, at: usize, is_far: bool) -> Arc<dyn Host> {
        Arc::new(Player {
            script: Arc::clone(script),
            at,
            is_far,
            is_alone: self.layout == Layout::One,
            seen: self.mistake.seen,
            serves: self.layout == Layout::Serving,
            pid: self.pids()[usize::from(is_far)],
        })
    }
}

/// Parses each command line once: that takes longer than everything else a run does.
fn parsed(line: Words) -> Arc<Cli> {
    static PARSED: Mutex<BTreeMap<Words, Arc<Cli>>> = Mutex::new(BTreeMap::new());
    let parse = || {
        let words = line.iter().map(|word| if *word == "loop" { "sync" } else { word });
        let cli = Cli::try_parse_from(["zrep"].into_iter().chain(words));
        Arc::new(cli.expect("a command line"))
    };
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(parsed.entry(line).or_insert_with(parse))
}

fn settings(name: &str) -> Settings {
    let machine = Machine {
        nodename: name.into(),
        is_root: true,
    };
    let rundir = rundir();
    let variable = |name: &str| (name == "ZREP_RUNDIR").then(|| rundir.to_string_lossy().into_owned());
    Settings::new(None, &machine, variable).expect("settings")
}

/// Each thread has its own. So the lock file never keeps two runs apart: safety must not rest on it.
fn rundir() -> PathBuf {
    let name = format!("world-{}-{:?}", std::process::id(), std::thread::current().id());
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name.replace(['(', ')'], ""));
    if !path.exists() {
        std::fs::create_dir_all(&path).expect("a directory for tests");
    }
    path
}

/// Knows of runs what comes next, without playing them twice.
#[derive(Debug, Default)]
pub struct Runner {
    known: HashMap<u64, Arc<Next>>,
    /// How many runs were played.
    pub played: u64,
}

impl Runner {
    pub fn next(&mut self, run: &Run) -> Arc<Next> {
        if let Some(next) = self.known.get(&run.key()) {
            return Arc::clone(next);
        }
        self.played += 1;
        let next = Arc::new(run.play());
        self.known.insert(run.key(), Arc::clone(&next));
        next
    }
}
