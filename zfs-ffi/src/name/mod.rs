//! Names are checked once and then carried as types.
//!
//! A [`DatasetName`], [`SnapshotName`] or [`BookmarkName`] is what ZFS itself would accept, so no call
//! that takes one can fail for its spelling. Names that ZFS keeps for itself (`%recv`, `$ORIGIN`) are
//! refused: such datasets are reached by operations, not by name.

mod check;
mod error;

use std::ffi::{CStr, CString};
use std::fmt;
use std::str::FromStr;

use self::check::{check_bookmark, check_dataset, check_snapshot};
pub use self::error::NameError;

/// Declares a name type around a checked C string.
macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(CString);

        impl $name {
            /// Checks the name.
            ///
            /// # Errors
            ///
            /// ZFS would not accept the name, or keeps it for itself.
            pub fn new(name: &str) -> Result<Self, NameError> {
                $check(name)?;
                // Only the characters checked above are in it, so there is no NUL.
                CString::new(name).map(Self).map_err(|_| NameError::Character {
                    name: name.to_owned(),
                    character: '\0',
                })
            }

            /// The whole name.
            pub fn as_str(&self) -> &str {
                self.0.to_str().unwrap_or_default()
            }

            pub(crate) fn as_c(&self) -> &CStr {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
    };
}

name_type! {
    /// A filesystem or volume: `tank/home/a b`.
    DatasetName, check_dataset
}

name_type! {
    /// A snapshot: `tank/home@monday`.
    SnapshotName, check_snapshot
}

name_type! {
    /// A bookmark: `tank/home#monday`.
    BookmarkName, check_bookmark
}

impl DatasetName {
    /// The pool the dataset is in: the first component.
    pub fn pool(&self) -> &str {
        let name = self.as_str();
        name.split_once('/').map_or(name, |(pool, _)| pool)
    }

    /// The last component.
    pub fn last(&self) -> &str {
        let name = self.as_str();
        name.rsplit_once('/').map_or(name, |(_, last)| last)
    }

    /// The dataset above, or `None` for a pool's root.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.as_str().rsplit_once('/')?;
        Self::new(parent).ok()
    }

    /// The dataset below that is called `name`: one component, or several with slashes between.
    ///
    /// # Errors
    ///
    /// The resulting name would be invalid, too long or too deep.
    pub fn child(&self, name: &str) -> Result<Self, NameError> {
        Self::new(&format!("{self}/{name}"))
    }

    /// What comes after `ancestor/`, such that `ancestor.child(rest)` is this dataset. `None` if it is
    /// not below `ancestor`.
    pub fn below(&self, ancestor: &Self) -> Option<&str> {
        self.as_str().strip_prefix(ancestor.as_str())?.strip_prefix('/')
    }

    /// The snapshot of this dataset that is called `short`.
    ///
    /// # Errors
    ///
    /// The resulting name would be invalid or too long.
    pub fn snapshot(&self, short: &str) -> Result<SnapshotName, NameError> {
        SnapshotName::new(&format!("{self}@{short}"))
    }

    /// The bookmark of this dataset that is called `short`.
    ///
    /// # Errors
    ///
    /// The resulting name would be invalid or too long.
    pub fn bookmark(&self, short: &str) -> Result<BookmarkName, NameError> {
        BookmarkName::new(&format!("{self}#{short}"))
    }
}

impl SnapshotName {
    /// The filesystem or volume.
    pub fn dataset(&self) -> DatasetName {
        dataset_part(&self.0)
    }

    /// What comes after the `@`.
    pub fn short(&self) -> &str {
        short_part(self.as_str())
    }
}

impl BookmarkName {
    /// The filesystem or volume.
    pub fn dataset(&self) -> DatasetName {
        dataset_part(&self.0)
    }

    /// What comes after the `#`.
    pub fn short(&self) -> &str {
        short_part(self.as_str())
    }
}

/// A point in a dataset's history: where an increment starts, or what a bookmark is made from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HistoryPoint {
    /// A snapshot.
    Snapshot(SnapshotName),
    /// A bookmark.
    Bookmark(BookmarkName),
}

impl HistoryPoint {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Snapshot(name) => name.as_str(),
            Self::Bookmark(name) => name.as_str(),
        }
    }

    pub(crate) fn as_c(&self) -> &CStr {
        match self {
            Self::Snapshot(name) => name.as_c(),
            Self::Bookmark(name) => name.as_c(),
        }
    }
}

impl fmt::Display for HistoryPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<SnapshotName> for HistoryPoint {
    fn from(name: SnapshotName) -> Self {
        Self::Snapshot(name)
    }
}

impl From<BookmarkName> for HistoryPoint {
    fn from(name: BookmarkName) -> Self {
        Self::Bookmark(name)
    }
}

/// The part before the delimiter has been checked together with the rest.
fn dataset_part(name: &CStr) -> DatasetName {
    let bytes = name.to_bytes();
    let end = bytes.iter().position(|byte| matches!(byte, b'@' | b'#'));
    let dataset = &bytes[..end.unwrap_or(bytes.len())];
    DatasetName(CString::new(dataset).unwrap_or_default())
}

fn short_part(name: &str) -> &str {
    name.split_once(['@', '#']).map_or("", |(_, short)| short)
}

#[cfg(test)]
mod tests;
