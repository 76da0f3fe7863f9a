//! The other end of a session: `zrep serve` reads requests, looks whether this machine's own rules allow them, and calls its own host.
//!
//! One request is under way at a time. A stream is read by the kernel from where the request came from; after any failure inside one
//! the session ends, because nobody knows where in the stream it stands.

use std::io::{PipeReader, PipeWriter};
use std::sync::Arc;
use std::time::Duration;

use crate::host::{Applied, BatchError, Carried, Error, ErrorKind, Host, Received};
use crate::lock::FileLock;
use crate::model::{Guid, Snapshot, State};
use crate::plan::lock::Seen;
use crate::plan::{Action, Object, Transfer, expire};
use crate::policy::{Denied, Policy, Right, Verdict};
use crate::props::{Key, Tag, View};
use crate::relay::{self, Way};
use crate::settings::Settings;
use crate::wire::channel::{Broken, Channel};
use crate::wire::frame::{LONGEST_REQUEST, VERSION};
use crate::wire::message::{Encoding, Hello, Receive, Reply, Request, Send, Welcome};
use pulse::Pulse;
use zfs_ffi::DatasetName;

mod creation;
mod pulse;

/// No client may ask to be waited for longer.
const LONGEST_PATIENCE: u32 = 3600;

/// What a server is made of.
#[derive(Debug)]
pub struct Server {
    /// This machine's ZFS.
    pub host: Arc<dyn Host>,
    /// Its rules for this peer.
    pub policy: Policy,
    /// Its name, its run directory, and how long a client may be silent before its hello; from then on the client's own word counts.
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
        let tag = match accept(&hello) {
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

fn accept(hello: &Hello) -> Result<Tag, Error> {
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
    Tag::new(&hello.tag).map_err(|error| Error::new(ErrorKind::Denied, error.to_string()))
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
                self.policy()
                    .require(Right::Send, &transfer.snapshot.dataset())
                    .map_err(refused)?;
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
        Ok(state.map_or(Seen::Free, |state| self.server.host.lock_seen(&state, &self.tag)))
    }

    /// Carries out a batch of which every action is allowed, in order.
    fn apply(&mut self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        let kept = self.judge(batch)?;
        let allowed: Vec<Action> = (batch.iter().zip(&kept))
            .filter(|(_, kept)| kept.is_none())
            .map(|(action, _)| action.clone())
            .collect();
        let _lock = self.file_lock(&allowed).map_err(|error| BatchError {
            index: 0,
            begun: false,
            error,
        })?;
        let applied = if allowed.is_empty() {
            Vec::new()
        } else {
            self.server.host.apply(&allowed)?
        };
        self.made.extend(applied.iter().filter_map(|applied| match applied {
            Applied::Created { guid, .. } => Some(*guid),
            Applied::Done | Applied::Kept { .. } => None,
        }));
        let mut applied = applied.into_iter();
        Ok(kept
            .into_iter()
            .map(|kept| kept.or_else(|| applied.next()).unwrap_or(Applied::Done))
            .collect())
    }

    /// For each action: what it comes to without being done, if it is not to be done.
    fn judge(&self, batch: &[Action]) -> Result<Vec<Option<Applied>>, BatchError> {
        let mut kept = Vec::with_capacity(batch.len());
        for (index, action) in batch.iter().enumerate() {
            let judged = self.policy().judge(&self.tag, action).map_err(refused);
            let verdict = judged.and_then(|verdict| self.look_twice(action, &verdict));
            kept.push(verdict.map_err(|error| BatchError {
                index,
                begun: false,
                error,
            })?);
        }
        Ok(kept)
    }

    fn look_twice(&self, action: &Action, verdict: &Verdict) -> Result<Option<Applied>, Error> {
        let Action::Destroy { snapshot, guid, .. } = action else {
            return Ok(None);
        };
        match verdict {
            Verdict::Do => Ok(None),
            Verdict::IfMadeHere if self.made.contains(guid) => Ok(None),
            Verdict::IfMadeHere => Err(Error::new(
                ErrorKind::Denied,
                format!("destroy {snapshot}: a peer may destroy only what it made itself in the same session"),
            )
            .with_hint("no rule allows this; do it on that machine itself")),
            Verdict::IfExpired if self.has_expired(&snapshot.dataset(), *guid)? => Ok(None),
            Verdict::IfExpired => Ok(Some(Applied::Kept {
                reason: "this side's own savecount keeps it".into(),
            })),
        }
    }

    fn has_expired(&self, dataset: &DatasetName, guid: Guid) -> Result<bool, Error> {
        let Some(state) = self.server.host.observe(dataset)? else {
            return Ok(true);
        };
        let count = expire::savecount(&state, &self.tag, expire::DEFAULT_SAVECOUNT).unwrap_or(usize::MAX);
        let is_there = |snapshot: &Snapshot| snapshot.guid == guid;
        let excess = expire::on_target(&self.tag, &state.snapshots, None, count);
        Ok(!state.snapshots.iter().any(is_there) || excess.into_iter().any(is_there))
    }

    /// The file that shell zrep looks at, around the taking of a lock.
    fn file_lock(&self, batch: &[Action]) -> Result<Option<FileLock>, Error> {
        let property = self.tag.property(Key::LockPid);
        let takes = |action: &Action| match action {
            Action::Set {
                on: Object::Dataset(_),
                properties,
            } => properties
                .iter()
                .any(|(name, value)| *name == property && value.is_some()),
            _ => false,
        };
        if !batch.iter().any(takes) {
            return Ok(None);
        }
        let settings = &self.server.settings;
        FileLock::take(&settings.rundir, std::process::id(), settings.lock_retry)
            .map(Some)
            .map_err(|error| Error::new(ErrorKind::Busy, format!("lock file: {error:?}")))
    }

    fn receive(&mut self, channel: &mut Channel, number: u32, receive: Receive) -> Result<(), End> {
        let guard = self.pulse.as_ref().map(|pulse| pulse.beat(number));
        let result = self.receive_all(channel, receive);
        drop(guard);
        match result {
            Ok(carried) => {
                let failed = carried.received.as_ref().is_none_or(Result::is_err);
                channel.answer(number, &Reply::Carried(carried)).map_err(ended)?;
                if failed { Err(End::Closed) } else { Ok(()) }
            }
            Err(error) => {
                channel.answer(number, &Reply::Failed(error)).map_err(ended)?;
                // The stream is on its way, and nobody reads it.
                Err(End::Closed)
            }
        }
    }

    fn receive_all(&mut self, channel: &Channel, receive: Receive) -> Result<Carried, Error> {
        let Receive {
            before,
            mut transfer,
            after,
            encoding,
            filter,
        } = receive;
        self.require_receivable(&mut transfer)?;
        // Judged as a whole first: nothing is begun of what cannot be finished.
        for batch in [&before, &after] {
            batch
                .iter()
                .try_for_each(|action| self.policy().judge(&self.tag, action).map(drop))
                .map_err(refused)?;
        }
        let filter = self.require_filter(filter)?;
        let before = self.apply(&before);
        let (mut received, mut applied) = (None, None);
        if before.is_ok() {
            let result = self.receive_stream(channel, &transfer, encoding, filter);
            if result.is_ok() {
                applied = Some(self.apply(&after));
            }
            received = Some(result);
        }
        Ok(Carried {
            before,
            received,
            after: applied,
        })
    }

    fn receive_stream(
        &self,
        channel: &Channel,
        transfer: &Transfer,
        encoding: Encoding,
        filter: Option<String>,
    ) -> Result<Received, Error> {
        let way = Way {
            encoding,
            rate: None,
            outfilter: None,
            infilter: filter,
        };
        let io = |error: std::io::Error| Error::new(ErrorKind::Other, format!("receive {}: {error}", transfer.into));
        let (input, relay) = channel
            .way_in()
            .and_then(|input| relay::inward(&way, input, channel.patience()))
            .map_err(io)?;
        let received = self.pulse.as_ref().map_or_else(
            || self.server.host.receive(transfer, input.try_clone().map_err(io)?),
            |pulse| pulse.counting(|| self.server.host.receive(transfer, input.try_clone().map_err(io)?)),
        );
        drop(input);
        let relayed = relay.join();
        let received = received?;
        relayed.map(|()| received)
    }

    /// Only a replica is received into, and only this machine's own properties say what is one.
    fn require_receivable(&self, transfer: &mut Transfer) -> Result<(), Error> {
        let dataset = transfer.into.dataset();
        self.policy().require(Right::Receive, &dataset).map_err(refused)?;
        if let Some(creation) = &mut transfer.creation {
            *creation = creation::harmless(&self.tag, &dataset, creation);
        }
        let state = self.server.host.glance(&dataset)?;
        let is_master = state
            .as_ref()
            .is_some_and(|state| View::new(state, &self.tag).is_master());
        let is_replica = state
            .as_ref()
            .is_none_or(|state| View::new(state, &self.tag).is_paired() || state.inconsistent);
        match (is_master, is_replica || self.policy() == &Policy::User) {
            (true, _) => Err(denied(format!("receive into {dataset}: it is the master here"))),
            (false, false) => Err(denied(format!(
                "receive into {dataset}: it is no replica of a pairing with tag {}",
                self.tag
            ))),
            (false, true) => Ok(()),
        }
    }

    fn require_filter(&self, filter: Option<String>) -> Result<Option<String>, Error> {
        match filter {
            Some(text) if !self.policy().may_run_commands() => Err(denied(format!(
                "filter {text:?}: a peer with rules may not name commands"
            ))
            .with_hint("use --compress, or no filter")),
            filter => Ok(filter),
        }
    }

    fn send(&mut self, channel: &mut Channel, number: u32, send: Send) -> Result<(), End> {
        let Send {
            before,
            transfer,
            encoding,
            filter,
        } = send;
        let guard = self.pulse.as_ref().map(|pulse| pulse.beat(number));
        let allowed = self
            .policy()
            .require(Right::Send, &transfer.snapshot.dataset())
            .map_err(refused);
        let allowed = allowed.and_then(|()| self.require_filter(filter));
        let before = allowed.map(|filter| (filter, self.apply(&before)));
        drop(guard);
        let filter = match before {
            Ok((filter, before)) => {
                let is_done = before.is_ok();
                channel.answer(number, &Reply::Follows(before)).map_err(ended)?;
                if !is_done {
                    return Ok(());
                }
                filter
            }
            Err(error) => return channel.answer(number, &Reply::Failed(error)).map_err(ended),
        };
        self.send_stream(channel, number, &transfer, encoding, filter)
            .map_err(End::Stream)?;
        channel.answer(number, &Reply::Sent()).map_err(ended)
    }

    fn send_stream(
        &self,
        channel: &Channel,
        number: u32,
        transfer: &Transfer,
        encoding: Encoding,
        filter: Option<String>,
    ) -> Result<(), Error> {
        let way = Way {
            encoding,
            rate: None,
            outfilter: filter,
            infilter: None,
        };
        let io = |error: std::io::Error| Error::new(ErrorKind::Other, format!("send {}: {error}", transfer.snapshot));
        let (out, relay) = channel
            .way_out()
            .and_then(|out| relay::outward(&way, out, number, channel.patience()))
            .map_err(io)?;
        let _beat = self.pulse.as_ref().map(Pulse::beat_beside);
        self.server.host.send(transfer, out, None)?;
        relay.join()
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
