//! Streams that a client sends or wants, and what stands around them.

use std::time::Duration;

use super::{End, Session, denied, ended, refused};
use crate::host::{Carried, Error, ErrorKind, Received};
use crate::model::State;
use crate::plan::pairing::is_named;
use crate::plan::{Action, BaseName, IfHeld, Transfer};
use crate::policy::{Policy, Right};
use crate::props::View;
use crate::relay::{self, Way};
use crate::serve::batch::require_few;
use crate::serve::creation;
use crate::serve::pulse::{Pulse, STANDSTILL};
use crate::wire::channel::Channel;
use crate::wire::message::{Encoding, Receive, Reply, Send};

impl Session {
    pub(super) fn receive(&mut self, channel: &mut Channel, number: u32, receive: Receive) -> Result<(), End> {
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
            require_few(batch)?;
            batch
                .iter()
                .try_for_each(|action| self.policy().judge(&self.tag, action).map(drop))
                .map_err(refused)?;
        }
        // An undo behind the stream can only be of what was made before it.
        let undone = after.iter().filter(|action| {
            matches!(
                action,
                Action::Destroy {
                    if_held: IfHeld::Fail,
                    ..
                }
            )
        });
        let undone: Vec<Action> = undone.cloned().collect();
        self.judge(&undone).map_err(|failed| failed.error)?;
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
        let within = Self::time_to_begin(channel, encoding);
        let look = || self.require_unchanged(transfer);
        let receive = || {
            let input = input.try_clone().map_err(io)?;
            self.server.host.receive_begun(transfer, input, within, &look)
        };
        let received = self
            .pulse
            .as_ref()
            .map_or_else(receive, |pulse| pulse.counting(receive));
        drop(input);
        let relayed = relay.join();
        let received = received?;
        relayed.map(|()| received)
    }

    /// A kernel writes the beginning of its stream at once. Who compresses or filters it may hold that back until there is more.
    fn time_to_begin(channel: &Channel, encoding: Encoding) -> Duration {
        match encoding {
            Encoding::Plain => channel.patience(),
            Encoding::Chunks | Encoding::Zstd => channel.patience() * STANDSTILL,
        }
    }

    /// Only a replica is received into, and only this machine's own properties say what is one.
    pub(super) fn require_receivable(&self, transfer: &mut Transfer) -> Result<(), Error> {
        let dataset = transfer.into.dataset();
        self.policy().require(Right::Receive, &dataset).map_err(refused)?;
        let state = self.server.host.glance(&dataset)?;
        let top = self.top_above(&dataset)?;
        // A child of a replica is read-only by that, and becomes writable with it.
        let inherits = top.as_ref().is_some_and(|top| top.readonly);
        transfer.creation = creation::allowed(&self.tag, &dataset, state.as_ref(), transfer.creation.take(), inherits);
        match (state, top) {
            (Some(state), _) => self.require_replica(&state),
            (None, Some(top)) => self.require_replica(&top),
            (None, None) => Ok(()),
        }
    }

    /// The same when the stream has begun. Since it was announced, a takeover may have made the dataset the master: to the kernel a base with
    /// snapshots behind it is good enough as long as nothing was written, and what was taken over would be gone.
    pub(super) fn require_unchanged(&self, transfer: &Transfer) -> Result<(), Error> {
        let dataset = transfer.into.dataset();
        let Some(state) = self.server.host.observe(&dataset)? else {
            return Ok(());
        };
        self.require_replica(&state)?;
        let newest = state.newest().map(|newest| newest.guid);
        match &transfer.base {
            Some(base) if newest != Some(base.guid) => Err(Error::new(
                ErrorKind::WrongBase,
                format!("receive into {dataset}: {} is not its newest snapshot", base.name),
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn require_replica(&self, state: &State) -> Result<(), Error> {
        let dataset = &state.name;
        let inconsistent = state.inconsistent;
        let state = &self.top_of(state.clone())?;
        let view = View::new(state, &self.tag);
        // N.B. a dataset that was renamed carries the properties of a pair that it is not part of.
        let is_of_pair = view.is_paired() && view.link().is_none_or(|link| is_named(&link, state));
        let is_replica = is_of_pair || inconsistent || self.policy() == &Policy::User;
        match (view.is_master(), is_replica) {
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

    pub(super) fn send(&mut self, channel: &mut Channel, number: u32, send: Send) -> Result<(), End> {
        let Send {
            before,
            transfer,
            encoding,
            filter,
        } = send;
        let guard = self.pulse.as_ref().map(|pulse| pulse.beat(number));
        let allowed = self.require_source(&transfer);
        let allowed = allowed.and_then(|()| self.require_filter(filter));
        let allowed = allowed.and_then(|filter| self.require_sendable(&before, &transfer).map(|()| filter));
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

    /// What is sent, and what it is sent from: by an error, a base elsewhere would tell whether it is there.
    pub(super) fn require_source(&self, transfer: &Transfer) -> Result<(), Error> {
        let base = transfer.base.as_ref().map(|base| match &base.name {
            BaseName::Snapshot(name) => name.dataset(),
            BaseName::Bookmark(name) => name.dataset(),
        });
        [Some(transfer.snapshot.dataset()), base]
            .iter()
            .flatten()
            .try_for_each(|dataset| self.policy().require(Right::Send, dataset))
            .map_err(refused)
    }

    /// Once the stream is announced, a failure ends the session. So it is looked before whether there is something to send at all.
    fn require_sendable(&self, before: &[Action], transfer: &Transfer) -> Result<(), Error> {
        let dataset = transfer.snapshot.dataset();
        let state = self.server.host.glance(&dataset)?;
        let stays = state.is_some_and(|state| !View::new(&state, &self.tag).may_leave_in_the_clear());
        if stays && !transfer.flags.raw && self.policy() != &Policy::User {
            return Err(denied(format!(
                "send {}: it is encrypted, and leaves raw only",
                transfer.snapshot
            )));
        }
        match self.server.host.estimate(transfer) {
            Err(error) if error.kind == ErrorKind::NotFound && before.is_empty() => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
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
        let send = || self.server.host.send(transfer, out, None).and_then(|()| relay.join());
        match &self.pulse {
            Some(pulse) => pulse.counting(send),
            None => send(),
        }
    }
}
