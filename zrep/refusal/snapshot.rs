//! What is the matter with a snapshot that was named, or that a verb needs.

use super::{Telling, counted, quoted};

/// The obstacles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfSnapshot {
    /// It is not there.
    Missing {
        /// The name behind the `@`.
        short: String,
        /// The newest one that is there.
        newest: Option<String>,
    },
    /// zrep has not named it.
    NotOwn {
        /// The name behind the `@`.
        short: String,
        /// The tag.
        tag: String,
    },
    /// There is a newer one of zrep's.
    NotNewest {
        /// The name behind the `@`.
        short: String,
        /// The newest one of zrep's.
        newest: String,
    },
    /// The other side's snapshot of this name holds something else.
    Differs {
        /// The name behind the `@`.
        short: String,
        /// The other side's dataset.
        other: String,
    },
    /// To roll back to it would lose what is nowhere else.
    Loses {
        /// The name behind the `@`.
        short: String,
        /// Snapshots that only this side has, as far as is known.
        only_here: Vec<String>,
        /// Bytes written since the newest snapshot.
        bytes: u64,
        /// The command that does it all the same.
        command: String,
        /// What else could be done.
        instead: String,
    },
    /// zrep has made none.
    NoneOwn {
        /// The tag.
        tag: String,
        /// The command that helps.
        command: String,
    },
    /// None carries the mark of having arrived on the other side.
    NoneSent {
        /// The tag.
        tag: String,
    },
    /// It has arrived on the other side.
    SentAlready {
        /// The name behind the `@`.
        short: String,
    },
    /// A resume token is of another stream.
    OtherToken {
        /// The name behind the `@` that was asked for.
        short: String,
        /// The sender's name of the snapshot in the token.
        to_name: String,
    },
    /// What was to be set on it is not that it has arrived.
    NotTheMark {
        /// What was to be set.
        found: String,
        /// The tag.
        tag: String,
    },
}

impl OfSnapshot {
    pub(super) fn telling(&self, dataset: &str) -> Telling {
        let pasted = quoted(dataset);
        let tell = |what: String, expected: String, found: String, help: String| Telling {
            what,
            expected,
            found,
            help,
        };
        match self {
            Self::Missing { short, newest } => tell(
                format!("has no snapshot @{short}"),
                "a snapshot of this name on both sides".into(),
                format!("newest: {}", newest.as_deref().unwrap_or("none")),
                format!("`zfs list -d 1 -t snapshot {pasted}` shows those there are"),
            ),
            Self::NotOwn { short, tag } => tell(
                format!("@{short} was not named by zrep"),
                format!("a name such as {tag}_00000a"),
                format!("@{short}"),
                format!("`zfs rename {} @{tag}_000001`, on both sides, makes it one of zrep's", quoted(&format!("{dataset}@{short}"))),
            ),
            Self::NotNewest { short, newest } => tell(
                format!("@{short} is not the newest of zrep's snapshots"),
                format!("@{newest}"),
                format!("@{short}"),
                "type the refresh again: it makes a snapshot of its own".into(),
            ),
            Self::Differs { short, other } => tell(
                format!("@{short} is not the snapshot of this name on {other}: their guids differ"),
                "one snapshot, sent from one side to the other".into(),
                "two that were made independently".into(),
                format!("look at `zfs list -d 1 -t snapshot -o name,guid {pasted}` on both sides: only what has the same guid is the same data"),
            ),
            Self::Loses { short, only_here, bytes, command, instead } => tell(
                format!("to roll back to @{short} would lose what only this side has"),
                format!("@{short} as the newest, and nothing written since"),
                lost(only_here, *bytes),
                format!("`{command}` discards that; {instead}"),
            ),
            Self::NoneOwn { tag, command } => tell(
                "has no snapshot that zrep has named".into(),
                format!("one such as @{tag}_00000a"),
                "none".into(),
                format!("`{command}`"),
            ),
            Self::NoneSent { tag } => tell(
                "no snapshot is marked as sent".into(),
                format!("{tag}:sent on the newest snapshot that both sides have"),
                "none".into(),
                format!("`zrep sync {pasted}` finds what both sides have by itself, and marks it; `zrep sentsync {pasted}@SNAPSHOT` marks one by hand"),
            ),
            Self::SentAlready { short } => tell(
                format!("@{short} was sent already"),
                "a snapshot that was not sent yet".into(),
                "one with the mark".into(),
                "type the refresh again: it makes a snapshot of its own".into(),
            ),
            Self::OtherToken { short, to_name } => tell(
                format!("the resume token is not one for @{short}"),
                format!("the token of an interrupted receive of @{short}"),
                format!("one of {to_name}: what follows it would be marked under a wrong name"),
                "drop what was interrupted with `zfs receive -A`, on the side that receives, or let a native `zrep refresh` go on with it".into(),
            ),
            Self::NotTheMark { found, tag } => tell(
                "something else was to be set on a snapshot than that it has arrived".into(),
                format!("{tag}:sent=EPOCH, in seconds since 1970"),
                format!("{found:?}"),
                "this verb is for the other side's refresh; `zfs set` sets what you like".into(),
            ),
        }
    }
}

/// `2 snapshots (x, y), and 7 bytes written since`
fn lost(only_here: &[String], bytes: u64) -> String {
    let bytes = counted(usize::try_from(bytes).unwrap_or(usize::MAX), "byte");
    if only_here.is_empty() {
        return format!("{bytes} written since the newest snapshot");
    }
    let names = only_here.join(", ");
    format!(
        "{} ({names}), and {bytes} written since",
        counted(only_here.len(), "snapshot")
    )
}
