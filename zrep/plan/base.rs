//! Where an incremental stream can begin, and what stands in its way.

use crate::model::{Snapshot, State};
use crate::plan::pairing::{Identity, link_of};
use crate::plan::{Base, BaseName};
use crate::refusal::{Refusal, Why};

/// The newest point in time that both sides have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common<'a> {
    /// What the source sends from.
    pub base: Base,
    /// The target's snapshot of that guid.
    pub on_target: &'a Snapshot,
    /// The transaction group of the base on the source: whatever the source made later is new to the target.
    pub source_txg: u64,
    /// The target's snapshots behind it, which the source does not have.
    pub target_only: &'a [Snapshot],
}

/// Finds the newest snapshot of the target that the source has as a snapshot or as a bookmark.
///
/// Names play no part: equal guids are equal data. A target's bookmark cannot be used, because a receive needs the snapshot.
pub fn newest_common<'a>(source: &State, target: &'a State) -> Option<Common<'a>> {
    let (index, on_target, base, source_txg) =
        target
            .snapshots
            .iter()
            .enumerate()
            .rev()
            .find_map(|(index, snapshot)| {
                let (base, txg) = base_for(source, snapshot)?;
                Some((index, snapshot, base, txg))
            })?;
    Some(Common {
        base,
        on_target,
        source_txg,
        target_only: &target.snapshots[index + 1..],
    })
}

/// A snapshot is preferred to a bookmark of the same guid: it also knows what it holds, so the stream's size can be told.
fn base_for(source: &State, wanted: &Snapshot) -> Option<(Base, u64)> {
    let guid = wanted.guid;
    let snapshot = source
        .snapshots
        .iter()
        .find(|snapshot| snapshot.guid == guid)
        .and_then(|snapshot| {
            let name = source.snapshot_name(&snapshot.name).ok()?;
            Some((BaseName::Snapshot(name), snapshot.createtxg))
        });
    let found = snapshot.or_else(|| {
        let bookmark = source.bookmarks.iter().find(|bookmark| bookmark.guid == guid)?;
        Some((
            BaseName::Bookmark(source.bookmark_name(&bookmark.name).ok()?),
            bookmark.createtxg,
        ))
    });
    found.map(|(name, txg)| (Base { guid, name }, txg))
}

/// The common base, or why there is none: without one, only a new full stream would help.
pub fn require_common<'a>(me: &Identity, source: &State, target: &'a State) -> Result<Common<'a>, Refusal> {
    newest_common(source, target).ok_or_else(|| {
        Refusal::target(
            &target.name,
            Why::NoCommonSnapshot {
                source: source.name.clone(),
                source_newest: source.newest().map(with_guid),
                target_newest: target.newest().map(with_guid),
                host: link_of(me, source).map_or_else(|_| me.host.clone(), |link| link.dest_host),
            },
        )
    })
}

fn with_guid(snapshot: &Snapshot) -> String {
    format!("{} (guid {})", snapshot.name, snapshot.guid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::state;

    #[test]
    fn the_newest_common_guid_is_the_base_whatever_it_is_called() {
        for (source, target, base, target_only) in [
            ("@a=1 @b=2", "@a=1", "a/fs@a", 0),
            ("@a=1 @b=2", "@a=1 @b=2", "a/fs@b", 0),
            ("@a=1 @renamed=2 @c=3", "@a=1 @b=2", "a/fs@renamed", 0),
            ("@a=1 @c=3", "@a=1 @b=2", "a/fs@a", 1),
            ("@a=1 #b=2 @c=3", "@a=1 @b=2", "a/fs#b", 0),
            ("@a=1 @b=2 #b=2", "@a=1 @b=2", "a/fs@b", 0),
            ("@b=2", "@a=1 @b=2 @mine=9 @mine2=10", "a/fs@b", 2),
        ] {
            let (source, target) = (state("a/fs", source).build(), state("b/fs", target).build());
            let common = newest_common(&source, &target).unwrap();
            assert_eq!(
                (common.base.name.to_string().as_str(), common.target_only.len()),
                (base, target_only)
            );
        }
    }

    #[test]
    fn equal_names_of_different_guids_are_no_base() {
        let (source, target) = (state("a/fs", "@a=1").build(), state("b/fs", "@a=2").build());
        assert_eq!(newest_common(&source, &target), None);
        let me = Identity {
            host: "here".into(),
            tag: crate::props::Tag::new("zrep").unwrap(),
        };
        assert!(require_common(&me, &source, &target).is_err());
    }

    #[test]
    fn a_bookmark_of_the_target_is_no_base() {
        let (source, target) = (state("a/fs", "@a=1").build(), state("b/fs", "#a=1").build());
        assert_eq!(newest_common(&source, &target), None);
    }
}
