//! Names and texts of the numbers.

use super::op::Op;
use crate::os;

// `zfs_errno_t`: OpenZFS appends to it and never changes a number. Written down, because the headers
// of one build lack what a newer kernel may say.
pub(super) const IOC_CMD_UNAVAIL: i32 = 1029;
pub(super) const IOC_ARG_UNAVAIL: i32 = 1030;
pub(super) const IOC_ARG_REQUIRED: i32 = 1031;
pub(super) const IOC_ARG_BADTYPE: i32 = 1032;
pub(super) const WRONG_PARENT: i32 = 1033;
pub(super) const FROM_IVSET_GUID_MISSING: i32 = 1034;
pub(super) const FROM_IVSET_GUID_MISMATCH: i32 = 1035;
pub(super) const SPILL_BLOCK_FLAG_MISSING: i32 = 1036;
pub(super) const UNKNOWN_SEND_STREAM_FEATURE: i32 = 1037;
pub(super) const EXPORT_IN_PROGRESS: i32 = 1038;
pub(super) const BOOKMARK_SOURCE_NOT_ANCESTOR: i32 = 1039;
pub(super) const STREAM_TRUNCATED: i32 = 1040;
pub(super) const STREAM_LARGE_BLOCK_MISMATCH: i32 = 1041;
pub(super) const BADPROP: i32 = 1044;
pub(super) const RESUME_EXISTS: i32 = 1047;
pub(super) const CRYPTO_NOTSUP: i32 = 1048;
pub(super) const STREAM_LARGE_MICROZAP: i32 = 1051;

/// `EBUSY`, `ZFS_ERR_STREAM_TRUNCATED`, or the plain number where there is no name.
pub(crate) fn name(errno: i32) -> String {
    match find(errno) {
        Some((name, _)) => name.to_owned(),
        None => format!("error {errno}"),
    }
}

/// What the number means, to this operation if it has a special meaning there.
pub(crate) fn text(op: Op, errno: i32) -> String {
    if let Some(text) = text_by_op(op, errno) {
        return text.to_owned();
    }
    match find(errno) {
        Some((_, text)) => text.to_owned(),
        None => system_text(errno),
    }
}

/// The system's own text, without the number that the standard library appends.
fn system_text(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    let number = format!(" (os error {errno})");
    text.strip_suffix(&number).unwrap_or(&text).to_owned()
}

fn find(errno: i32) -> Option<(&'static str, &'static str)> {
    os::ERRNO_NAMES
        .iter()
        .chain(COMMON)
        .chain(ZFS)
        .find(|(number, ..)| *number == errno)
        .map(|(_, name, text)| (*name, *text))
}

fn text_by_op(op: Op, errno: i32) -> Option<&'static str> {
    Some(match (op, errno) {
        (Op::Bookmark, libc::EEXIST) => "the bookmark exists, whatever it points to",
        (Op::Create | Op::Clone, libc::EACCES) => "the encryption key is not loaded",
        (Op::Create | Op::Clone, libc::EEXIST) => "dataset exists",
        (Op::DestroySnapshots, libc::EBUSY) => "snapshot is held or in use",
        (Op::DestroySnapshots, libc::EEXIST) => "snapshot has clones",
        (Op::Destroy, libc::EEXIST) => "dataset has children or snapshots",
        (Op::Hold, libc::E2BIG) => "the tag is too long",
        (Op::Hold, libc::EEXIST) => "the tag is in use on this snapshot",
        (Op::Promote, libc::EEXIST) => "both datasets have a snapshot of one name",
        (Op::Release, libc::ENOENT) => "no such snapshot or tag",
        (Op::LoadKey, libc::EACCES) => "the key is wrong, or the permission is missing",
        (Op::LoadKey, libc::EEXIST) => "the key is loaded already",
        (Op::UnloadKey, libc::EACCES) => "the key is not loaded",
        (Op::Program, libc::ENOSPC) => "memory limit reached",
        (Op::Program, libc::EINVAL) => "bad program, limit or argument",
        (Op::Receive, libc::EACCES) => {
            "the encryption key is not loaded or is another one, or the permission is missing"
        }
        (Op::Receive, libc::EBUSY) => "a receive is running or was left behind",
        (Op::Receive, libc::EEXIST) => "the snapshot, or the dataset of a full stream, exists",
        (Op::Receive, libc::EINVAL) => "the stream cannot be received here, or the target changed during the receive",
        (Op::Receive, libc::ENODEV) => "no snapshot has the guid that the stream starts from",
        (Op::Receive, libc::ETXTBSY) => "the target was modified since its latest snapshot",
        (Op::Rollback, libc::EEXIST) => "newer snapshots or bookmarks exist",
        (Op::Rollback, libc::ESRCH) => "there is no such snapshot of this dataset",
        (Op::Send | Op::EstimateSend, libc::EXDEV) => "the base is not an ancestor",
        (Op::Send, libc::EACCES) => "the encryption key is not loaded, or the permission is missing",
        (Op::Send, libc::EAGAIN) => "the pool is suspended, or the descriptor does not block",
        (Op::Send, libc::EINTR | libc::EPIPE) => "the reader of the stream is gone",
        (Op::Snapshot, libc::EBUSY) => "dataset is being received",
        (Op::Snapshot, libc::EXDEV) => "the snapshots are of different pools, or two are of one dataset",
        _ => return None,
    })
}

const COMMON: &[(i32, &str, &str)] = &[
    (libc::E2BIG, "E2BIG", "argument is too long"),
    (libc::EACCES, "EACCES", "permission denied"),
    (libc::EAGAIN, "EAGAIN", "the pool is suspended"),
    (libc::EBADF, "EBADF", "bad file descriptor"),
    (libc::EBUSY, "EBUSY", "dataset is busy"),
    (libc::EDQUOT, "EDQUOT", "quota or limit exceeded"),
    (libc::EEXIST, "EEXIST", "already exists"),
    (libc::EFAULT, "EFAULT", "bad address"),
    (libc::EFBIG, "EFBIG", "too large"),
    (libc::EINTR, "EINTR", "interrupted by a signal"),
    (libc::EINVAL, "EINVAL", "invalid argument"),
    (libc::EIO, "EIO", "input/output error"),
    (libc::ENAMETOOLONG, "ENAMETOOLONG", "name is too long"),
    (libc::ENODEV, "ENODEV", "no such device"),
    (libc::ENOENT, "ENOENT", "no such dataset"),
    (libc::ENOMEM, "ENOMEM", "out of memory"),
    (libc::ENOSPC, "ENOSPC", "no space left in the pool"),
    (libc::ENOTSUP, "ENOTSUP", "not supported by the pool or the module"),
    (libc::EOPNOTSUPP, "EOPNOTSUPP", "not supported"),
    (libc::ENXIO, "ENXIO", "the pool's devices are gone"),
    (libc::EPERM, "EPERM", "permission denied"),
    (libc::EPIPE, "EPIPE", "broken pipe"),
    (libc::ERANGE, "ERANGE", "value out of range"),
    (libc::EROFS, "EROFS", "the pool is read-only"),
    (libc::ESRCH, "ESRCH", "no such entry"),
    (libc::ETXTBSY, "ETXTBSY", "dataset was modified"),
    (libc::EXDEV, "EXDEV", "crosses pools or histories"),
];

/// `zfs_errno_t`, known to the kernel and to nobody else: `strerror` has no text for them.
const ZFS: &[(i32, &str, &str)] = &[
    (1024, "ZFS_ERR_CHECKPOINT_EXISTS", "the pool has a checkpoint"),
    (
        1025,
        "ZFS_ERR_DISCARDING_CHECKPOINT",
        "the pool is discarding a checkpoint",
    ),
    (1026, "ZFS_ERR_NO_CHECKPOINT", "the pool has no checkpoint"),
    (1027, "ZFS_ERR_DEVRM_IN_PROGRESS", "a device is being removed"),
    (1028, "ZFS_ERR_VDEV_TOO_BIG", "a device is too big"),
    (
        1029,
        "ZFS_ERR_IOC_CMD_UNAVAIL",
        "the kernel module does not know this operation",
    ),
    (
        1030,
        "ZFS_ERR_IOC_ARG_UNAVAIL",
        "the kernel module does not know an argument",
    ),
    (
        1031,
        "ZFS_ERR_IOC_ARG_REQUIRED",
        "the kernel module wants an argument more",
    ),
    (1032, "ZFS_ERR_IOC_ARG_BADTYPE", "an argument has the wrong type"),
    (1033, "ZFS_ERR_WRONG_PARENT", "the parent is not a filesystem"),
    (1034, "ZFS_ERR_FROM_IVSET_GUID_MISSING", "the base has no IV set guid"),
    (
        1035,
        "ZFS_ERR_FROM_IVSET_GUID_MISMATCH",
        "the base has another IV set guid",
    ),
    (
        1036,
        "ZFS_ERR_SPILL_BLOCK_FLAG_MISSING",
        "the stream lacks the spill block flag",
    ),
    (
        1037,
        "ZFS_ERR_UNKNOWN_SEND_STREAM_FEATURE",
        "the stream has an unknown feature",
    ),
    (1038, "ZFS_ERR_EXPORT_IN_PROGRESS", "the pool is being exported"),
    (
        1039,
        "ZFS_ERR_BOOKMARK_SOURCE_NOT_ANCESTOR",
        "the bookmark's source is not an ancestor",
    ),
    (1040, "ZFS_ERR_STREAM_TRUNCATED", "the stream ended early"),
    (
        1041,
        "ZFS_ERR_STREAM_LARGE_BLOCK_MISMATCH",
        "the large block flag differs from before",
    ),
    (1042, "ZFS_ERR_RESILVER_IN_PROGRESS", "the pool is resilvering"),
    (1043, "ZFS_ERR_REBUILD_IN_PROGRESS", "the pool is rebuilding"),
    (1044, "ZFS_ERR_BADPROP", "invalid property or value"),
    (1045, "ZFS_ERR_VDEV_NOTSUP", "the device does not support this"),
    (1046, "ZFS_ERR_NOT_USER_NAMESPACE", "not a user namespace"),
    (1047, "ZFS_ERR_RESUME_EXISTS", "a partial receive is left behind"),
    (1048, "ZFS_ERR_CRYPTO_NOTSUP", "encryption is not supported here"),
    (1049, "ZFS_ERR_RAIDZ_EXPAND_IN_PROGRESS", "a raidz expansion is running"),
    (1050, "ZFS_ERR_ASHIFT_MISMATCH", "the ashift differs"),
    (
        1051,
        "ZFS_ERR_STREAM_LARGE_MICROZAP",
        "the stream needs large microzaps",
    ),
    (1052, "ZFS_ERR_TOO_MANY_SITOUTS", "too many devices sit out"),
    (1053, "ZFS_ERR_NO_USER_NS_SUPPORT", "no support for user namespaces"),
];
