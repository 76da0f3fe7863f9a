//! From numbers to the few cases that callers branch on.

use super::errno;
use super::op::Op;
use crate::os;
use crate::sys::core as c;

/// What went wrong, as far as a caller would decide differently.
///
/// The number the kernel gave is kept beside it: see [`Error::errno`](crate::Error::errno).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The dataset, snapshot, bookmark, tag or pool is not there.
    NotFound,
    /// The name is taken. For a rollback: newer snapshots or bookmarks exist. For a destroy: the
    /// snapshot has clones.
    Exists,
    /// In use: held, mounted, being sent or received, or a partial receive is left behind.
    Busy,
    /// Neither root nor delegated.
    Permission,
    /// The pool is full.
    NoSpace,
    /// A quota or a limit on the number of snapshots or filesystems.
    Quota,
    /// The target of a receive changed since its latest snapshot (`ETXTBSY`).
    Modified,
    /// The target of a receive has no snapshot with the guid that the stream starts from (`ENODEV`).
    WrongBase,
    /// The source of an increment or of a bookmark is not an ancestor (`EXDEV`).
    NotAncestor,
    /// The stream ended early; what came is kept if the receive was resumable.
    Truncated,
    /// The stream is damaged, or does not fit to what the target received before.
    BadStream,
    /// An encryption key is not loaded or is the wrong one (`EACCES`). Some systems report a refused
    /// permission with the same number.
    KeyUnavailable,
    /// The pool or dataset is read-only.
    ReadOnly,
    /// The pool is suspended after I/O errors.
    Suspended,
    /// The pool is not imported or its devices are gone.
    PoolGone,
    /// The kernel module, the library or the pool lacks a feature.
    Unsupported,
    /// A signal ended the operation.
    Interrupted,
    /// Nobody reads the stream that is being sent: the cause is on the other side.
    ReaderGone,
    /// A name, value, tag or argument is too long.
    TooLong,
    /// The arguments cannot be carried out.
    Invalid,
    /// Mounting or unmounting failed; what was asked for besides may have been done.
    Mount,
    /// There is no usable `/dev/zfs`.
    NoDevice,
    /// Out of memory.
    OutOfMemory,
    /// Anything else: look at the number.
    Other,
}

impl Kind {
    /// The kind of a positive number that `op` gave back.
    pub(crate) fn of(op: Op, errno: i32) -> Self {
        Self::by_op(op, errno)
            .or_else(|| Self::by_zfs_errno(errno))
            .unwrap_or_else(|| Self::by_errno(errno))
    }

    /// Numbers with a meaning of their own for one operation.
    fn by_op(op: Op, errno: i32) -> Option<Self> {
        match (op, errno) {
            (Op::Receive, libc::ENODEV) => Some(Self::WrongBase),
            (Op::Receive, errno) if errno == os::ECKSUM => Some(Self::BadStream),
            (Op::Send | Op::EstimateSend, libc::EXDEV) => Some(Self::NotAncestor),
            // All signals are blocked during a send, so that only a lost reader is left as a cause.
            (Op::Send, libc::EINTR | libc::EPIPE) => Some(Self::ReaderGone),
            (Op::Send | Op::Receive | Op::Create | Op::Clone | Op::LoadKey | Op::UnloadKey, libc::EACCES) => {
                Some(Self::KeyUnavailable)
            }
            _ => None,
        }
    }

    /// The numbers that only ZFS has.
    fn by_zfs_errno(errno: i32) -> Option<Self> {
        Some(match errno {
            errno::IOC_CMD_UNAVAIL
            | errno::IOC_ARG_UNAVAIL
            | errno::UNKNOWN_SEND_STREAM_FEATURE
            | errno::CRYPTO_NOTSUP
            | errno::STREAM_LARGE_MICROZAP => Self::Unsupported,
            errno::IOC_ARG_REQUIRED | errno::IOC_ARG_BADTYPE | errno::WRONG_PARENT | errno::BADPROP => Self::Invalid,
            errno::FROM_IVSET_GUID_MISSING
            | errno::FROM_IVSET_GUID_MISMATCH
            | errno::SPILL_BLOCK_FLAG_MISSING
            | errno::STREAM_LARGE_BLOCK_MISMATCH => Self::BadStream,
            errno::BOOKMARK_SOURCE_NOT_ANCESTOR => Self::NotAncestor,
            errno::STREAM_TRUNCATED => Self::Truncated,
            errno::EXPORT_IN_PROGRESS => Self::PoolGone,
            errno::RESUME_EXISTS => Self::Busy,
            _ => return None,
        })
    }

    /// What the numbers mean to every ZFS operation.
    fn by_errno(errno: i32) -> Self {
        match errno {
            libc::ENOENT | libc::ESRCH => Self::NotFound,
            libc::EEXIST => Self::Exists,
            libc::EBUSY => Self::Busy,
            libc::EPERM | libc::EACCES => Self::Permission,
            libc::ENOSPC => Self::NoSpace,
            libc::EDQUOT => Self::Quota,
            libc::ETXTBSY => Self::Modified,
            libc::EROFS => Self::ReadOnly,
            libc::EAGAIN => Self::Suspended,
            libc::ENXIO => Self::PoolGone,
            libc::EINTR => Self::Interrupted,
            libc::E2BIG | libc::ENAMETOOLONG => Self::TooLong,
            libc::EINVAL | libc::EXDEV => Self::Invalid,
            libc::ENOMEM => Self::OutOfMemory,
            errno if errno == libc::ENOTSUP || errno == libc::EOPNOTSUPP => Self::Unsupported,
            _ => Self::Other,
        }
    }

    /// The kind of a `libzfs` error. OpenZFS 2.2 inserted numbers after `EZFS_POSTSPLIT_ONLINE`, so
    /// only those before it mean the same to every release.
    pub(crate) fn of_libzfs(number: i32) -> Self {
        match u32::try_from(number).unwrap_or_default() {
            c::EZFS_NOMEM => Self::OutOfMemory,
            c::EZFS_NOENT => Self::NotFound,
            c::EZFS_EXISTS => Self::Exists,
            c::EZFS_BUSY => Self::Busy,
            c::EZFS_PERM => Self::Permission,
            c::EZFS_NOSPC => Self::NoSpace,
            c::EZFS_PROPSPACE => Self::Quota,
            c::EZFS_DSREADONLY => Self::ReadOnly,
            c::EZFS_POOLUNAVAIL => Self::PoolGone,
            c::EZFS_BADVERSION | c::EZFS_NOTSUP | c::EZFS_POOL_NOTSUP => Self::Unsupported,
            c::EZFS_INTR => Self::Interrupted,
            c::EZFS_NAMETOOLONG | c::EZFS_TAGTOOLONG => Self::TooLong,
            c::EZFS_BADSTREAM => Self::BadStream,
            c::EZFS_MOUNTFAILED | c::EZFS_UMOUNTFAILED => Self::Mount,
            c::EZFS_BADPROP
            | c::EZFS_PROPREADONLY
            | c::EZFS_PROPTYPE
            | c::EZFS_PROPNONINHERIT
            | c::EZFS_BADTYPE
            | c::EZFS_INVALIDNAME
            | c::EZFS_BADPATH
            | c::EZFS_CROSSTARGET => Self::Invalid,
            _ => Self::Other,
        }
    }
}
