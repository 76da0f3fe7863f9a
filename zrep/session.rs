//! One run of zrep: the settings, the host, and what all verbs do with them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock;
use crate::execute::{Done, Ends, Watch};
use crate::host::{Error, ErrorKind, Host, Received};
use crate::hostname::HostName;
use crate::intent::Intent;
use crate::lock::{self, FileLock};
use crate::model::{Below, Origin, Setting, Side, State};
use crate::peers::{Machine, Options, Peers};
use crate::plan::base::newest_common;
use crate::plan::lock::{Holder, Locking};
use crate::plan::pairing::{Identity, Place};
use crate::plan::standing::{self, Standing, Way};
use crate::plan::{Plan, Transfer, pairing, tree};
use crate::problem::Problem;
use crate::props::{Key, View};
use crate::refusal::{Refusal, Why, quoted};
use crate::settings::Settings;
use crate::ui::Ui;
use zfs_ffi::DatasetName;

/// What a verb works with.
#[derive(Debug)]
pub struct Session {
    /// The settings.
    pub settings: Settings,
    /// This machine's ZFS.
    pub host: Arc<dyn Host>,
    /// Other machines.
    pub peers: Peers,
    /// Where the words go.
    pub ui: Ui,
    /// The number of this process.
    pub pid: u32,
    /// Whether the command line asks for recursion (`-R`).
    pub recursive: bool,
    /// What time it is, in seconds since 1970.
    pub clock: fn() -> u64,
    /// What tests plant mistakes with: every plan passes through it before it is carried out.
    pub revise: fn(Plan) -> Plan,
}

/// Both ends of a pairing.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The master.
    pub source: State,
    /// The replica.
    pub target: State,
    /// What is below the two, where the pairing is recursive, or was asked for as such.
    pub below: Option<Below>,
    /// The machines that they are on.
    pub ends: Ends,
}

impl Pair {
    /// What is below the two and has their roles, if both say that it is part of the pairing: neither talks the other one into more than was agreed.
    pub fn tree(&self, me: &Identity) -> Option<Below> {
        let both = [&self.source, &self.target];
        let is_tree = both.into_iter().all(|state| View::new(state, &me.tag).is_recursive());
        self.below.as_ref().filter(|_| is_tree).map(|below| below.own(me))
    }
}

impl Session {
    /// A session on this machine's host, with the clock of this machine.
    pub fn new(settings: Settings, host: Arc<dyn Host>, ui: Ui) -> Self {
        Self::with_peers(settings, host, ui, Options::default())
    }

    /// The same, with what was asked for in dealing with other machines.
    pub fn with_peers(settings: Settings, host: Arc<dyn Host>, ui: Ui, options: Options) -> Self {
        let listener = |line: &str| Ui::new(false).note(line);
        Self {
            settings,
            host,
            peers: Peers::new(options, Arc::new(listener)),
            ui,
            pid: std::process::id(),
            recursive: false,
            clock: clock::now,
            revise: |plan| plan,
        }
    }

    /// Now, in seconds since 1970.
    pub fn now(&self) -> u64 {
        (self.clock)()
    }

    /// This machine.
    pub fn here(&self) -> Machine {
        Machine {
            host: Arc::clone(&self.host),
            name: self.settings.me.host.clone(),
        }
    }

    /// The machine of a place: this one, or one that is dialled now.
    pub fn machine(&self, side: Side, place: &Place) -> Result<Machine, Problem> {
        let Some(host) = &place.host else {
            return Ok(self.here());
        };
        self.peers
            .get(host, &self.settings)
            .map_err(|error| failed(side, &place.dataset, error))
    }

    /// Looks at a dataset of a machine.
    pub fn observe_at(&self, machine: &Machine, side: Side, name: &DatasetName) -> Result<Option<State>, Problem> {
        let found = machine.host.observe(name).map_err(|error| failed(side, name, error))?;
        Ok(found.map(|state| State {
            host: machine.name.clone(),
            ..state
        }))
    }

    /// Looks at a dataset of this machine.
    pub fn observe(&self, side: Side, name: &DatasetName) -> Result<Option<State>, Problem> {
        self.observe_at(&self.here(), side, name)
    }

    /// Looks at a dataset that must be there, and at the marks on its snapshots.
    pub fn require_with_marks(&self, side: Side, name: &DatasetName) -> Result<State, Problem> {
        let state = self.require(side, name)?;
        let snapshots = self
            .host
            .snapshots_since(name, 0)
            .map_err(|error| failed(side, name, error))?;
        Ok(State { snapshots, ..state })
    }

    /// Waits until what was written to a dataset's pool can be observed.
    pub fn settle(&self, name: &DatasetName) -> Result<(), Problem> {
        self.host
            .settle(name.pool())
            .map_err(|error| failed(Side::Source, name, error))
    }

    /// Looks at a dataset of this machine that must be there.
    pub fn require(&self, side: Side, name: &DatasetName) -> Result<State, Problem> {
        self.require_at(&self.here(), side, name)
    }

    fn require_at(&self, machine: &Machine, side: Side, name: &DatasetName) -> Result<State, Problem> {
        let missing = || Refusal {
            side,
            dataset: name.to_string(),
            why: Why::Missing,
        };
        self.observe_at(machine, side, name)?.ok_or_else(|| missing().into())
    }

    /// Looks at a master on this machine and at its target.
    pub fn pair_of_source(&self, source: &DatasetName) -> Result<Pair, Problem> {
        self.pair_of_source_at(source, None)
    }

    /// The same, where the other side is at `host`, whatever its name in the pair is.
    pub fn pair_of_source_at(&self, source: &DatasetName, host: Option<&HostName>) -> Result<Pair, Problem> {
        let source = self.require(Side::Source, source)?;
        let source = told_host(&self.settings.me, source, Key::DestHost, host);
        if let Some(pair) = self.half_lowered(&source)? {
            return Ok(pair);
        }
        let me = &self.settings.me;
        standing::require_unfenced(me, &source)?;
        let place = pairing::target_of(me, &source)?;
        let doubt = |problem| in_doubt(me, &source, &place, problem);
        let machine = self.machine(Side::Target, &place).map_err(doubt)?;
        match self.observe_at(&machine, Side::Target, &place.dataset).map_err(doubt)? {
            // N.B. what a rejoin that is under way has put into the old place could be sent to, and is no replica yet.
            Some(target) if !View::new(&target, &me.tag).is_paired() && newest_common(&source, &target).is_some() => {
                let why = Why::TargetUnpaired {
                    source: source.name.clone(),
                };
                Err(Refusal::target(&target.name, why).into())
            }
            Some(target) => self.pair((&self.here(), source), (&machine, target)),
            None => Err(self.target_gone(&source, &place.dataset).into()),
        }
    }

    /// Both ends, and what is below them where that is part of the pairing. Whether it is, the source says: a replica must not talk its master out of more than was agreed.
    fn pair(&self, source: (&Machine, State), target: (&Machine, State)) -> Result<Pair, Problem> {
        let ends = self.ends(source.0, target.0);
        let tag = &self.settings.me.tag;
        let [of_source, of_target] = [&source.1, &target.1].map(|state| View::new(state, tag).is_recursive());
        if of_target && !of_source && !self.recursive {
            return Err(self.recursive_on_one_side(&source.1.name, &target.1.name).into());
        }
        let is_tree = of_source || self.recursive;
        let both = || -> Result<Below, Problem> {
            Ok(Below {
                source: self.observe_below(source.0, Side::Source, &source.1.name)?,
                target: self.observe_below(target.0, Side::Target, &target.1.name)?,
            })
        };
        Ok(Pair {
            below: is_tree.then(both).transpose()?,
            source: source.1,
            target: target.1,
            ends,
        })
    }

    /// N.B. it is not the replica's to say that its master sends more than one dataset; and a master that has lost the property would leave the others
    /// behind, and nobody would hear of it.
    pub fn recursive_on_one_side(&self, source: &DatasetName, target: &DatasetName) -> Refusal {
        let why = Why::RecursiveOnOneSide {
            other: target.clone(),
            property: self.settings.me.tag.property(Key::Recursive),
            command: format!("zrep -R sync {}", quoted(source.as_str())),
        };
        Refusal::source(source, why)
    }

    /// Looks at all datasets below one of a machine.
    pub fn observe_below(&self, machine: &Machine, side: Side, name: &DatasetName) -> Result<Vec<State>, Problem> {
        let found = machine
            .host
            .observe_below(name)
            .map_err(|error| failed(side, name, error))?;
        let host = || machine.name.clone();
        Ok(found.into_iter().map(|state| State { host: host(), ..state }).collect())
    }

    /// What is below a dataset of this machine and has its role, where its pairing is recursive; nothing else is part of a pairing.
    pub fn below_here(&self, side: Side, state: &State) -> Result<Vec<State>, Problem> {
        let me = &self.settings.me;
        match View::new(state, &me.tag).is_recursive() {
            true => Ok(tree::own(me, &self.observe_below(&self.here(), side, &state.name)?)),
            false => Ok(Vec::new()),
        }
    }

    fn ends(&self, source: &Machine, target: &Machine) -> Ends {
        Ends {
            source: Arc::clone(&source.host),
            target: Arc::clone(&target.host),
        }
    }

    fn target_gone(&self, source: &State, target: &DatasetName) -> Refusal {
        let me = &self.settings.me;
        let host = pairing::link_of(me, source).map_or_else(|_| me.host.clone(), |link| link.dest_host);
        Refusal::target(
            target,
            Why::TargetGone {
                source: source.name.clone(),
                host,
            },
        )
    }

    /// Looks at a replica on this machine and at its master. A master that is new, and whose old one has not stepped down yet, is taken
    /// for the replica that it was: the failover between them is still under way.
    pub fn pair_of_target(&self, target: &DatasetName) -> Result<Pair, Problem> {
        self.pair_of_target_at(target, None)
    }

    /// The same, where the other side is at `host`, whatever its name in the pair is.
    pub fn pair_of_target_at(&self, target: &DatasetName, host: Option<&HostName>) -> Result<Pair, Problem> {
        let me = &self.settings.me;
        let target = self.require(Side::Target, target)?;
        let target = told_host(me, target, Key::SrcHost, host);
        if let Some(pair) = self.half_turned(&target)? {
            return Ok(pair);
        }
        let place = pairing::source_of(me, &target)?;
        let machine = self.machine(Side::Source, &place)?;
        let source = self.require_at(&machine, Side::Source, &place.dataset)?;
        self.pair((&machine, source), (&self.here(), target))
    }

    /// The pair of a dataset on this machine that has given up its role, and nothing else yet.
    fn half_lowered(&self, old: &State) -> Result<Option<Pair>, Problem> {
        let me = &self.settings.me;
        let Ok(link) = pairing::link_of(me, old) else {
            return Ok(None);
        };
        let was_master = !pairing::is_target(me, &link, old) && !View::new(old, &me.tag).is_master();
        let Some(place) = pairing::other_end(me, &link, old).ok().filter(|_| was_master) else {
            return Ok(None);
        };
        let machine = self.machine(Side::Target, &place)?;
        let new = self.observe_at(&machine, Side::Target, &place.dataset)?;
        let new = new.filter(|new| pairing::is_half_turned(me, old, new));
        new.map(|target| self.pair((&self.here(), old.clone()), (&machine, target)))
            .transpose()
    }

    /// The pair of a new master on this machine whose old one has not stepped down yet.
    fn half_turned(&self, new: &State) -> Result<Option<Pair>, Problem> {
        let me = &self.settings.me;
        let Ok(place) = pairing::target_of(me, new) else {
            return Ok(None);
        };
        let machine = self.machine(Side::Source, &place)?;
        let old = self.observe_at(&machine, Side::Source, &place.dataset)?;
        let old = old.filter(|old| self.is_superseded(old, new));
        old.map(|source| self.pair((&machine, source), (&self.here(), new.clone())))
            .transpose()
    }

    /// Whether `old` says still that it is the master, and `new` is it.
    fn is_superseded(&self, old: &State, new: &State) -> bool {
        let me = &self.settings.me;
        let is_old = |standing| {
            matches!(
                standing,
                Standing::Superseded {
                    old: Side::Source,
                    way: Way::StepDown,
                }
            )
        };
        standing::of(me, old, new).is_ok_and(is_old)
    }

    /// This process, as the holder of a lock.
    pub fn holder(&self) -> Holder {
        Holder {
            pid: self.pid,
            since: clock::digits(self.now()),
        }
    }

    /// How a one-shot verb locks the source of a pair. On another machine the lock is that of the server there.
    pub fn locking(&self, source: &State, ends: &Ends) -> Result<Locking, Problem> {
        self.locking_on(Side::Source, source, &ends.source)
    }

    /// How one side of a pair is locked.
    pub fn locking_at(&self, side: Side, pair: &Pair) -> Result<Locking, Problem> {
        match side {
            Side::Source => self.locking_on(side, &pair.source, &pair.ends.source),
            Side::Target => self.locking_on(side, &pair.target, &pair.ends.target),
        }
    }

    fn locking_on(&self, side: Side, state: &State, host: &Arc<dyn Host>) -> Result<Locking, Problem> {
        let tag = &self.settings.me.tag;
        let far = host.holder().map_err(|error| failed(side, &state.name, error))?;
        // N.B. only its own machine knows whether a process lives.
        let seen = host.lock_seen(state, tag);
        if far.is_none() {
            lock::knock(&self.settings.rundir, state, tag, &seen);
        }
        let holder = self.holder();
        Ok(Locking::Take {
            holder: Holder {
                pid: far.unwrap_or(holder.pid),
                ..holder
            },
            seen,
        })
    }

    /// Takes the lock file, for as long as it takes to look at locks and to set one's own.
    pub fn file_lock(&self) -> Result<FileLock, Problem> {
        FileLock::take(&self.settings.rundir, self.pid, self.settings.lock_retry).map_err(Problem::FileLock)
    }

    /// Both ends on this machine.
    pub fn ends_here(&self) -> Ends {
        self.ends(&self.here(), &self.here())
    }

    /// The datasets directly below one of this machine.
    pub fn children(&self, name: &DatasetName) -> Result<Vec<DatasetName>, Problem> {
        self.host
            .children(name)
            .map_err(|error| failed(Side::Source, name, error))
    }

    /// All datasets that are one side of a pairing.
    pub fn paired(&self) -> Result<Vec<DatasetName>, Problem> {
        self.with_property(Key::DestFs)
    }

    /// This host's masters.
    pub fn masters(&self) -> Result<Vec<DatasetName>, Problem> {
        let me = &self.settings.me;
        let mut masters = Vec::new();
        for name in self.with_property(Key::Master)? {
            let Some(state) = self.observe(Side::Source, &name)? else {
                continue;
            };
            let is_ours = pairing::link_of(me, &state).is_ok_and(|link| me.is_here(&link.src_host));
            if View::new(&state, &me.tag).is_master() && is_ours {
                masters.push(name);
            }
        }
        Ok(masters)
    }

    /// The replicas on this host.
    pub fn replicas(&self) -> Result<Vec<DatasetName>, Problem> {
        let me = &self.settings.me;
        let mut replicas = Vec::new();
        for name in self.paired()? {
            let Some(state) = self.observe(Side::Target, &name)? else {
                continue;
            };
            // N.B. the master's administrator may have called this machine by any of its names, or by an address.
            let is_ours = pairing::link_of(me, &state).is_ok_and(|link| {
                let is_dest = link.dest_fs == state.name.as_str();
                is_dest && (pairing::is_target(me, &link, &state) || !pairing::is_source(me, &link, &state))
            });
            if !View::new(&state, &me.tag).is_master() && is_ours {
                replicas.push(name);
            }
        }
        Ok(replicas)
    }

    /// The datasets on which a property of this tag is set.
    pub fn with_property(&self, key: Key) -> Result<Vec<DatasetName>, Problem> {
        let property = self.settings.me.tag.property(key);
        self.host.with_property(&property).map_err(|error| Problem::Host {
            side: None,
            dataset: String::new(),
            error,
        })
    }

    /// The datasets that operands name: `all` is this host's masters.
    pub fn operands(&self, words: &[String]) -> Result<Vec<DatasetName>, Problem> {
        match words {
            [word] if word == "all" => self.masters(),
            words => words.iter().map(|word| Ok(DatasetName::new(word)?)).collect(),
        }
    }
}

/// A side whose other one is at `host`: what stands there is another name of it, or an old one.
pub fn told_host(me: &Identity, state: State, key: Key, host: Option<&HostName>) -> State {
    let Some(host) = host else { return state };
    let setting = Setting {
        value: host.to_string(),
        origin: Origin::Local,
    };
    let mut state = state;
    state.user.insert(me.tag.property(key), setting);
    state
}

/// A master that has begun a failover cannot say what it is without its peer.
fn in_doubt(me: &Identity, source: &State, place: &Place, problem: Problem) -> Problem {
    let is_out_of_reach = matches!(&problem, Problem::Host { error, .. } if matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Lost));
    match View::new(source, &me.tag).intent() {
        Some(Intent::Failover { .. }) if is_out_of_reach => Refusal::source(
            &source.name,
            Why::InDoubt {
                other: place.to_string(),
            },
        )
        .into(),
        Some(_) | None => problem,
    }
}

fn failed(side: Side, dataset: &DatasetName, error: Error) -> Problem {
    Problem::Host {
        side: Some(side),
        dataset: dataset.to_string(),
        error,
    }
}

/// Gives the lock file back as soon as the plan has taken its own locks.
#[derive(Debug)]
pub struct UntilBegun<'a, W> {
    inner: &'a W,
    lock: Mutex<Option<FileLock>>,
}

impl<'a, W: Watch> UntilBegun<'a, W> {
    /// Holds `lock` until the first stage is done.
    pub fn new(inner: &'a W, lock: FileLock) -> Self {
        Self {
            inner,
            lock: Mutex::new(Some(lock)),
        }
    }
}

impl<W: Watch> Watch for UntilBegun<'_, W> {
    fn begun(&self) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.inner.begun();
    }

    fn sending(&self, transfer: &Transfer, estimate: Option<u64>) {
        self.inner.sending(transfer, estimate);
    }

    fn sent(&self, transfer: &Transfer, bytes: u64) {
        self.inner.sent(transfer, bytes);
    }

    fn arrived(&self, transfer: &Transfer, received: &Received) {
        self.inner.arrived(transfer, received);
    }

    fn applied(&self, done: &Done) {
        self.inner.applied(done);
    }

    fn wants_bytes(&self) -> bool {
        self.inner.wants_bytes()
    }
}
