//! What the administrator of a machine wants of all streams that it plans.

use crate::model::StreamFlags;
use crate::props::Tag;

/// Wishes that go beyond what is safe everywhere. Without any, zrep decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    /// Small blocks travel inside their pointers, where the target can hold them so (`ZREP_SEND_FLAGS=-e`).
    pub embedded: bool,
    /// What becomes of the snapshots that others make (`ZREP_INC_FLAG`); if nothing is said, the tag decides.
    pub others: Option<Others>,
    /// Nothing expires (`ZREP_SKIP_EXPIRE`).
    pub keeps_all: bool,
}

/// What becomes of the source's snapshots that lie between the base and the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They are replicated, each by a stream of its own: `-I`.
    Travel,
    /// Only the new one is: `-i`.
    StayBehind,
}

impl Preferences {
    /// Whether what lies between is replicated, too.
    pub fn sends_intermediates(&self, tag: &Tag) -> bool {
        match self.others {
            Some(Others::Travel) => true,
            Some(Others::StayBehind) => false,
            None => tag.sends_intermediates(),
        }
    }

    /// The usual flags, and the wishes added.
    ///
    /// N.B. an encrypted dataset takes no embedded blocks in the clear; what is raw has none.
    pub fn stream(&self, usual: StreamFlags, target_is_encrypted: bool) -> StreamFlags {
        let embedded = usual.embedded || self.embedded && !usual.raw && !target_is_encrypted;
        StreamFlags { embedded, ..usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_blocks_go_where_they_can_be_held() {
        let wished = Preferences {
            embedded: true,
            ..Preferences::default()
        };
        for (preferences, usual, encrypted, expected) in [
            (wished, StreamFlags::plain(), false, true),
            (wished, StreamFlags::plain(), true, false),
            (wished, StreamFlags::raw(), true, false),
            (Preferences::default(), StreamFlags::plain(), false, false),
        ] {
            let found = preferences.stream(usual, encrypted);
            assert_eq!(
                found,
                StreamFlags {
                    embedded: expected,
                    ..usual
                }
            );
        }
    }

    #[test]
    fn the_tag_decides_where_nothing_is_said() {
        for (others, of_zrep, of_another) in [
            (None, true, false),
            (Some(Others::Travel), true, true),
            (Some(Others::StayBehind), false, false),
        ] {
            let preferences = Preferences {
                others,
                ..Preferences::default()
            };
            let found = ["zrep", "uk"].map(|tag| preferences.sends_intermediates(&Tag::new(tag).unwrap()));
            assert_eq!(found, [of_zrep, of_another]);
        }
    }
}
