//! What the caller hears: what came of its call, or what it makes of silence.

use zrep::host::{BatchError, Carried, Error, ErrorKind};
use zrep::plan::lock::Seen;

use super::deeds::Deed;
use super::{Failed, Work, interrupted};
use crate::world::call::{Answer, Call, Streamed};

impl Work {
    /// The answer to a call that is over.
    pub fn answer(&self) -> Answer {
        let failed = |wanted: fn(&Deed) -> bool| self.failed.as_ref().filter(|failed| wanted(&failed.deed));
        let batch = |failed: &Failed| BatchError {
            index: failed.index,
            begun: failed.begun,
            error: failed.error.clone(),
        };
        match &self.asked.call {
            Call::Apply(_) => Answer::Applied(
                self.failed
                    .as_ref()
                    .map_or(Ok(self.before.clone()), |failed| Err(batch(failed))),
            ),
            Call::Fetch { .. } => Answer::Fetched(
                self.failed
                    .as_ref()
                    .map_or(Ok(self.before.clone()), |failed| Err(batch(failed))),
            ),
            Call::Stream { .. } => {
                if let Some(failed) = failed(|deed| *deed == Deed::Look) {
                    return Answer::Streamed(Streamed {
                        sent: Err(interrupted("the receiver went away")),
                        carried: Err(failed.error.clone()),
                    });
                }
                let before = failed(|deed| matches!(deed, Deed::Before(_)));
                let stream = failed(|deed| matches!(deed, Deed::Begin | Deed::Arrive));
                let after = failed(|deed| matches!(deed, Deed::After(_)));
                let received = match (before, stream, &self.received) {
                    (Some(_), _, _) => None,
                    (None, Some(failed), _) => Some(Err(failed.error.clone())),
                    (None, None, received) => received.clone().map(Ok),
                };
                let sent = match (before, stream) {
                    (None, None) => Ok(()),
                    (_, Some(Failed { sent: Some(error), .. })) => Err(error.clone()),
                    (Some(_), _) | (None, Some(_)) => Err(interrupted("the receiver went away")),
                };
                Answer::Streamed(Streamed {
                    sent,
                    carried: Ok(Carried {
                        before: before.map_or(Ok(self.before.clone()), |failed| Err(batch(failed))),
                        after: matches!(received, Some(Ok(_)))
                            .then(|| after.map_or(Ok(self.after.clone()), |failed| Err(batch(failed)))),
                        received,
                    }),
                })
            }
            Call::Observe(_)
            | Call::SnapshotsSince(..)
            | Call::Settle(_)
            | Call::WithProperty(_)
            | Call::Children(_)
            | Call::ObserveBelow(_)
            | Call::LockSeen { .. }
            | Call::MayTurn(_) => self.looked.clone().expect("a question that was answered"),
        }
    }

    /// What the caller makes of a call about which it hears nothing but `error`.
    pub fn unheard(&self, error: Error) -> Answer {
        match &self.asked.call {
            Call::Observe(_) => Answer::Observed(Err(error)),
            Call::SnapshotsSince(..) => Answer::Snapshots(Err(error)),
            Call::Settle(_) | Call::MayTurn(_) => Answer::Done(Err(error)),
            Call::ObserveBelow(_) => Answer::Below(Err(error)),
            Call::WithProperty(_) | Call::Children(_) => Answer::Names(Err(error)),
            // Whoever cannot be asked may live.
            Call::LockSeen { .. } => Answer::Seen(Seen::Alive { command: None }),
            Call::Apply(_) => Answer::Applied(Err(BatchError {
                index: 0,
                begun: error.kind != ErrorKind::Unreachable,
                error,
            })),
            Call::Fetch { .. } => Answer::Fetched(Err(BatchError {
                index: 0,
                begun: error.kind != ErrorKind::Unreachable,
                error,
            })),
            Call::Stream { .. } => self.unheard_stream(error),
        }
    }

    fn unheard_stream(&self, error: Error) -> Answer {
        let gone = || interrupted("the receiver went away");
        if self.asked.is_far && self.asked.over_network {
            let sent = if self.received.is_some() { Ok(()) } else { Err(gone()) };
            // Without a server there, its stream has one answer, and nothing travels with it.
            return Answer::Streamed(Streamed {
                sent,
                carried: Err(error),
            });
        }
        let (sent, received) = match &self.received {
            // The receiver is here, and knows that everything has arrived.
            Some(received) if self.asked.over_network => (Err(error), Ok(received.clone())),
            Some(_) => (Ok(()), Err(error)),
            None => (Err(error), Err(interrupted("the stream ended early"))),
        };
        Answer::Streamed(Streamed {
            sent,
            carried: Ok(Carried {
                before: Ok(Vec::new()),
                received: Some(received),
                after: None,
            }),
        })
    }
}
