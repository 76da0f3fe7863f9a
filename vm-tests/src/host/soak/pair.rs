//! Two machines, a filesystem and its replica, and the promises that are kept about them.

use std::time::Duration;

use anyhow::{Result, bail};

use super::cable::Cable;
use super::foreign::Foreign;
use super::ledger::{Found, Ledger, read};
use super::look::{PROPERTIES, View, Views};
use super::node::{Node, PATIENCE, Programs};
use super::orders::{Job, Said};
use crate::host::cleanup::RunDir;
use crate::host::guests::Guest;
use crate::host::roles::Role;
use crate::host::session::{Ground, Wish, quote};

/// What the kernel has said last, and where the tasks are that cannot be interrupted.
const STUCK: &str = "dmesg | tail -n 15; \
                     for status in $(grep -l '^State:[[:space:]]*D' /proc/[0-9]*/task/*/status); do \
                     head -n 1 $status; cat ${status%status}stack; done";

/// One of the two, by its place in all lists of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Alpha,
    Beta,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Alpha, Self::Beta];

    pub fn index(self) -> usize {
        match self {
            Self::Alpha => 0,
            Self::Beta => 1,
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Alpha => Self::Beta,
            Self::Beta => Self::Alpha,
        }
    }

    /// Its machine's name.
    pub fn name(self) -> &'static str {
        ["alpha", "beta"][self.index()]
    }

    pub fn pool(self) -> &'static str {
        ["src", "dst"][self.index()]
    }

    pub fn dataset(self) -> &'static str {
        ["src/a b", "dst/copy of a b"][self.index()]
    }

    /// What a boot does with a master whose peer cannot be asked: one side waits, the other does not.
    fn gate(self) -> &'static str {
        ["strict", "open"][self.index()]
    }

    pub fn mountpoint(self) -> &'static str {
        ["/src/a b", "/dst/copy of a b"][self.index()]
    }
}

/// A promise of zrep's that was not kept. All other errors are the lab's own.
#[derive(Debug)]
pub struct Violation(pub String);

impl std::error::Error for Violation {}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Ends a cut as a violation.
pub fn violated<T>(what: impl Into<String>) -> Result<T> {
    bail!(Violation(what.into()))
}

/// A violation, if that is what went wrong; other errors stay errors.
pub fn judged(result: Result<()>) -> Result<Option<Violation>> {
    match result {
        Ok(()) => Ok(None),
        Err(error) => error.downcast().map(Some),
    }
}

/// Alpha and beta with their pools, and what is promised about them.
#[derive(Debug)]
pub struct Pair {
    nodes: [Node; 2],
    pub cable: Cable,
    pub ledger: Ledger,
    foreign: [Foreign; 2],
    /// `--timeout` of every zrep.
    pub patience: Duration,
    _dir: RunDir,
}

impl Pair {
    /// Boots both machines, with blank disks.
    pub fn boot(guest: &'static Guest, patience: Duration) -> Result<Self> {
        let programs = Programs::build()?;
        let ground = Ground::prepare(Wish {
            hosts: 2,
            pools: false,
            alone: true,
            ..Wish::new(guest)
        })?;
        let (dir, cable) = (RunDir::new()?, Cable::default());
        let node = |role| Node::new(role, &ground, &programs, &cable, dir.path());
        let mut nodes = [node(Role::Alpha)?, node(Role::Beta)?];
        for node in &mut nodes {
            node.power_on()?;
        }
        for node in &mut nodes {
            node.boot()?;
        }
        Ok(Self {
            nodes,
            cable,
            ledger: Ledger::default(),
            foreign: Default::default(),
            patience,
            _dir: dir,
        })
    }

    /// Makes pools and datasets, or makes them anew, and pairs them; alpha is the master.
    /// SIZE is in MiB.
    pub fn make(&mut self, size: u32) -> Result<()> {
        self.cable.plug_in();
        for side in Side::BOTH {
            let (node, pool) = (self.node(side), side.pool());
            // Or it would not flush, and nothing would ever be lost.
            node.ok("grep -q 'write back' /sys/block/vdb/queue/write_cache")?;
            node.run(&format!("zpool destroy -f {pool}"))?;
            let properties = format!("-O compression=lz4 -O atime=off -O zrep:gate={}", side.gate());
            node.ok(&format!("zpool create -f {properties} {pool} /dev/vdb"))?;
            Foreign::plant(node, pool)?;
        }
        let (dataset, mountpoint) = (quote(Side::Alpha.dataset()), quote(Side::Alpha.mountpoint()));
        self.node(Side::Alpha).ok(&format!(
            "zfs create {dataset} && mkdir {mountpoint}/ledger && head -c {size}M /dev/urandom >{mountpoint}/data"
        ))?;
        let init = format!("init {dataset} beta {}", quote(Side::Beta.dataset()));
        self.zrep(Side::Alpha, &init)?.expect_ok("zrep init")?;
        for side in Side::BOTH {
            self.node(side).ok("zpool sync")?;
        }
        self.ledger = Ledger::default();
        self.foreign = Default::default();
        self.settle_foreign()
    }

    pub fn node(&self, side: Side) -> &Node {
        &self.nodes[side.index()]
    }

    pub fn node_mut(&mut self, side: Side) -> &mut Node {
        &mut self.nodes[side.index()]
    }

    /// Starts zrep with these words, quoted for a shell, on a side.
    pub fn start(&self, side: Side, words: &str) -> Result<Job> {
        let seconds = self.patience.as_secs();
        self.node(side).start(&format!("zrep --timeout {seconds}s {words}"))
    }

    /// Runs zrep to its end, which must come.
    pub fn zrep(&self, side: Side, words: &str) -> Result<Said> {
        let mut job = self.start(side, words)?;
        self.ended(side, &mut job)
    }

    /// Waits for the end of a zrep.
    pub fn ended(&self, side: Side, job: &mut Job) -> Result<Said> {
        match job.wait(PATIENCE) {
            Ok(said) => Ok(said.clone()),
            Err(error) => violated(format!("P2: no end on {}: {error:#}", self.node(side).name())),
        }
    }

    /// What both sides say that they are.
    pub fn look(&self) -> Result<Views> {
        let view = |side: Side| -> Result<Option<View>> {
            let dataset = quote(side.dataset());
            let said = self
                .node(side)
                .run(&format!("zfs get -Hp -o property,value,source {PROPERTIES} {dataset}"))?;
            said.ok().then(|| View::parse(&said.stdout)).transpose()
        };
        Ok(Views([view(Side::Alpha)?, view(Side::Beta)?]))
    }

    /// The same, and P1.
    pub fn look_for_one_writer(&self, forced: bool) -> Result<Views> {
        let views = self.look()?;
        match views.one_writer(forced) {
            Ok(()) => Ok(views),
            Err(what) => violated(what),
        }
    }

    /// The pair works: a sync succeeds, and both sides then have the same newest snapshot.
    pub fn syncs(&self, master: Side) -> Result<()> {
        let said = self.zrep(master, &format!("sync {}", quote(master.dataset())))?;
        if !said.ok() {
            return violated(format!("P2: a sync from {} fails: {said}", self.node(master).name()));
        }
        let newest = |side: Side| {
            let list = "zfs list -Hp -t snapshot -d 1 -o guid,name -s createtxg";
            let only = format!("{list} {} | grep @zrep | tail -n 1 | cut -f 1", quote(side.dataset()));
            self.node(side).ok(&only)
        };
        let (alpha, beta) = (newest(Side::Alpha)?, newest(Side::Beta)?);
        if alpha.is_empty() || alpha != beta {
            return violated(format!("after a sync the newest snapshots differ: {alpha:?}, {beta:?}"));
        }
        Ok(())
    }

    /// The ledger, as the new master has it; EXCUSED files may be shorter than promised.
    pub fn settle_ledger(&mut self, master: Side, excused: impl Fn(&str) -> bool) -> Result<()> {
        let found = self.records(master)?;
        let broken = self.ledger.settle(&found, excused);
        if broken.is_empty() {
            Ok(())
        } else {
            violated(broken.join("\n"))
        }
    }

    /// P4: what a superseded master had beyond the new one is beside it, under a name of its
    /// own: each of these files is whole there, or on the new master. A person then removes it.
    pub fn settle_tail(&mut self, old: Side, files: &[String]) -> Result<()> {
        let there = self.records(old.other())?;
        let (tail, mountpoint) = self.tail(old)?;
        let aside = read(self.node(old), &mountpoint)?;
        for file in files {
            let promised = self.ledger.promised(file);
            let found = [&there, &aside].map(|found| found.get(file).copied().unwrap_or(0));
            if found.iter().all(|found| *found < promised) {
                return violated(format!(
                    "P4: {promised} records of {file} were acknowledged, {} are in {tail}, {} on the new master",
                    found[1], found[0]
                ));
            }
        }
        self.settle_foreign()?;
        self.node(old).ok(&format!("zfs destroy -r {}", quote(&tail)))?;
        self.foreign[old.index()] = Foreign::default();
        self.settle_foreign()
    }

    /// The dataset that a rejoin has put aside, and where it can be looked at.
    pub fn tail(&self, old: Side) -> Result<(String, String)> {
        let list = format!("zfs list -H -o name -r {} | grep _diverged_e || true", old.pool());
        let tails = self.node(old).ok(&list)?;
        let [tail] = &tails[..] else {
            return violated(format!("P4: one diverged dataset is expected, there are {tails:?}"));
        };
        let name = quote(tail);
        let mount = format!("zfs mount {name} 2>/dev/null; zfs get -H -o value mountpoint {name}");
        let mountpoint = self.node(old).ok(&mount)?.concat();
        Ok((tail.clone(), mountpoint))
    }

    pub fn records(&self, side: Side) -> Result<Found> {
        read(self.node(side), side.mountpoint())
    }

    /// P4: nothing of anybody else's is gone.
    pub fn settle_foreign(&mut self) -> Result<()> {
        let mut gone = Vec::new();
        for side in Side::BOTH {
            gone.extend(self.foreign[side.index()].settle(&self.nodes[side.index()], side.pool())?);
        }
        if gone.is_empty() {
            Ok(())
        } else {
            violated(gone.join("\n"))
        }
    }

    /// All that helps to understand what happened.
    pub fn scene(&self) -> String {
        let mut text = String::new();
        for side in Side::BOTH.into_iter().filter(|side| self.node(*side).is_on()) {
            let pool = side.pool();
            let command = format!(
                "zfs get -Hp -s local,received -o name,property,value,source -r all {pool} | grep -v @; \
                 zfs list -t all -o name,guid,createtxg,written,mounted -s createtxg -r {pool} | tail -n 40; \
                 zpool history -il {pool} | tail -n 40"
            );
            // N.B. where ZFS itself is stuck, the second of these does not come back.
            for command in [STUCK, &command] {
                let said = self.node(side).run(command);
                let said = said.map_or_else(|error| format!("{error:#}"), |said| said.to_string());
                text.push_str(&format!("--- {}: {said}\n", self.node(side).name()));
            }
        }
        text
    }
}
