//! The on-disk format: user properties `TAG:name`, spelled as shell zrep spells them.
//!
//! Which *source* of a value counts is half of the format. `master`, `sent` and the lock count only where they are set locally: a
//! replication stream with properties carries the sender's values along, and a child shows those of its parent. The pair
//! (`src-*`, `dest-*`) and `savecount` count received, too: after `init` the target has them from the stream.

use std::fmt;

use crate::intent::Intent;
use crate::model::{Guid, Link, Origin, Snapshot, State};
use zfs_ffi::DatasetName;

/// The prefix of all names on disk, `zrep` unless `-t` or `ZREPTAG` say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(String);

/// Why a tag cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadTag(String);

impl fmt::Display for BadTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tag {:?}: expected 1 to 64 of a-z, 0-9, '-', '_', '.', beginning with a letter or digit: it becomes part of property and snapshot names",
            self.0
        )
    }
}

impl std::error::Error for BadTag {}

impl Tag {
    /// The tag of a pairing that names none.
    pub const DEFAULT: &'static str = "zrep";

    /// Checks `text`: it must be usable in the name of a user property and of a snapshot.
    pub fn new(text: &str) -> Result<Self, BadTag> {
        // N.B. '+' is allowed in property names, but not in snapshot names.
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
        let starts_well = text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if starts_well && text.len() <= 64 && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadTag(text.to_owned()))
        }
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The full name of a property of this tag, `zrep:master`.
    pub fn property(&self, key: Key) -> String {
        format!("{}:{}", self.0, key.suffix())
    }

    /// Whether a pairing of this tag also replicates the snapshots that others made between two of zrep's.
    ///
    /// Shell zrep sends `-I` for the default tag and `-i` for every other.
    pub fn sends_intermediates(&self) -> bool {
        self.0 == Self::DEFAULT
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The properties of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Dataset on the source.
    SrcFs,
    /// Host of the source.
    SrcHost,
    /// Dataset on the target.
    DestFs,
    /// Host of the target.
    DestHost,
    /// How many of zrep's snapshots each side keeps.
    Savecount,
    /// `yes` on the side that is written to.
    Master,
    /// On a snapshot: when its transfer began, in seconds since 1970.
    Sent,
    /// The process that works on the dataset.
    LockPid,
    /// Since when, local wall time as 14 digits.
    LockTime,
    /// The last sent snapshot, where a platform could not set properties on snapshots.
    LastSent,
    /// When that was.
    LastSentTime,
    /// How often the pairing was turned round, as a number. zrep's own; the script ignores this and the following.
    Epoch,
    /// A change of roles that has begun.
    Intent,
    /// The epoch of the other side that superseded this one.
    Fenced,
    /// What a boot does with a master whose peer cannot be asked.
    Gate,
    /// `yes` where the administrator lets an encrypted dataset leave in the clear.
    Clear,
    /// `yes` where the pairing is of a tree: of the dataset and all below it.
    Recursive,
}

impl Key {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::SrcFs,
        Self::SrcHost,
        Self::DestFs,
        Self::DestHost,
        Self::Savecount,
        Self::Master,
        Self::Sent,
        Self::LockPid,
        Self::LockTime,
        Self::LastSent,
        Self::LastSentTime,
        Self::Epoch,
        Self::Intent,
        Self::Fenced,
        Self::Gate,
        Self::Clear,
        Self::Recursive,
    ];

    /// The name behind the colon.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::SrcFs => "src-fs",
            Self::SrcHost => "src-host",
            Self::DestFs => "dest-fs",
            Self::DestHost => "dest-host",
            Self::Savecount => "savecount",
            Self::Master => "master",
            Self::Sent => "sent",
            Self::LockPid => "lock-pid",
            Self::LockTime => "lock-time",
            Self::LastSent => "lastsent",
            Self::LastSentTime => "lastsenttime",
            Self::Epoch => "epoch",
            Self::Intent => "intent",
            Self::Fenced => "fenced",
            Self::Gate => "gate",
            Self::Clear => "clear",
            Self::Recursive => "recursive",
        }
    }
}

/// Whether a user property is some pairing's bookkeeping, of whatever tag.
///
/// Such properties describe one pairing of one dataset; copying them to another target would make that look like part of it.
pub fn is_bookkeeping(name: &str) -> bool {
    name.split_once(':')
        .is_some_and(|(_, suffix)| Key::ALL.iter().any(|key| key.suffix() == suffix))
}

/// The native properties that a replica takes over. They shape the data, and what may be done with it; where a dataset is mounted,
/// shared or run stays the business of each side.
pub const COPIED: [&str; 29] = [
    "aclinherit",
    "aclmode",
    "acltype",
    "atime",
    "checksum",
    "compression",
    "copies",
    "dedup",
    "direct",
    "dnodesize",
    "logbias",
    "nbmand",
    "overlay",
    "prefetch",
    "primarycache",
    "quota",
    "recordsize",
    "redundant_metadata",
    "refquota",
    "relatime",
    "secondarycache",
    "snapdir",
    "special_small_blocks",
    "sync",
    "volmode",
    "volthreading",
    "vscan",
    "xattr",
    "snapdev",
];

/// Those of them that make devices of a volume's data, which a machine's udev and kernel then look into.
pub const DEVICES: [&str; 2] = ["volmode", "snapdev"];

/// What one tag's properties say of a dataset.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    state: &'a State,
    tag: &'a Tag,
}

/// A savecount that is not a number from 1 up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSavecount(pub String);

impl<'a> View<'a> {
    /// Looks at `state` through `tag`.
    pub fn new(state: &'a State, tag: &'a Tag) -> Self {
        Self { state, tag }
    }

    fn any(&self, key: Key) -> Option<&'a str> {
        self.state
            .user
            .get(&self.tag.property(key))
            .map(|setting| setting.value.as_str())
    }

    fn own(&self, key: Key) -> Option<&'a str> {
        let setting = self.state.user.get(&self.tag.property(key))?;
        matches!(setting.origin, Origin::Local | Origin::Received).then_some(setting.value.as_str())
    }

    fn local(&self, key: Key) -> Option<&'a str> {
        let setting = self.state.user.get(&self.tag.property(key))?;
        (setting.origin == Origin::Local).then_some(setting.value.as_str())
    }

    /// Whether the dataset is one side of a pairing of its own; a child that inherits its parent's properties is not.
    pub fn is_paired(&self) -> bool {
        self.own(Key::DestFs).is_some()
    }

    /// Whether this side is the master. Only a local `yes` counts.
    pub fn is_master(&self) -> bool {
        self.local(Key::Master) == Some("yes")
    }

    /// The pair, if the dataset is one side of one and names all four ends.
    pub fn link(&self) -> Option<Link> {
        if !self.is_paired() {
            return None;
        }
        Some(Link {
            src_host: self.any(Key::SrcHost)?.to_owned(),
            src_fs: self.any(Key::SrcFs)?.to_owned(),
            dest_host: self.any(Key::DestHost)?.to_owned(),
            dest_fs: self.any(Key::DestFs)?.to_owned(),
        })
    }

    /// How many snapshots this side keeps; `None` where the property is absent.
    pub fn savecount(&self) -> Result<Option<usize>, BadSavecount> {
        let Some(text) = self.any(Key::Savecount) else {
            return Ok(None);
        };
        match text.parse::<usize>() {
            Ok(count) if count >= 1 => Ok(Some(count)),
            Ok(_) | Err(_) => Err(BadSavecount(text.to_owned())),
        }
    }

    /// How often the pairing was turned round, as this side knows it. A dataset that is to become the master and already says that it
    /// is one has begun the epoch that it was prepared for.
    pub fn epoch(&self) -> u64 {
        let written = self.local(Key::Epoch).and_then(|text| text.parse().ok()).unwrap_or(0);
        match self.intent() {
            Some(Intent::Prepared { epoch, .. }) if self.is_master() => epoch.max(written),
            Some(_) | None => written,
        }
    }

    /// What stands in the property of the epoch.
    pub fn epoch_text(&self) -> Option<&'a str> {
        self.local(Key::Epoch)
    }

    /// The change of roles that has begun.
    pub fn intent(&self) -> Option<Intent> {
        Intent::parse(self.local(Key::Intent)?)
    }

    /// The property of the intent, as written there.
    pub fn intent_text(&self) -> Option<&'a str> {
        self.local(Key::Intent)
    }

    /// The epoch of the other side that superseded this one.
    pub fn fenced(&self) -> Option<u64> {
        self.local(Key::Fenced)?.parse().ok()
    }

    /// Whether what is encrypted here may leave in the clear. Only a local `yes` counts: it is not the receiver's to say.
    pub fn may_leave_in_the_clear(&self) -> bool {
        !self.state.encrypted || self.local(Key::Clear) == Some("yes")
    }

    /// Whether the pairing of which this dataset is one side takes the datasets below it along.
    pub fn is_recursive(&self) -> bool {
        self.is_paired() && self.own(Key::Recursive) == Some("yes")
    }

    /// The dataset whose recursive pairing this one is a child of, if it is one: the ancestor that the pair names.
    pub fn top(&self) -> Option<DatasetName> {
        let inherited = |key| {
            let setting = self.state.user.get(&self.tag.property(key))?;
            (setting.origin == Origin::Inherited).then_some(setting.value.as_str())
        };
        if self.is_paired() || inherited(Key::Recursive) != Some("yes") {
            return None;
        }
        let is_above = |name: &&str| is_below(self.state.name.as_str(), name);
        let named = [Key::DestFs, Key::SrcFs].into_iter().filter_map(inherited);
        DatasetName::new(named.filter(is_above).max_by_key(|name| name.len())?).ok()
    }

    /// What a boot does with this dataset; absent means nothing. Inherited values count: a pool's root may say it for all.
    pub fn gate(&self) -> Option<&'a str> {
        self.any(Key::Gate)
    }

    /// The process that holds the dataset, as written there.
    pub fn lock_pid(&self) -> Option<&'a str> {
        self.local(Key::LockPid)
    }

    /// When that lock was taken, as written there.
    pub fn lock_time(&self) -> Option<&'a str> {
        self.local(Key::LockTime)
    }

    /// When the transfer of `snapshot` began, if it carries the mark.
    pub fn sent(&self, snapshot: &Snapshot) -> Option<u64> {
        snapshot.user.get(&self.tag.property(Key::Sent))?.parse().ok()
    }

    /// The newest snapshot that carries the mark, or the one that the dataset's legacy property names.
    pub fn last_sent(&self) -> Option<&'a Snapshot> {
        let marked = self
            .state
            .snapshots
            .iter()
            .rev()
            .find(|snapshot| self.sent(snapshot).is_some());
        marked.or_else(|| {
            let (_, short) = self.local(Key::LastSent)?.split_once('@')?;
            self.state.snapshots.iter().find(|snapshot| snapshot.name == short)
        })
    }
}

/// Whether `name` lies below `above`, at any depth.
pub fn is_below(name: &str, above: &str) -> bool {
    name.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// The target's name in `link`, if it is a name that ZFS allows: properties can be written by anybody who may set one.
pub fn dataset_in_property(text: &str) -> Result<DatasetName, zfs_ffi::NameError> {
    DatasetName::new(text)
}

/// Which of `state`'s snapshots has `guid`.
pub fn snapshot_by_guid(state: &State, guid: Guid) -> Option<&Snapshot> {
    state.snapshots.iter().find(|snapshot| snapshot.guid == guid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::state;

    fn tag() -> Tag {
        Tag::new("zrep").unwrap()
    }

    #[test]
    fn a_tag_is_checked_before_it_becomes_part_of_a_name() {
        for good in ["zrep", "uk", "a-b_c.d", "0"] {
            assert!(Tag::new(good).is_ok(), "{good}");
        }
        for bad in ["", "UK", "a b", "a:b", "-t", "_x", "a@b", "ü", "a/b", &"x".repeat(65)] {
            assert!(Tag::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_received_or_inherited_master_is_none() {
        for (origin, expected) in [
            (Origin::Local, true),
            (Origin::Received, false),
            (Origin::Inherited, false),
        ] {
            let state = state("pool/fs", "").user("zrep:master", "yes", origin).build();
            assert_eq!(View::new(&state, &tag()).is_master(), expected, "{origin:?}");
        }
    }

    #[test]
    fn a_child_that_inherits_the_pair_is_no_pairing() {
        for (origin, expected) in [
            (Origin::Local, true),
            (Origin::Received, true),
            (Origin::Inherited, false),
        ] {
            let state = state("pool/fs", "").user("zrep:dest-fs", "b/fs", origin).build();
            assert_eq!(View::new(&state, &tag()).is_paired(), expected, "{origin:?}");
        }
    }

    #[test]
    fn a_child_has_the_top_that_its_inherited_pair_names() {
        let child = |name: &str| state(name, "").user("zrep:recursive", "yes", Origin::Inherited);
        let paired = |name: &str, src: &str, dest: &str| {
            child(name)
                .user("zrep:src-fs", src, Origin::Inherited)
                .user("zrep:dest-fs", dest, Origin::Inherited)
        };
        for (state, expected) in [
            (paired("a/fs/x/y", "a/fs", "b/fs"), Some("a/fs")),
            (paired("b/fs/x", "a/fs", "b/fs"), Some("b/fs")),
            (paired("a/fs2", "a/fs", "b/fs"), None),
            // The top was renamed: its properties speak of others.
            (paired("c/fs/x", "a/fs", "b/fs"), None),
            (
                paired("a/fs/x", "a/fs", "b/fs").user("zrep:recursive", "no", Origin::Inherited),
                None,
            ),
            // It has a pairing of its own.
            (
                paired("a/fs/x", "a/fs", "b/fs").user("zrep:dest-fs", "c/x", Origin::Local),
                None,
            ),
        ] {
            let state = state.build();
            let top = View::new(&state, &tag()).top();
            assert_eq!(top.as_ref().map(DatasetName::as_str), expected, "{}", state.name);
        }
    }

    #[test]
    fn a_savecount_is_a_number_from_one_up() {
        for (text, expected) in [
            ("5", Ok(Some(5))),
            ("1", Ok(Some(1))),
            ("0", Err(())),
            ("", Err(())),
            ("five", Err(())),
            ("-1", Err(())),
        ] {
            let state = state("pool/fs", "")
                .user("zrep:savecount", text, Origin::Received)
                .build();
            assert_eq!(
                View::new(&state, &tag()).savecount().map_err(|_| ()),
                expected,
                "{text}"
            );
        }
        assert_eq!(View::new(&state("pool/fs", "").build(), &tag()).savecount(), Ok(None));
    }

    #[test]
    fn the_last_sent_is_the_newest_marked_one_whatever_its_name() {
        let marked = state("pool/fs", "@zrep_000001=1! @zrep_000002=2! @zrep_000003=3").build();
        assert_eq!(View::new(&marked, &tag()).last_sent().unwrap().name, "zrep_000002");
        let legacy = state("pool/fs", "@zrep_000001=1")
            .user("zrep:lastsent", "pool/fs@zrep_000001", Origin::Local)
            .build();
        assert_eq!(View::new(&legacy, &tag()).last_sent().unwrap().name, "zrep_000001");
    }

    #[test]
    fn bookkeeping_of_any_tag_is_recognised() {
        assert!(is_bookkeeping("zrep:master"));
        assert!(is_bookkeeping("uk:lock-pid"));
        assert!(!is_bookkeeping("zrep:note"));
        assert!(!is_bookkeeping("com.sun:auto-snapshot"));
    }
}
