//! A call that is being carried out: one deed after the other, so that something can happen before and after each of them.

mod answers;
mod deeds;
mod faults;

use std::io::{Read, Write, pipe};

use zfs_ffi::DatasetName;
use zrep::host::{Applied, Error, ErrorKind, Host, Received};
use zrep::plan::lock::Seen;
use zrep::plan::{Action, Transfer};
use zrep::props::{Tag, View};

use self::deeds::{Deed, Part, parts};
pub use self::faults::Fault;
use super::call::{Answer, Asked, Call};
use super::{Batches, POOLS, World};

/// A call under way.
#[derive(Debug, Clone)]
pub struct Work {
    pub asked: Asked,
    deeds: Vec<Deed>,
    done: usize,
    looked: Option<Answer>,
    before: Vec<Applied>,
    stream: Option<Vec<u8>>,
    received: Option<Received>,
    after: Vec<Applied>,
    /// What went wrong at the machine itself.
    failed: Option<Failed>,
}

#[derive(Debug, Clone)]
struct Failed {
    deed: Deed,
    index: usize,
    begun: bool,
    sent: Option<Error>,
    error: Error,
}

impl Work {
    pub fn new(asked: Asked, batches: Batches) -> Self {
        let deeds = match &asked.call {
            Call::Observe(_)
            | Call::SnapshotsSince(..)
            | Call::Settle(_)
            | Call::WithProperty(_)
            | Call::Children(_)
            | Call::ObserveBelow(_)
            | Call::LockSeen { .. }
            | Call::MayTurn(_) => vec![Deed::Look],
            Call::Apply(batch) => parts(batch, batches).into_iter().map(Deed::Before).collect(),
            Call::Fetch { before, .. } => parts(before, batches).into_iter().map(Deed::Before).collect(),
            Call::Stream { before, after, .. } => {
                let before = parts(before, batches).into_iter().map(Deed::Before);
                let after = parts(after, batches).into_iter().map(Deed::After);
                before.chain([Deed::Begin, Deed::Arrive]).chain(after).collect()
            }
        };
        Self {
            asked,
            deeds,
            done: 0,
            looked: None,
            before: Vec::new(),
            stream: None,
            received: None,
            after: Vec::new(),
            failed: None,
        }
    }

    /// How many deeds are done.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Whether nothing is left to be done.
    pub fn is_over(&self) -> bool {
        self.failed.is_some() || self.done == self.deeds.len()
    }

    /// Whether one deed is left.
    pub fn is_last(&self) -> bool {
        self.failed.is_none() && self.done + 1 == self.deeds.len()
    }

    /// Whether the call only asks.
    pub fn is_question(&self) -> bool {
        self.deeds == [Deed::Look]
    }

    /// Whether the call changes anything. One that has only a stream behind it, and nothing before, neither asks nor changes.
    pub fn changes(&self) -> bool {
        !self.is_question() && !self.deeds.is_empty()
    }

    /// Whether the answer is the same at any time, and nothing comes of the call: no file is ever mapped in here, and nothing is unmounted.
    /// (An intent log that waits to be applied has nobody else who would write to it: who writes, has mounted.)
    pub fn is_without_effect(&self) -> bool {
        let is_idle =
            |action: &Action| matches!(action, Action::ExpectUnmapped(_) | Action::Mount(_) | Action::Replay(_));
        match &self.asked.call {
            Call::MayTurn(_) | Call::Settle(_) => true,
            Call::Apply(batch) => batch.iter().all(is_idle),
            _ => false,
        }
    }

    fn is_in_stream(&self) -> bool {
        self.failed.is_none() && self.deeds.get(self.done) == Some(&Deed::Arrive)
    }

    /// Answers a question.
    pub fn look(&mut self, world: &World) {
        self.looked = Some(look(world, &self.asked));
        self.done = 1;
    }

    /// Does the next deed.
    pub fn step(&mut self, world: &mut World) {
        let deed = self.deeds[self.done].clone();
        let result = self.admitted(world).and_then(|()| self.carry_out(world, &deed));
        match result {
            Ok(()) => self.done += 1,
            Err(failed) => self.failed = Some(failed),
        }
    }

    /// A server receives into no master.
    fn admitted(&self, world: &World) -> Result<(), Failed> {
        let Call::Stream { transfer, .. } = &self.asked.call else {
            return Ok(());
        };
        let is_asked = self.done == 0 && self.asked.is_far && world.layout == super::Layout::Serving;
        let name = transfer.into.dataset();
        let found = world.machines[self.asked.at].observe(&name).expect("a fake tells");
        if is_asked && found.is_some_and(|state| View::new(&state, &tag()).is_master()) {
            let error = Error::new(ErrorKind::Denied, format!("receive into {name}: it is the master here"));
            return Err(self.failure(Deed::Look, 0, false, error));
        }
        Ok(())
    }

    fn failure(&self, deed: Deed, index: usize, begun: bool, error: Error) -> Failed {
        Failed {
            deed,
            index,
            begun,
            sent: None,
            error,
        }
    }

    fn carry_out(&mut self, world: &mut World, deed: &Deed) -> Result<(), Failed> {
        match deed {
            Deed::Look => self.looked = Some(look(world, &self.asked)),
            Deed::Before(part) => {
                let applied = self.apply(world, deed, part)?;
                self.before.extend(applied);
            }
            Deed::After(part) => {
                let applied = self.apply(world, deed, part)?;
                self.after.extend(applied);
            }
            Deed::Begin => {
                let stream = stream_of(world, self.transfer()).map_err(|error| Failed {
                    sent: Some(error.clone()),
                    ..self.failure(deed.clone(), 0, false, interrupted("the stream ended before it began"))
                })?;
                self.stream = Some(stream);
            }
            Deed::Arrive => {
                let stream = self.stream.clone().unwrap_or_default();
                let received = self
                    .receive(world, &stream)
                    .map_err(|error| self.failure(deed.clone(), 0, false, error))?;
                self.received = Some(received);
            }
        }
        Ok(())
    }

    fn apply(&self, world: &World, deed: &Deed, part: &Part) -> Result<Vec<Applied>, Failed> {
        match world.machines[self.asked.at].apply(&part.actions) {
            Ok(_) if part.is_piece => Ok(Vec::new()),
            Ok(applied) => Ok(applied),
            Err(failed) => Err(self.failure(deed.clone(), part.at + failed.index, part.begun, failed.error)),
        }
    }

    fn transfer(&self) -> &Transfer {
        match &self.asked.call {
            Call::Stream { transfer, .. } | Call::Fetch { transfer, .. } => transfer,
            other => unreachable!("{other:?} has no stream"),
        }
    }

    fn receive(&self, world: &World, stream: &[u8]) -> Result<Received, Error> {
        let (input, mut out) = pipe().expect("a pipe");
        // N.B. streams are shorter than what a pipe holds.
        out.write_all(stream).expect("room in the pipe");
        drop(out);
        world.machines[self.asked.at].receive(self.transfer(), input)
    }
}

fn interrupted(text: &str) -> Error {
    Error::new(ErrorKind::Interrupted, text)
}

pub fn tag() -> Tag {
    Tag::new(Tag::DEFAULT).expect("the default tag")
}

fn look(world: &World, asked: &Asked) -> Answer {
    let fake = &world.machines[asked.at];
    match &asked.call {
        Call::Observe(name) => Answer::Observed(fake.observe(name)),
        Call::SnapshotsSince(name, txg) => Answer::Snapshots(fake.snapshots_since(name, *txg)),
        Call::Settle(pool) => Answer::Done(fake.settle(pool)),
        Call::WithProperty(name) => Answer::Names(fake.with_property(name)),
        Call::Children(name) => Answer::Names(fake.children(name)),
        Call::ObserveBelow(name) => Answer::Below(fake.observe_below(name)),
        Call::MayTurn(name) => Answer::Done(fake.may_turn(name)),
        Call::LockSeen { state, by } => {
            let found = View::new(state, &tag()).lock_pid().map(str::to_owned);
            Answer::Seen(match found.map(|pid| pid.parse::<u32>()) {
                None => Seen::Free,
                Some(Ok(pid)) if pid != *by && world.alive.contains(&pid) => Seen::Alive { command: None },
                Some(_) => Seen::Dead,
            })
        }
        Call::Apply(_) | Call::Stream { .. } | Call::Fetch { .. } => unreachable!("no question"),
    }
}

/// What the machine that has the snapshot sends.
fn stream_of(world: &World, transfer: &Transfer) -> Result<Vec<u8>, Error> {
    let name: DatasetName = transfer.snapshot.dataset();
    let side = POOLS
        .iter()
        .position(|pool| *pool == name.pool())
        .expect("a known pool");
    let (mut input, out) = pipe().expect("a pipe");
    world.fake(side).send(transfer, out, None)?;
    let mut stream = Vec::new();
    input.read_to_end(&mut stream).expect("a pipe can be read");
    Ok(stream)
}
