//! Bookmarks: what is left of a snapshot to start an increment from.

use super::{Core, several};
use crate::error::{Op, Result, check, check_list};
use crate::name::{BookmarkName, DatasetName, HistoryPoint};
use crate::nvlist::{NvList, NvRef, Out, Value};
use crate::sys::core as c;

/// A bookmark as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    /// Its whole name.
    pub name: BookmarkName,
    /// The guid of the snapshot it was made from, the same on every machine.
    pub guid: u64,
    /// When that snapshot was made, in the pool's own count. Orders bookmarks and snapshots.
    pub createtxg: u64,
    /// When that snapshot was made, in seconds since 1970.
    pub creation: u64,
}

impl Core {
    /// Makes bookmarks in one pool, each from a snapshot or from another bookmark.
    ///
    /// Atomic: all are made, or none is. Waits for one transaction group.
    ///
    /// # Errors
    ///
    /// [`Exists`](crate::Kind::Exists): the name is taken, even if by a bookmark of the same snapshot.
    /// [`NotAncestor`](crate::Kind::NotAncestor): the source is of another history.
    ///
    /// Corresponds to `lzc_bookmark`.
    #[doc(alias = "lzc_bookmark")]
    pub fn bookmark(&self, bookmarks: &[(BookmarkName, HistoryPoint)]) -> Result<()> {
        if bookmarks.is_empty() {
            return Ok(());
        }
        let mut list = NvList::new();
        for (name, source) in bookmarks {
            list.add(name.as_str(), source.as_str())?;
        }
        let mut failed = Out::new();
        // SAFETY: the library is initialised; the list is only read and lives during the call; the
        // list of failures becomes ours.
        let rc = unsafe { c::lzc_bookmark(list.as_ptr(), failed.as_mut()) };
        let names: Vec<_> = bookmarks.iter().map(|(name, _)| name.as_str()).collect();
        check_list(Op::Bookmark, several(&names), rc, failed.take().as_ref())
    }

    /// The bookmarks of a dataset, oldest first. Waits for nothing.
    ///
    /// Corresponds to `lzc_get_bookmarks`.
    #[doc(alias = "lzc_get_bookmarks")]
    pub fn bookmarks(&self, dataset: &DatasetName) -> Result<Vec<Bookmark>> {
        let wanted = super::flag_list(["guid", "createtxg", "creation"])?;
        let name = dataset.as_c().as_ptr();
        let mut out = Out::new();
        // SAFETY: the library is initialised; the name is NUL terminated; the list of wanted
        // properties is only read; the result becomes ours.
        let rc = unsafe { c::lzc_get_bookmarks(name, wanted.as_ptr(), out.as_mut()) };
        check(Op::ListBookmarks, dataset, rc)?;
        let list = out.take().unwrap_or_default();
        let mut bookmarks = list
            .iter()
            .filter_map(|(short, value)| Some((short, value.as_list()?)))
            .map(|(short, props)| read_bookmark(dataset, short, props))
            .collect::<Result<Vec<_>>>()?;
        bookmarks.sort_by_key(|bookmark| bookmark.createtxg);
        Ok(bookmarks)
    }

    /// Destroys bookmarks of one pool. Missing ones are ignored.
    ///
    /// Atomic: all are destroyed, or none is. Waits for one transaction group.
    ///
    /// Corresponds to `lzc_destroy_bookmarks`.
    #[doc(alias = "lzc_destroy_bookmarks")]
    pub fn destroy_bookmarks(&self, bookmarks: &[BookmarkName]) -> Result<()> {
        if bookmarks.is_empty() {
            return Ok(());
        }
        let list = super::flag_list(bookmarks)?;
        let mut failed = Out::new();
        // SAFETY: the library is initialised; the list is only read and lives during the call; the
        // list of failures becomes ours.
        let rc = unsafe { c::lzc_destroy_bookmarks(list.as_ptr(), failed.as_mut()) };
        check_list(Op::DestroyBookmarks, several(bookmarks), rc, failed.take().as_ref())
    }
}

/// From `{property -> {"value" -> number}}`.
fn read_bookmark(dataset: &DatasetName, short: &str, props: NvRef<'_>) -> Result<Bookmark> {
    let number = |name: &str| {
        let value = props.get(name).as_ref().and_then(Value::as_list)?.get("value")?;
        value.as_u64()
    };
    Ok(Bookmark {
        name: dataset.bookmark(short)?,
        guid: number("guid").unwrap_or_default(),
        createtxg: number("createtxg").unwrap_or_default(),
        creation: number("creation").unwrap_or_default(),
    })
}
