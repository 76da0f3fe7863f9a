//! What zrep knows of a dataset: plain data, observed by a [`Host`](crate::host::Host) and read by the plan.

use std::collections::BTreeMap;
use std::fmt;

use zfs_ffi::{BookmarkName, DatasetName, SnapshotName};

/// The identity of a dataset, snapshot or bookmark. A snapshot keeps it through send and receive, so two snapshots of equal
/// guid hold the same data, whatever their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub u64);

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One of the two ends of a pairing, in the direction of replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The master: it is written to, and sent from.
    Source,
    /// The replica.
    Target,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// What a dataset holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Files.
    Filesystem,
    /// A block device.
    Volume,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Filesystem => "filesystem",
            Self::Volume => "volume",
        })
    }
}

/// Where a property's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Set on the dataset itself.
    Local,
    /// Came with a replication stream.
    Received,
    /// Set on an ancestor.
    Inherited,
    /// Set nowhere: ZFS's own default.
    Default,
}

/// A user property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its text.
    pub value: String,
    /// Where it was set.
    pub origin: Origin,
}

/// The value of a native property in the type that the kernel keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Native {
    /// A string property.
    Text(String),
    /// A number, or the index of a word.
    Number(u64),
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The part behind `@`.
    pub name: String,
    /// Its identity.
    pub guid: Guid,
    /// The transaction group that made it. Orders the snapshots of one pool; says nothing in another pool.
    pub createtxg: u64,
    /// Seconds since 1970; 0 if it was not asked for. Copied from the source by a receive.
    pub creation: u64,
    /// The user properties that are set on the snapshot itself; empty if they were not asked for.
    pub user: BTreeMap<String, String>,
}

/// A bookmark: the point in time of a snapshot that may be gone. It can be the base of a send, never of a receive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// The part behind `#`.
    pub name: String,
    /// The guid of the snapshot it was made from.
    pub guid: Guid,
    /// The transaction group of that snapshot.
    pub createtxg: u64,
}

/// A receive that was interrupted and can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// The snapshot that was being received.
    pub to_guid: Guid,
    /// Its base, if it was an incremental stream.
    pub from_guid: Option<Guid>,
    /// The sender's name of that snapshot, `pool/fs@name`.
    pub to_name: String,
    /// Where to go on.
    pub point: ResumePoint,
}

/// Where an interrupted stream goes on, and how it was sent so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResumePoint {
    /// Number of the object.
    pub object: u64,
    /// Bytes into it.
    pub offset: u64,
    /// Bytes that the target has already.
    pub bytes: u64,
    /// The flags of the stream.
    pub stream: StreamFlags,
}

/// How a stream is written. What one part of a stream was written with, the rest must be, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamFlags {
    /// Blocks over 128 KiB as they are.
    pub large_blocks: bool,
    /// Blocks compressed as they are on disk.
    pub compressed: bool,
    /// Small blocks inside their pointers.
    pub embedded: bool,
    /// Encrypted blocks as they are on disk: no key is needed on either side.
    pub raw: bool,
}

impl StreamFlags {
    /// What zrep sends: large blocks always (a later stream without them would be refused), compressed blocks always (it is
    /// less work on both sides), embedded ones never (an encrypted target refuses them).
    pub fn plain() -> Self {
        Self {
            large_blocks: true,
            compressed: true,
            embedded: false,
            raw: false,
        }
    }

    /// The same for an encrypted dataset whose ciphertext is sent.
    pub fn raw() -> Self {
        Self {
            raw: true,
            ..Self::plain()
        }
    }
}

/// The four properties that name the ends of a pairing, as they stand on disk. Anybody who may set a property may have
/// written them: they are checked where they are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Host of the source.
    pub src_host: String,
    /// Dataset of the source.
    pub src_fs: String,
    /// Host of the target.
    pub dest_host: String,
    /// Dataset of the target.
    pub dest_fs: String,
}

/// One dataset on one side, as observed at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Its name.
    pub name: DatasetName,
    /// Its identity.
    pub guid: Guid,
    /// What it holds.
    pub kind: Kind,
    /// Its user properties, inherited ones included.
    pub user: BTreeMap<String, Setting>,
    /// The native properties that a replica takes over from its source, where they are set locally or received.
    pub copied: BTreeMap<String, Native>,
    /// Whether it is read-only.
    pub readonly: bool,
    /// Where that comes from.
    pub readonly_origin: Origin,
    /// Whether its data is encrypted.
    pub encrypted: bool,
    /// Bytes written since its newest snapshot.
    pub written: u64,
    /// Bytes that it refers to.
    pub referenced: u64,
    /// It is being received for the first time, and holds nothing yet.
    pub inconsistent: bool,
    /// Its snapshots, oldest first.
    pub snapshots: Vec<Snapshot>,
    /// Its bookmarks, oldest first.
    pub bookmarks: Vec<Bookmark>,
    /// The receive that was interrupted, if there is one.
    pub partial: Option<Partial>,
    /// The name that its machine has in pairings; empty if that is the one that asks.
    pub host: String,
}

/// The datasets below the two ends of a recursive pairing, at any depth, in the order of their names: a parent stands before its children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Below {
    /// On the source.
    pub source: Vec<State>,
    /// On the target.
    pub target: Vec<State>,
}

impl Below {
    /// One side of it.
    pub fn of(&self, side: Side) -> &[State] {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }
}

impl State {
    /// The full name of one of its snapshots. Fails where the two names together are longer than ZFS allows.
    pub fn snapshot_name(&self, short: &str) -> Result<SnapshotName, zfs_ffi::NameError> {
        self.name.snapshot(short)
    }

    /// The full name of one of its bookmarks.
    pub fn bookmark_name(&self, short: &str) -> Result<BookmarkName, zfs_ffi::NameError> {
        self.name.bookmark(short)
    }

    /// Its newest snapshot.
    pub fn newest(&self) -> Option<&Snapshot> {
        self.snapshots.last()
    }
}

/// States for tests, written as a line: `@a=1` is snapshot `a` of guid 1, `!` behind it the sent mark, `#b=1` a bookmark.
#[cfg(test)]
pub(crate) mod notation {
    use super::*;
    use crate::plan::lock::{Holder, Locking, Seen};
    use crate::plan::pairing::Identity;
    use crate::plan::sync::Request;
    use crate::props::Tag;

    /// The host `here`, and the default tag.
    pub(crate) fn me() -> Identity {
        Identity {
            host: "here".into(),
            tag: Tag::new("zrep").unwrap(),
        }
    }

    /// A sync by process 42, of a source that nobody has locked.
    pub(crate) fn request() -> Request {
        let holder = Holder {
            pid: 42,
            since: "20261122180000".into(),
        };
        let locking = Locking::Take {
            holder,
            seen: Seen::Free,
        };
        Request {
            locking,
            now: 1_800_000_000,
            force: false,
            changed_only: false,
            preferences: crate::plan::preferences::Preferences::default(),
        }
    }

    #[derive(Debug)]
    pub(crate) struct Builder(State);

    pub(crate) fn state(name: &str, line: &str) -> Builder {
        let mut state = State {
            name: DatasetName::new(name).unwrap(),
            guid: Guid(name.len() as u64 + 1000),
            kind: Kind::Filesystem,
            user: BTreeMap::new(),
            copied: BTreeMap::new(),
            readonly: false,
            readonly_origin: Origin::Default,
            encrypted: false,
            written: 0,
            referenced: 4096,
            inconsistent: false,
            snapshots: Vec::new(),
            bookmarks: Vec::new(),
            partial: None,
            host: String::new(),
        };
        for (index, word) in line.split_whitespace().enumerate() {
            let createtxg = 10 * (index as u64 + 1);
            let sent = word.ends_with('!');
            let (name, guid) = word[1..].trim_end_matches('!').split_once('=').expect("name=guid");
            let (name, guid) = (name.to_owned(), Guid(guid.parse().expect("a guid")));
            if word.starts_with('#') {
                state.bookmarks.push(Bookmark { name, guid, createtxg });
            } else {
                let user = sent.then(|| ("zrep:sent".to_owned(), "1700000000".to_owned()));
                state.snapshots.push(Snapshot {
                    name,
                    guid,
                    createtxg,
                    creation: createtxg,
                    user: user.into_iter().collect(),
                });
            }
        }
        Builder(state)
    }

    impl Builder {
        pub(crate) fn user(mut self, name: &str, value: &str, origin: Origin) -> Self {
            self.0.user.insert(
                name.to_owned(),
                Setting {
                    value: value.to_owned(),
                    origin,
                },
            );
            self
        }

        pub(crate) fn with(mut self, change: impl FnOnce(&mut State)) -> Self {
            change(&mut self.0);
            self
        }

        /// The four ends of a pairing `a/fs` to `b/fs`, on host `here`.
        pub(crate) fn paired(self, origin: Origin) -> Self {
            self.user("zrep:src-fs", "a/fs", origin)
                .user("zrep:src-host", "here", origin)
                .user("zrep:dest-fs", "b/fs", origin)
                .user("zrep:dest-host", "localhost", origin)
                .user("zrep:savecount", "3", origin)
        }

        pub(crate) fn master(self) -> Self {
            self.paired(Origin::Local).user("zrep:master", "yes", Origin::Local)
        }

        pub(crate) fn replica(self) -> Self {
            self.paired(Origin::Received).with(|state| {
                state.readonly = true;
                state.readonly_origin = Origin::Local;
            })
        }

        pub(crate) fn build(self) -> State {
            self.0
        }
    }
}
