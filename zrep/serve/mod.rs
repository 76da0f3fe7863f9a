//! The other end of a session: `zrep serve` reads requests, looks whether this machine's own rules allow them, and calls its own host.
//!
//! One request is under way at a time. A stream is read by the kernel from where the request came from; after any failure inside one
//! the session ends, because nobody knows where in the stream it stands.

use std::io::{PipeReader, PipeWriter};
use std::sync::Arc;
use std::time::Duration;

use crate::host::{Error, ErrorKind, Host};
use crate::lock;
use crate::model::{Guid, State};
use crate::plan::lock::Seen;
use crate::policy::{Denied, Policy, Right};
use crate::props::{Key, Tag};
use crate::settings::Settings;
use crate::wire::channel::{Broken, Channel};
use crate::wire::frame::{LONGEST_REQUEST, VERSION};
use crate::wire::message::{Hello, Reply, Request, Welcome};
use pulse::Pulse;
use zfs_ffi::DatasetName;

mod batch;
mod creation;
mod pulse;
mod stream;
#[cfg(test)]
mod tests;
mod tree;
mod twice;

/// No client may ask to be waited for longer.
const LONGEST_PATIENCE: u32 = 3600;

/// What a server is made of.
#[derive(Debug)]
pub struct Server {
    /// This machine's ZFS.
    pub host: Arc<dyn Host>,
    /// Its rules for this peer.
    pub policy: Policy,
    /// Its name, the tag that its rules are for, its run directory, and how long a client may be silent before its hello; from then on the client's own word counts.
    pub settings: Settings,
    /// The version of OpenZFS.
    pub zfs: String,
}

/// Why a session has ended.
#[derive(Debug)]
pub enum End {
    /// The client has closed it.
    Closed,
    /// Something is wrong with what the client says.
    Broken(Broken),
    /// A stream was not carried to its end.
    Stream(Error),
}

impl Server {
    /// Serves one client, up to the end of the session.
    pub fn run(self, input: PipeReader, out: PipeWriter) -> End {
        let mut channel = Channel::new(input, out, self.settings.patience, LONGEST_REQUEST);
        match self.greet(&mut channel) {
            Ok(mut session) => session.serve(&mut channel),
            Err(end) => end,
        }
    }

    fn greet(self, channel: &mut Channel) -> Result<Session, End> {
        let (number, request) = channel.request().map_err(ended)?;
        let Request::Hello(hello) = request else {
            return Err(End::Broken(Broken::OutOfTurn("a request before a hello".into())));
        };
        let tag = match self.accept(&hello) {
            Ok(tag) => tag,
            Err(error) => {
                channel.answer(number, &Reply::Failed(error)).map_err(ended)?;
                return Err(End::Closed);
            }
        };
        channel.set_patience(Duration::from_secs(hello.patience.clamp(1, LONGEST_PATIENCE).into()));
        channel.answer(number, &Reply::Welcome(self.welcome())).map_err(ended)?;
        let pulse = channel
            .way_out()
            .ok()
            .and_then(|out| Pulse::new(out, channel.patience()).ok());
        Ok(Session {
            server: self,
            tag,
            pulse,
            made: Vec::new(),
        })
    }

    fn accept(&self, hello: &Hello) -> Result<Tag, Error> {
        if !(hello.oldest..=hello.newest).contains(&VERSION) {
            let text = format!(
                "zrep {} speaks version {VERSION} of the protocol, not {} to {}",
                env!("ZREP_VERSION"),
                hello.oldest,
                hello.newest
            );
            return Err(
                Error::new(ErrorKind::Unreachable, text).with_hint("install the same version of zrep on both machines")
            );
        }
        let tag = Tag::new(&hello.tag).map_err(|error| denied(error.to_string()))?;
        self.policy.require_tag(&self.settings.me.tag, &tag).map_err(refused)?;
        Ok(tag)
    }

    fn welcome(&self) -> Welcome {
        Welcome {
            version: VERSION,
            zrep: env!("ZREP_VERSION").into(),
            host: self.settings.me.host.clone(),
            pid: std::process::id(),
            zfs: self.zfs.clone(),
            features: ["chunks", "zstd", "filter"].map(str::to_owned).to_vec(),
        }
    }
}

fn ended(broken: Broken) -> End {
    match broken {
        Broken::Closed => End::Closed,
        other => End::Broken(other),
    }
}

/// A client that has said hello.
#[derive(Debug)]
struct Session {
    server: Server,
    tag: Tag,
    pulse: Option<Pulse>,
    /// The snapshots that were made in this session.
    made: Vec<Guid>,
}

impl Session {
    fn serve(&mut self, channel: &mut Channel) -> End {
        loop {
            let (number, request) = match channel.request() {
                Ok(asked) => asked,
                Err(broken) => return ended(broken),
            };
            if let Err(end) = self.handle(channel, number, request) {
                return end;
            }
        }
    }

    fn handle(&mut self, channel: &mut Channel, number: u32, request: Request) -> Result<(), End> {
        match request {
            Request::Receive(receive) => self.receive(channel, number, *receive),
            Request::Send(send) => self.send(channel, number, *send),
            request => {
                let guard = self.pulse.as_ref().map(|pulse| pulse.beat(number));
                let reply = self.answer(request).unwrap_or_else(Reply::Failed);
                drop(guard);
                channel.answer(number, &reply).map_err(ended)
            }
        }
    }

    fn answer(&mut self, request: Request) -> Result<Reply, Error> {
        let host = Arc::clone(&self.server.host);
        match request {
            Request::Observe(name) => Ok(Reply::Observed(self.observe(&name)?.map(Box::new))),
            Request::ObserveBelow(name) => {
                self.policy().require_any(&name).map_err(refused)?;
                Ok(Reply::ObservedBelow(host.observe_below(&name)?))
            }
            Request::SnapshotsSince(name, txg) => {
                self.policy().require_any(&name).map_err(refused)?;
                Ok(Reply::Snapshots(host.snapshots_since(&name, txg)?))
            }
            Request::Settle(pool) => {
                let pool = DatasetName::new(&pool).map_err(|error| Error::new(ErrorKind::Denied, error.to_string()))?;
                self.require_known(&pool)?;
                host.settle(pool.pool()).map(|()| Reply::Done())
            }
            Request::WithProperty(property) => Ok(Reply::Names(self.with_property(&property)?)),
            Request::LockSeen(name) => Ok(Reply::Seen(self.lock_seen(&name)?)),
            Request::Apply(batch) => Ok(Reply::Applied(self.apply(&batch))),
            Request::Estimate(transfer) => {
                self.require_source(&transfer)?;
                Ok(Reply::Number(host.estimate(&transfer)?))
            }
            Request::MayTurn(name) => {
                self.policy().require(Right::Control, &name).map_err(refused)?;
                Ok(Reply::Done())
            }
            Request::Ping() => Ok(Reply::Done()),
            Request::Hello(_) | Request::Receive(_) | Request::Send(_) => {
                Err(Error::new(ErrorKind::Denied, "a request that is out of turn"))
            }
        }
    }

    fn policy(&self) -> &Policy {
        &self.server.policy
    }

    /// Of what lies above the allowed trees no more is told than that it is there.
    fn observe(&self, name: &DatasetName) -> Result<Option<State>, Error> {
        match self.policy().require_any(name) {
            Ok(()) => self.server.host.observe(name),
            Err(_) if self.policy().is_above(name) => Ok(self.server.host.glance(name)?.map(only_there)),
            Err(denied) => Err(refused(denied)),
        }
    }

    fn require_known(&self, name: &DatasetName) -> Result<(), Error> {
        if self.policy().is_above(name) {
            return Ok(());
        }
        self.policy().require_any(name).map_err(refused)
    }

    fn with_property(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        if !Key::ALL.iter().any(|key| self.tag.property(*key) == property) {
            return Err(Error::new(
                ErrorKind::Denied,
                format!("{property:?} is none of zrep's properties"),
            ));
        }
        let mut names = self.server.host.with_property(property)?;
        names.retain(|name| self.policy().require_any(name).is_ok());
        Ok(names)
    }

    fn lock_seen(&self, name: &DatasetName) -> Result<Seen, Error> {
        self.policy().require_any(name).map_err(refused)?;
        let state = self.server.host.glance(name)?;
        let Some(state) = state else { return Ok(Seen::Free) };
        let seen = self.server.host.lock_seen(&state, &self.tag);
        lock::knock(&self.server.settings.rundir, &state, &self.tag, &seen);
        // N.B. the peer may have named the process itself: what it runs is none of its business, but that it is worth waiting for.
        let is_a_loop = seen.is_a_loop();
        Ok(match (seen, self.policy()) {
            (Seen::Alive { .. }, Policy::Only { .. }) => Seen::Alive {
                command: is_a_loop.then(|| "zrep sync --every".to_owned()),
            },
            (seen, _) => seen,
        })
    }
}

fn only_there(state: State) -> State {
    State {
        user: Default::default(),
        copied: Default::default(),
        written: 0,
        referenced: 0,
        partial: None,
        ..state
    }
}

fn refused(denied: Denied) -> Error {
    Error::new(ErrorKind::Denied, denied.text).with_hint(denied.hint)
}

fn denied(text: String) -> Error {
    Error::new(ErrorKind::Denied, text)
}
