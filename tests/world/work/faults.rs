//! The accidents that can happen to a call.

use zrep::host::{Error, ErrorKind};

use super::deeds::Deed;
use super::{Failed, Work, interrupted};
use crate::world::World;
use crate::world::call::{Answer, Call};

/// What happens to a call, or to those who take part in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The connection breaks before the request is there. Nobody can tell that from a lost reply.
    RequestLost,
    /// There is no connection, and nothing was sent.
    Unreached,
    /// Everything was done, and the caller hears of an error.
    ReplyLost,
    /// The connection breaks in mid-stream; or the process that serves is killed between two deeds.
    LinkCut,
    /// The machine reports an error instead of the next deed.
    Refused,
    /// The sender of a stream fails in its middle.
    SenderFails,
    /// The process that makes the call is killed, or its machine goes down. Nobody undoes anything.
    CallerDies,
    /// The machine that is called goes down. What it has on disk stays, and it is out of reach for the rest of the run.
    PeerDies,
}

impl Fault {
    pub const ALL: [Self; 8] = [
        Self::RequestLost,
        Self::Unreached,
        Self::ReplyLost,
        Self::LinkCut,
        Self::Refused,
        Self::SenderFails,
        Self::CallerDies,
        Self::PeerDies,
    ];
}

impl Fault {
    /// Whether it can leave a part of a program done.
    pub fn leaves_pieces(self) -> bool {
        matches!(self, Self::CallerDies | Self::LinkCut)
    }
}

impl Work {
    /// Whether the fault can strike here.
    pub fn can_be_struck(&self, fault: Fault) -> bool {
        let far = self.asked.over_network;
        let in_row = match self.changes() {
            true => self.done <= self.deeds.len(),
            false => self.done == 0,
        };
        let is_pull = matches!(self.asked.call, Call::Stream { .. }) && !self.asked.is_far;
        match fault {
            Fault::RequestLost | Fault::Unreached => far && self.done == 0 && !is_pull,
            Fault::ReplyLost => self.changes() && self.is_over() && self.failed.is_none(),
            Fault::LinkCut => far && self.done > 0 && !self.is_over() && (!is_pull || self.is_in_stream()),
            Fault::Refused => !self.is_over() && !matches!(self.asked.call, Call::LockSeen { .. }),
            Fault::SenderFails => self.is_in_stream(),
            Fault::CallerDies => in_row,
            Fault::PeerDies => far && in_row,
        }
    }

    /// The fault strikes. Answers with what the caller hears, if it lives.
    pub fn struck(mut self, world: &mut World, fault: Fault) -> Option<Answer> {
        let text = format!("{fault:?} after {} of {} deeds", self.done, self.deeds.len());
        let in_stream = self.is_in_stream();
        match fault {
            Fault::Unreached => Some(self.unheard(Error::new(ErrorKind::Unreachable, text))),
            Fault::RequestLost | Fault::LinkCut | Fault::PeerDies => {
                self.break_stream(world);
                Some(self.unheard(Error::new(ErrorKind::Lost, text)))
            }
            Fault::ReplyLost if self.asked.over_network => Some(self.unheard(Error::new(ErrorKind::Lost, text))),
            Fault::ReplyLost => Some(self.unheard(Error::new(ErrorKind::Other, text))),
            Fault::Refused => {
                self.break_stream(world);
                self.refuse(Error::new(ErrorKind::Other, text));
                Some(self.answer())
            }
            Fault::SenderFails => {
                debug_assert!(in_stream, "no stream to fail");
                self.break_stream(world);
                self.failed = Some(Failed {
                    sent: Some(Error::new(ErrorKind::Other, text)),
                    ..self.failure(Deed::Begin, 0, false, interrupted("the stream ended early"))
                });
                Some(self.answer())
            }
            Fault::CallerDies => {
                self.break_stream(world);
                None
            }
        }
    }

    fn refuse(&mut self, error: Error) {
        let deed = self.deeds[self.done].clone();
        let (at, begun) = match &deed {
            Deed::Before(part) | Deed::After(part) => (part.at, part.begun),
            Deed::Look | Deed::Begin | Deed::Arrive => (0, false),
        };
        if deed == Deed::Look {
            self.looked = Some(self.unheard(error));
        } else {
            self.failed = Some(self.failure(deed, at, begun, error));
        }
    }

    /// The stream ends in its middle: what has arrived of it stays.
    fn break_stream(&mut self, world: &World) {
        if !self.is_in_stream() {
            return;
        }
        let stream = self.stream.take().unwrap_or_default();
        let header = stream.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let half = header + (stream.len() - header) / 2;
        let _partial = self.receive(world, &stream[..half]);
    }
}
