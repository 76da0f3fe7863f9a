//! What a verb is typed into: writers on the master, a mapped file, a pulled cable, a
//! master that was superseded.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::disk::Lost;
use super::foreign::Foreign;
use super::ledger::{Kind, Writer};
use super::look::View;
use super::node::PATIENCE;
use super::orders::{Job, Said};
use super::pair::{Side, violated};
use super::power::Soak;
use super::schedule::Verb;
use super::step::Step;
use crate::agent::words::How;
use crate::host::session::quote;

/// A verb, and what is going on around it.
#[derive(Debug)]
pub struct Scene {
    /// In the names of all that is made for it.
    pub label: String,
    pub verb: Verb,
    /// The master and the replica before it.
    pub old: Side,
    pub new: Side,
    pub typed_on: Side,
    pub writers: Vec<Writer>,
    /// How long the verb had run when the power was cut.
    pub after: Duration,
    /// The verb had said by then that it is done.
    pub done: bool,
    /// How far it had come, by what was on disk at the next boot.
    pub step: Option<Step>,
    pub lost: Lost,
    /// The verbs that were typed after the cut.
    pub typed: Vec<Typed>,
    /// How many records were acknowledged.
    pub records: u64,
    /// What happened, to be shown if a promise is broken.
    pub story: Vec<String>,
    /// What zreps said, for the same.
    pub said: Vec<Said>,
}

/// A verb that was typed after the cut, and how that ended.
#[derive(Debug)]
pub struct Typed {
    pub verb: Verb,
    pub on: &'static str,
    /// Its first words, if it did not end well.
    pub trouble: Option<String>,
}

impl Typed {
    /// Whether it was told to wait: the server of a machine that lost its power holds its lock until it has given that one up.
    pub fn must_wait(&self) -> bool {
        let told = |words: &String| words.contains("works on it");
        self.trouble.as_ref().is_some_and(told)
    }
}

impl Scene {
    pub fn new(label: String, verb: Verb, master: Side) -> Self {
        let (old, new) = (master, master.other());
        let typed_on = match verb {
            Verb::Failover | Verb::Rejoin | Verb::Abort => old,
            Verb::Takeover | Verb::Forced => new,
        };
        Self {
            label,
            verb,
            old,
            new,
            typed_on,
            writers: Vec::new(),
            after: Duration::ZERO,
            done: false,
            step: None,
            lost: Lost::default(),
            typed: Vec::new(),
            records: 0,
            story: Vec::new(),
            said: Vec::new(),
        }
    }

    pub fn tell(&mut self, what: impl Into<String>) {
        self.story.push(what.into());
    }

    /// A verb as it is typed, with its dataset.
    pub fn words(&self, verb: Verb) -> String {
        let (old, new) = (quote(self.old.dataset()), quote(self.new.dataset()));
        match verb {
            Verb::Failover => format!("failover {old}"),
            Verb::Takeover => format!("takeover {new}"),
            Verb::Forced => format!("takeover -L {new}"),
            Verb::Rejoin => format!("rejoin {old}"),
            Verb::Abort => format!("failover --abort {old}"),
        }
    }
}

impl Soak {
    /// Everything up to the verb, and types that.
    pub fn set(&mut self, scene: &mut Scene) -> Result<Job> {
        Foreign::snapshot(self.pair.node(scene.old), scene.old.dataset(), &scene.label)?;
        // What was written before is on both sides: by force only new files can be lost.
        if !scene.verb.is_planned() {
            self.pair.syncs(scene.old)?;
        }
        for kind in [Kind::Fsync, Kind::Plain] {
            self.add_writer(scene, scene.old, kind)?;
        }
        match scene.verb {
            Verb::Failover | Verb::Takeover => self.refuse_mapping(scene)?,
            Verb::Forced => self.pair.cable.pull(),
            Verb::Rejoin => self.supersede(scene)?,
            Verb::Abort => self.kill_failover(scene)?,
        }
        self.sync_pool(scene)?;
        self.pair.start(scene.typed_on, &scene.words(scene.verb))
    }

    /// Puts on disk what was written up to now: plain writes before this are promised, too.
    fn sync_pool(&self, scene: &mut Scene) -> Result<()> {
        scene.writers.iter_mut().for_each(Writer::before_sync);
        let pool = scene.old.pool();
        self.pair.node(scene.old).ok(&format!("zpool sync {pool}"))?;
        Ok(())
    }

    fn add_writer(&self, scene: &mut Scene, side: Side, kind: Kind) -> Result<()> {
        let file = format!("{}, {kind:?} on {side:?}", scene.label);
        let writer = Writer::start(self.pair.node(side), side, kind, &file)?;
        scene.writers.push(writer);
        Ok(())
    }

    /// With a mapping that stores go to, a planned change is refused and names its owner.
    /// That is stopped then, and what it was told to be safe is promised.
    fn refuse_mapping(&self, scene: &mut Scene) -> Result<()> {
        self.add_writer(scene, scene.old, Kind::Mmap)?;
        let said = self.pair.zrep(scene.typed_on, &scene.words(scene.verb))?;
        let Some(writer) = scene.writers.last_mut() else {
            return Ok(());
        };
        let pid = writer.pid();
        if said.ok() || !said.says(&pid) {
            return violated(format!(
                "P3: {}, with a file mapped for writing by process {pid}: {said}",
                scene.verb
            ));
        }
        writer.stop()?;
        let views = self.pair.look_for_one_writer(false)?;
        if !views.at_rest_with(scene.old.index()) {
            return violated(format!("P2: a refused {} leaves {views}", scene.verb));
        }
        Ok(())
    }

    /// Lets the replica take over by force, and the old master find out.
    fn supersede(&self, scene: &mut Scene) -> Result<()> {
        self.pair.cable.pull();
        let forced = self.pair.zrep(scene.new, &scene.words(Verb::Forced))?;
        if !forced.ok() {
            return violated(format!("P2: {} without a peer: {forced}", Verb::Forced));
        }
        self.meet(scene)
    }

    /// Both are masters, and have not met: writes on the new one, too, puts the cable back,
    /// and lets the old one try a sync.
    pub fn meet(&self, scene: &mut Scene) -> Result<()> {
        if !self.waits_at_gate(scene.new)? {
            self.add_writer(scene, scene.new, Kind::Fsync)?;
        }
        for writer in &mut scene.writers {
            writer.write_on(3, PATIENCE)?;
        }
        self.pair.look_for_one_writer(true)?;
        self.pair.cable.plug_in();
        self.contact(scene)?;
        self.open_gate(scene.new)
    }

    /// The old master's next sync, by which it is fenced.
    fn contact(&self, scene: &Scene) -> Result<()> {
        let sync = format!("sync {}", quote(scene.old.dataset()));
        let contact = self.pair.zrep(scene.old, &sync)?;
        let views = self.pair.look_for_one_writer(true)?;
        let view = |side: Side| views.0[side.index()].as_ref();
        let fenced = view(scene.old).is_some_and(|view| !view.is_writable());
        let untouched = view(scene.new).is_some_and(|view| view.is_writable() || view.waits_at_gate());
        if contact.ok() || !fenced || !untouched {
            return violated(format!("P1: at first contact nobody is fenced: {views}: {contact}"));
        }
        Ok(())
    }

    fn waits_at_gate(&self, side: Side) -> Result<bool> {
        let views = self.pair.look()?;
        Ok(views.0[side.index()].as_ref().is_some_and(View::waits_at_gate))
    }

    /// A gate that was closed at a boot without a peer asks again, as any sync would: now there is one to ask.
    fn open_gate(&self, master: Side) -> Result<()> {
        if !self.waits_at_gate(master)? {
            return Ok(());
        }
        let said = self.pair.zrep(master, "gate all")?;
        let views = self.pair.look_for_one_writer(true)?;
        if self.waits_at_gate(master)? {
            return violated(format!("P2: the gate of the master stays closed: {views}: {said}"));
        }
        Ok(())
    }

    /// Kills a failover at any moment behind its first step: before that there is nothing to abort.
    fn kill_failover(&mut self, scene: &mut Scene) -> Result<()> {
        let usual = self.usual(Verb::Failover).unwrap_or(Duration::from_secs(4));
        let mut job = self.pair.start(scene.old, &scene.words(Verb::Failover))?;
        let intent = format!("zfs get -H -o value zrep:intent {}", quote(scene.old.dataset()));
        let begun = format!("for i in {{1..100}}; do {intent} | grep -q failover && exit; sleep 0.05; done");
        self.pair.node(scene.old).run(&begun)?;
        // About half of its time is behind it by now.
        let percent = u32::try_from(self.chance.below(40))?;
        thread::sleep(usual * percent / 100);
        job.end(How::Kill)?;
        let said = self.pair.ended(scene.old, &mut job)?;
        scene.tell(format!("failover, which was to be killed: {}", said.status()));
        Ok(())
    }
}
