//! What is asked and what is answered.

use super::codec::{Decoded, Input, Malformed, Wire, fields};
use crate::host::{Applied, BatchError, Carried, Error};
use crate::model::{Snapshot, State};
use crate::plan::lock::Seen;
use crate::plan::{Action, Transfer};
use zfs_ffi::DatasetName;

/// The first request: who asks, and in which versions of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The oldest version that is understood.
    pub oldest: u8,
    /// The newest one.
    pub newest: u8,
    /// The version of the program.
    pub zrep: String,
    /// The name that the asking machine has in pairings.
    pub host: String,
    /// The tag that all of the session is about.
    pub tag: String,
    /// After so many seconds without a word a session is given up.
    pub patience: u32,
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// The version that is spoken from now on.
    pub version: u8,
    /// The version of the program.
    pub zrep: String,
    /// The name that the answering machine has in pairings.
    pub host: String,
    /// The process that answers; it is the holder of locks taken there.
    pub pid: u32,
    /// The version of OpenZFS, if it says one.
    pub zfs: String,
    /// What else it can do: `chunks`, `zstd`, `filter`.
    pub features: Vec<String>,
}

/// How a stream travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As the kernel writes it: it says itself where it ends.
    Plain,
    /// In frames, so that anything can be in it.
    Chunks,
    /// In frames, compressed by zstd.
    Zstd,
}

/// A stream to receive, and what happens around it in the same round trip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receive {
    /// Changes and conditions before the stream is looked at.
    pub before: Vec<Action>,
    /// What the stream is.
    pub transfer: Transfer,
    /// Changes after it has arrived.
    pub after: Vec<Action>,
    /// How it travels.
    pub encoding: Encoding,
    /// A command that it passes through first.
    pub filter: Option<String>,
}

/// A stream to send, and what happens before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Changes and conditions before the stream is made.
    pub before: Vec<Action>,
    /// What the stream is.
    pub transfer: Transfer,
    /// How it travels.
    pub encoding: Encoding,
    /// A command that it passes through.
    pub filter: Option<String>,
}

fields!(Hello {
    oldest,
    newest,
    zrep,
    host,
    tag,
    patience
});
fields!(Welcome {
    version,
    zrep,
    host,
    pid,
    zfs,
    features
});
fields!(Receive {
    before,
    transfer,
    after,
    encoding,
    filter
});
fields!(Send {
    before,
    transfer,
    encoding,
    filter
});
fields!(Carried {
    before,
    received,
    after
});
super::codec::choice!(Encoding, "encoding" { 0 => Plain {}, 1 => Chunks {}, 2 => Zstd {} });

/// A message has a number in its frame's header, and its fields behind it.
macro_rules! messages {
    ($(#[$doc:meta])* $type:ident, $what:literal { $( $(#[$variant_doc:meta])* $number:literal => $variant:ident ( $( $name:ident : $field:ty ),* ) ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $type {
            $( $(#[$variant_doc])* $variant($( $field ),*) ),*
        }

        impl $type {
            /// The number of its type.
            pub fn kind(&self) -> u8 {
                match self {
                    $( Self::$variant(..) => $number ),*
                }
            }

            /// Its fields as bytes.
            pub fn encode(&self) -> Vec<u8> {
                let mut out = Vec::new();
                match self {
                    $( Self::$variant($( $name ),*) => {
                        $( $name.put(&mut out); )*
                    } )*
                }
                out
            }

            /// A message from the number of its type and its fields.
            pub fn decode(kind: u8, bytes: &[u8]) -> Decoded<Self> {
                match kind {
                    $( $number => {
                        let ($( $name, )*): ($( $field, )*) = Input::whole::<Fields<($( $field, )*)>>(bytes)?.0;
                        Ok(Self::$variant($( $name ),*))
                    } )*
                    number => Err(Malformed::Unknown { what: $what, number: number.into() }),
                }
            }
        }
    };
}

/// The fields of a message, however many.
struct Fields<T>(T);

impl Wire for Fields<()> {
    fn put(&self, _out: &mut Vec<u8>) {}

    fn get(_input: &mut Input<'_>) -> Decoded<Self> {
        Ok(Self(()))
    }
}

impl<A: Wire> Wire for Fields<(A,)> {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.0.put(out);
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        Ok(Self((A::get(input)?,)))
    }
}

impl<A: Wire, B: Wire> Wire for Fields<(A, B)> {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.0.put(out);
        self.0.1.put(out);
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        Ok(Self((A::get(input)?, B::get(input)?)))
    }
}

messages! {
    /// What is asked of the other side.
    Request, "request" {
        /// Who asks. Must be the first request, and only that.
        0x01 => Hello(hello: Hello),
        /// See [`Host::observe`](crate::host::Host::observe).
        0x02 => Observe(name: DatasetName),
        /// See [`Host::snapshots_since`](crate::host::Host::snapshots_since).
        0x03 => SnapshotsSince(name: DatasetName, txg: u64),
        /// See [`Host::settle`](crate::host::Host::settle).
        0x04 => Settle(pool: String),
        /// See [`Host::with_property`](crate::host::Host::with_property).
        0x05 => WithProperty(property: String),
        /// See [`Host::lock_seen`](crate::host::Host::lock_seen).
        0x06 => LockSeen(name: DatasetName),
        /// See [`Host::apply`](crate::host::Host::apply).
        0x07 => Apply(batch: Vec<Action>),
        /// The stream follows at once.
        0x08 => Receive(receive: Box<Receive>),
        /// The stream follows the answer `Follows`.
        0x09 => Send(send: Box<Send>),
        /// See [`Host::estimate`](crate::host::Host::estimate).
        0x0a => Estimate(transfer: Transfer),
        /// Still there.
        0x0b => Ping(),
        /// See [`Host::may_turn`](crate::host::Host::may_turn).
        0x0c => MayTurn(name: DatasetName),
        /// See [`Host::observe_below`](crate::host::Host::observe_below).
        0x0d => ObserveBelow(name: DatasetName),
    }
}

messages! {
    /// What is answered.
    Reply, "answer" {
        /// To `Hello`.
        0x81 => Welcome(welcome: Welcome),
        /// To `Observe`.
        0x82 => Observed(state: Option<Box<State>>),
        /// To `SnapshotsSince`.
        0x83 => Snapshots(snapshots: Vec<Snapshot>),
        /// To `Settle` and `Ping`.
        0x84 => Done(),
        /// To `WithProperty`.
        0x85 => Names(names: Vec<DatasetName>),
        /// To `LockSeen`.
        0x86 => Seen(seen: Seen),
        /// To `Apply`.
        0x87 => Applied(result: Result<Vec<Applied>, BatchError>),
        /// To `Receive`, when all is done.
        0x88 => Carried(carried: Carried),
        /// To `Send`: what came of the changes before it. If they were done, the stream is next.
        0x89 => Follows(before: Result<Vec<Applied>, BatchError>),
        /// To `Send`, behind the stream: it is complete.
        0x8a => Sent(),
        /// To `Estimate`.
        0x8b => Number(number: u64),
        /// To any request that was refused or failed as a whole.
        0x8c => Failed(error: Error),
        /// Not an answer yet: work goes on, and so many bytes of the stream have been read; 0 if that is not known.
        0x8d => Working(bytes: u64),
        /// To `ObserveBelow`.
        0x8e => ObservedBelow(states: Vec<State>),
    }
}

/// The type of a frame that carries a part of a stream in [`Encoding::Chunks`]; one without content ends it.
pub const CHUNK: u8 = 0x40;

impl<T: Wire> Wire for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        T::get(input).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ErrorKind;
    use crate::model::notation::state;

    #[test]
    fn messages_come_back_as_they_went() {
        let observed = Reply::Observed(Some(Box::new(state("a/b c", "@x=1! #y=2").master().build())));
        assert_eq!(Reply::decode(observed.kind(), &observed.encode()), Ok(observed));
        let failed = Reply::Failed(Error::new(ErrorKind::Denied, "no"));
        assert_eq!(Reply::decode(failed.kind(), &failed.encode()), Ok(failed));
        let since = Request::SnapshotsSince(DatasetName::new("a/b").unwrap(), 7);
        assert_eq!(Request::decode(since.kind(), &since.encode()), Ok(since));
    }

    #[test]
    fn a_name_that_zfs_does_not_allow_is_no_message() {
        for name in [
            "src/$(reboot)",
            "src/ümlaut",
            "src/a;b",
            "../x",
            "a@b",
            "",
            "/a",
            "a/%recv",
        ] {
            let mut bytes = Vec::new();
            name.to_owned().put(&mut bytes);
            assert!(
                matches!(Request::decode(0x02, &bytes), Err(Malformed::BadName(_))),
                "{name}"
            );
        }
    }

    #[test]
    fn unknown_types_and_rubbish_are_refused() {
        assert!(Request::decode(0x7f, &[]).is_err());
        assert!(Reply::decode(0x01, &[]).is_err());
        assert!(Request::decode(0x0b, &[0]).is_err(), "a ping has no content");
    }
}
