//! Another machine's ZFS, through the `zrep serve` there.
//!
//! One session lives as long as this host, and one request is under way in it at a time. A session that broke is dropped, and the next
//! call opens a new one: what the other side has done meanwhile, only a fresh observation tells.

use std::io::{self, PipeReader, PipeWriter};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::{Applied, BatchError, Carried, Errand, Error, ErrorKind, Host, Inlet, Outlet, Received};
use crate::model::{Snapshot, State};
use crate::plan::lock::Seen;
use crate::plan::{Action, Transfer};
use crate::props::Tag;
use crate::relay::{self, Relay, Way};
use crate::wire::channel::Broken;
use crate::wire::message::{Hello, Receive, Reply, Request, Send, Welcome};
use link::{Link, of_host, out_of_turn};
use watchdog::Watchdog;
use zfs_ffi::DatasetName;

pub mod line;
mod link;
mod watchdog;

pub use line::{Dial, SshDial};
pub use link::NoSession;

/// A machine that is reached by a session.
#[derive(Debug)]
pub struct Remote {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dial: Box<dyn Dial>,
    hello: Hello,
    way: Way,
    link: Mutex<Option<Link>>,
}

impl Remote {
    /// A machine that is dialled at the first call.
    pub fn new(dial: Box<dyn Dial>, hello: Hello, way: Way) -> Self {
        Self {
            inner: Arc::new(Inner {
                dial,
                hello,
                way,
                link: Mutex::new(None),
            }),
        }
    }

    /// Opens the session, if there is none.
    ///
    /// # Errors
    ///
    /// Tells a machine without a zrep from one that is out of reach.
    pub fn connect(&self) -> Result<Welcome, NoSession> {
        let mut slot = self.inner.slot();
        self.open(&mut slot).map(|link| link.welcome.clone())
    }

    fn open<'s>(&self, slot: &'s mut Option<Link>) -> Result<&'s mut Link, NoSession> {
        if slot.is_none() {
            *slot = Some(Link::open(self.inner.dial.as_ref(), &self.inner.hello)?);
            keep_alive(Arc::downgrade(&self.inner), self.patience() / 3);
        }
        slot.as_mut()
            .ok_or_else(|| NoSession::Failed(self.lost(&Broken::Closed)))
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.inner.hello.patience.into())
    }

    fn host(&self) -> &str {
        self.inner.dial.host()
    }

    fn lost(&self, broken: &Broken) -> Error {
        Error::new(ErrorKind::Lost, format!("host {}: {broken}", self.host()))
    }

    /// Asks something that changes nothing. A session that has died since it was last used is replaced.
    fn look(&self, request: &Request) -> Result<Reply, Error> {
        match self.ask(request) {
            Err(Error {
                kind: ErrorKind::Lost, ..
            }) => self.ask(request),
            answered => answered,
        }
    }

    fn ask(&self, request: &Request) -> Result<Reply, Error> {
        let mut slot = self.inner.slot();
        let answered = self.open(&mut slot)?.ask(request);
        match answered {
            Ok(Reply::Failed(error)) => Err(of_host(self.host(), error)),
            Ok(reply) => Ok(reply),
            Err(broken) => Err(self.hang_up(&mut slot, &broken)),
        }
    }

    /// Drops a session that is of no more use.
    fn hang_up(&self, slot: &mut Option<Link>, broken: &Broken) -> Error {
        if let Some(mut link) = slot.take() {
            link.carrier.hang_up();
        }
        self.lost(broken)
    }

    fn unexpected(&self, reply: &Reply) -> Error {
        let mut slot = self.inner.slot();
        self.hang_up(&mut slot, &out_of_turn(reply))
    }
}

impl Inner {
    fn slot(&self) -> MutexGuard<'_, Option<Link>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An idle server gives its client up after a while, and an idle connection is forgotten by what lies between.
fn keep_alive(inner: Weak<Inner>, pause: Duration) {
    let keeper = thread::Builder::new().name("keepalive".into());
    // Without it, an idle session ends, and the next call opens a new one.
    let _ = keeper.spawn(move || {
        let _undisturbed = zfs_ffi::signals::BlockAll::new();
        while wait_and_ping(&inner, pause) {}
    });
}

/// Tells whether there still is a session to be kept.
fn wait_and_ping(inner: &Weak<Inner>, pause: Duration) -> bool {
    // N.B. in short steps: a program that has ended its work must not wait for this thread's pings to be over.
    thread::sleep(pause);
    let Some(inner) = inner.upgrade() else { return false };
    // A session that cannot be had is at work.
    let Ok(mut slot) = inner.link.try_lock() else {
        return true;
    };
    let Some(link) = slot.as_mut() else { return false };
    if link.used.elapsed() >= pause && !matches!(link.ask(&Request::Ping()), Ok(Reply::Done())) {
        *slot = None;
    }
    slot.is_some()
}

impl Host for Remote {
    fn observe(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        match self.look(&Request::Observe(dataset.clone()))? {
            Reply::Observed(state) => Ok(state.map(|state| *state)),
            other => Err(self.unexpected(&other)),
        }
    }

    fn observe_below(&self, dataset: &DatasetName) -> Result<Vec<State>, Error> {
        match self.look(&Request::ObserveBelow(dataset.clone()))? {
            Reply::ObservedBelow(states) => Ok(states),
            other => Err(self.unexpected(&other)),
        }
    }

    fn snapshots_since(&self, dataset: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error> {
        match self.look(&Request::SnapshotsSince(dataset.clone(), txg))? {
            Reply::Snapshots(snapshots) => Ok(snapshots),
            other => Err(self.unexpected(&other)),
        }
    }

    fn settle(&self, pool: &str) -> Result<(), Error> {
        match self.look(&Request::Settle(pool.to_owned()))? {
            Reply::Done() => Ok(()),
            other => Err(self.unexpected(&other)),
        }
    }

    fn with_property(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        match self.look(&Request::WithProperty(property.to_owned()))? {
            Reply::Names(names) => Ok(names),
            other => Err(self.unexpected(&other)),
        }
    }

    fn apply(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        match self.ask(&Request::Apply(batch.to_vec())).map_err(BatchError::whole)? {
            Reply::Applied(Ok(applied)) if applied.len() == batch.len() => Ok(applied),
            Reply::Applied(Err(failed)) => Err(BatchError {
                error: of_host(self.host(), failed.error),
                ..failed
            }),
            other => Err(BatchError::whole(self.unexpected(&other))),
        }
    }

    fn send(
        &self,
        transfer: &Transfer,
        mut out: PipeWriter,
        _watch: Option<&(dyn Fn(u64) + Sync)>,
    ) -> Result<(), Error> {
        let by = self.inner.way.copying();
        let Outlet { mut way, finish, .. } = self
            .outlet_by(
                &by,
                Errand {
                    before: &[],
                    transfer,
                    after: &[],
                },
            )
            .map_err(|failed| failed.error)?;
        let copied = io::copy(&mut way, &mut out);
        drop((way, out));
        finish()?;
        copied
            .map(drop)
            .map_err(|error| Error::new(ErrorKind::Interrupted, format!("{}: {error}", transfer.snapshot)))
    }

    fn receive(&self, transfer: &Transfer, mut input: PipeReader) -> Result<Received, Error> {
        let by = self.inner.way.copying();
        let errand = Errand {
            before: &[],
            transfer,
            after: &[],
        };
        let Inlet { mut way, finish, .. } = self.inlet_by(&by, errand)?;
        let copied = io::copy(&mut input, &mut way);
        drop((way, copied));
        finish()?.received.unwrap_or_else(|| Err(self.lost(&Broken::Closed)))
    }

    fn estimate(&self, transfer: &Transfer) -> Result<u64, Error> {
        match self.look(&Request::Estimate(transfer.clone()))? {
            Reply::Number(number) => Ok(number),
            other => Err(self.unexpected(&other)),
        }
    }

    fn lock_seen(&self, state: &State, _tag: &Tag) -> Seen {
        match self.look(&Request::LockSeen(state.name.clone())) {
            Ok(Reply::Seen(seen)) => seen,
            // Whoever cannot be asked may live.
            Ok(_) | Err(_) => Seen::Alive { command: None },
        }
    }

    fn holder(&self) -> Result<Option<u32>, Error> {
        Ok(Some(self.connect()?.pid))
    }

    fn may_turn(&self, dataset: &DatasetName) -> Result<(), Error> {
        match self.look(&Request::MayTurn(dataset.clone()))? {
            Reply::Done() => Ok(()),
            other => Err(self.unexpected(&other)),
        }
    }

    fn is_far(&self) -> bool {
        true
    }

    fn inlet<'a>(&'a self, errand: Errand<'_>) -> Result<Inlet<'a>, Error> {
        self.inlet_by(&self.inner.way, errand)
    }

    fn outlet<'a>(&'a self, errand: Errand<'_>) -> Result<Outlet<'a>, BatchError> {
        self.outlet_by(&self.inner.way, errand)
    }
}

impl Remote {
    fn inlet_by<'a>(&'a self, by: &Way, errand: Errand<'_>) -> Result<Inlet<'a>, Error> {
        let mut slot = self.inner.slot();
        let request = Request::Receive(Box::new(Receive {
            before: errand.before.to_vec(),
            transfer: errand.transfer.clone(),
            after: errand.after.to_vec(),
            encoding: by.encoding,
            filter: by.infilter.clone(),
        }));
        let link = self.open(&mut slot)?;
        let begun = link
            .begin(&request)
            .and_then(|number| Ok((number, link.channel.way_out()?)));
        let (number, out) = begun.map_err(|broken| self.hang_up(&mut slot, &broken))?;
        let (way, relay) =
            relay::outward(by, out, number, self.patience()).map_err(|error| self.lost(&error.into()))?;
        let abort = slot.as_ref().map_or_else(
            || Box::new(|| {}) as Box<dyn FnOnce() + std::marker::Send>,
            |link| link.carrier.alarm(),
        );
        let finish = Box::new(move || self.finish_inlet(slot, number, relay));
        Ok(Inlet { way, abort, finish })
    }

    fn outlet_by<'a>(&'a self, by: &Way, errand: Errand<'_>) -> Result<Outlet<'a>, BatchError> {
        let whole = BatchError::whole;
        let mut slot = self.inner.slot();
        let request = Request::Send(Box::new(Send {
            before: errand.before.to_vec(),
            transfer: errand.transfer.clone(),
            encoding: by.encoding,
            filter: by.outfilter.clone(),
        }));
        let link = self.open(&mut slot).map_err(|none| whole(none.into()))?;
        let begun = link
            .begin(&request)
            .and_then(|number| Ok((number, link.answer(number, &mut |_| {})?, link.channel.way_in()?)));
        let (number, reply, input) = begun.map_err(|broken| whole(self.hang_up(&mut slot, &broken)))?;
        let before = match reply {
            Reply::Follows(Ok(before)) => before,
            Reply::Follows(Err(failed)) => {
                return Err(BatchError {
                    error: of_host(self.host(), failed.error),
                    ..failed
                });
            }
            Reply::Failed(error) => return Err(whole(of_host(self.host(), error))),
            other => return Err(whole(self.hang_up(&mut slot, &out_of_turn(&other)))),
        };
        let (way, relay) =
            relay::inward(by, input, self.patience()).map_err(|error| whole(self.lost(&error.into())))?;
        let watchdog = slot
            .as_ref()
            .map(|link| Watchdog::start(link.heard(), self.patience(), link.carrier.alarm()));
        let finish = Box::new(move || {
            drop(watchdog);
            self.finish_outlet(slot, number, relay)
        });
        Ok(Outlet { before, way, finish })
    }

    fn finish_inlet(
        &self,
        mut slot: MutexGuard<'_, Option<Link>>,
        number: u32,
        relay: Relay,
    ) -> Result<Carried, Error> {
        let Some(link) = slot.as_mut() else {
            return Err(self.lost(&Broken::Closed));
        };
        let answered = link.carried(number);
        let failed_midway = !matches!(
            &answered,
            Ok(Ok(Carried {
                received: Some(Ok(_)),
                ..
            }))
        );
        // N.B. after an error in mid-stream nobody knows where in it the other side stands.
        if let Some(mut link) = failed_midway.then(|| slot.take()).flatten() {
            link.carrier.hang_up();
        }
        let relayed = relay.join();
        match answered {
            Ok(Ok(carried)) => Ok(carried_of(self.host(), carried)),
            Ok(Err(error)) => Err(of_host(self.host(), error)),
            Err(broken) => Err(relayed.err().unwrap_or_else(|| self.lost(&broken))),
        }
    }

    fn finish_outlet(&self, mut slot: MutexGuard<'_, Option<Link>>, number: u32, relay: Relay) -> Result<(), Error> {
        if let Err(error) = relay.join() {
            // In mid-stream: nobody knows where the other side stands.
            self.hang_up(&mut slot, &Broken::Closed);
            return Err(error);
        }
        let Some(link) = slot.as_mut() else {
            return Err(self.lost(&Broken::Closed));
        };
        match link.answer(number, &mut |_| {}) {
            Ok(Reply::Sent()) => Ok(()),
            Ok(Reply::Failed(error)) => {
                drop(slot.take());
                Err(of_host(self.host(), error))
            }
            Ok(other) => Err(self.hang_up(&mut slot, &out_of_turn(&other))),
            Err(broken) => Err(self.hang_up(&mut slot, &broken)),
        }
    }
}

fn carried_of(host: &str, carried: Carried) -> Carried {
    let batch = |failed: BatchError| BatchError {
        error: of_host(host, failed.error),
        ..failed
    };
    Carried {
        before: carried.before.map_err(batch),
        received: carried
            .received
            .map(|result| result.map_err(|error| of_host(host, error))),
        after: carried.after.map(|result| result.map_err(batch)),
    }
}
