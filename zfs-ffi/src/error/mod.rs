//! One error type. It knows the operation, the dataset, the number and a kind to branch on.

mod errno;
mod kind;
mod op;

use std::ffi::c_int;
use std::fmt;

pub use self::kind::Kind;
pub(crate) use self::op::Op;

use crate::name::NameError;
use crate::nvlist::{NvList, Value};

/// What all fallible functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation failed. Shown as one line: `destroy tank/a@1: dataset is busy (EBUSY)`.
///
/// One machine word, because errors are the exception.
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    op: Op,
    subject: String,
    kind: Kind,
    errno: Option<i32>,
    text: String,
    items: Vec<ItemError>,
}

/// Why one of several items of an operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemError {
    /// The snapshot, bookmark, property or tag. For a tag: `tank/a@1#tag`.
    pub name: String,
    /// The number for this item.
    pub errno: i32,
}

impl Error {
    /// The operation, as a verb.
    pub fn op(&self) -> &str {
        self.0.op.as_str()
    }

    /// What the operation was about: a dataset, snapshot, pool or path.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The number that the kernel gave, an errno or a `ZFS_ERR_…` of 1024 and up. `None` where
    /// `libzfs` gave only a text, or where the operation was refused before it reached the kernel.
    pub fn errno(&self) -> Option<i32> {
        self.0.errno
    }

    /// What to branch on.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The items that made the operation fail, if it had several and the kernel named them.
    pub fn items(&self) -> &[ItemError] {
        &self.0.items
    }

    pub(crate) fn new(op: Op, subject: impl Into<String>, kind: Kind, text: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            op,
            subject: subject.into(),
            kind,
            errno: None,
            text: text.into(),
            items: Vec::new(),
        }))
    }

    pub(crate) fn from_errno(op: Op, subject: impl Into<String>, errno: i32) -> Self {
        Self::new(op, subject, Kind::of(op, errno), errno::text(op, errno)).with_errno(Some(errno))
    }

    pub(crate) fn from_io(op: Op, subject: impl Into<String>, why: &std::io::Error) -> Self {
        match why.raw_os_error() {
            Some(errno) => Self::from_errno(op, subject, errno),
            None => Self::new(op, subject, Kind::Other, why.to_string()),
        }
    }

    /// Says what kind it is, if nothing else did.
    pub(crate) fn or_kind(mut self, kind: Kind) -> Self {
        if self.0.kind == Kind::Other {
            self.0.kind = kind;
        }
        self
    }

    pub(crate) fn with_errno(mut self, errno: Option<i32>) -> Self {
        self.0.errno = errno;
        self
    }

    pub(crate) fn with_items(mut self, items: Vec<ItemError>) -> Self {
        self.0.items = items;
        self
    }

    /// Adds what the kernel or the library said besides the number.
    pub(crate) fn with_detail(mut self, detail: &str) -> Self {
        self.0.text.push_str(": ");
        self.0.text.push_str(detail);
        self
    }

    /// True if the list says no more than the line before it.
    fn items_are_redundant(&self) -> bool {
        match self.items() {
            [] => true,
            [only] => only.name == self.subject() && Some(only.errno) == self.errno(),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            op,
            subject,
            text,
            errno,
            items,
            kind: _,
        } = &*self.0;
        write!(f, "{} {subject}: {text}", op.as_str())?;
        if let Some(errno) = errno {
            write!(f, " ({})", errno::name(*errno))?;
        }
        if self.items_are_redundant() {
            return Ok(());
        }
        for ItemError { name, errno } in items {
            write!(f, "; {name}: {} ({})", errno::text(*op, *errno), errno::name(*errno))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}

impl From<NameError> for Error {
    fn from(why: NameError) -> Self {
        let kind = match why {
            NameError::TooLong { .. } | NameError::TooDeep { .. } => Kind::TooLong,
            NameError::Empty
            | NameError::EmptyComponent { .. }
            | NameError::Dots { .. }
            | NameError::Character { .. }
            | NameError::Internal { .. }
            | NameError::Pool { .. }
            | NameError::Delimiter { .. } => Kind::Invalid,
        };
        Self::new(Op::CheckName, format!("{:?}", why.name()), kind, why.reason())
    }
}

/// The door through which every result of `libzfs_core` comes: 0 or a positive number.
pub(crate) fn check(op: Op, subject: impl fmt::Display, rc: c_int) -> Result<()> {
    match rc {
        0 => Ok(()),
        errno => Err(Error::from_errno(op, subject.to_string(), errno)),
    }
}

/// The door for calls on several items at once.
///
/// Some of these calls return 0 although the list names items that failed: that is an error too.
pub(crate) fn check_list(op: Op, subject: impl fmt::Display, rc: c_int, failed: Option<&NvList>) -> Result<()> {
    let items = failed.map(item_errors).unwrap_or_default();
    let errno = match (rc, items.first()) {
        (0, None) => return Ok(()),
        (0, Some(first)) => first.errno,
        (rc, _) => rc,
    };
    Err(Error::from_errno(op, subject.to_string(), errno).with_items(items))
}

/// Reads `{name -> int32}`. The kernel cuts a list that is too long for its reply and then says by
/// `N_MORE_ERRORS` how many are missing, which is no item.
pub(crate) fn item_errors(list: &NvList) -> Vec<ItemError> {
    list.iter()
        .filter(|(name, _)| *name != "N_MORE_ERRORS")
        .filter_map(|(name, value)| match value {
            Value::I32(errno) => Some(ItemError {
                name: name.to_owned(),
                errno,
            }),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
