use super::*;
use crate::os;

/// `operation errno => kind`
const KINDS: &[(Op, i32, Kind)] = &[
    (Op::Snapshot, libc::ENOENT, Kind::NotFound),
    (Op::Rollback, libc::ESRCH, Kind::NotFound),
    (Op::Snapshot, libc::EEXIST, Kind::Exists),
    (Op::DestroySnapshots, libc::EBUSY, Kind::Busy),
    (Op::Snapshot, libc::EPERM, Kind::Permission),
    (Op::Snapshot, libc::EACCES, Kind::Permission),
    (Op::Send, libc::EPERM, Kind::Permission),
    (Op::Send, libc::EACCES, Kind::KeyUnavailable),
    (Op::Receive, libc::EACCES, Kind::KeyUnavailable),
    (Op::LoadKey, libc::EACCES, Kind::KeyUnavailable),
    (Op::Create, libc::EACCES, Kind::KeyUnavailable),
    (Op::Receive, libc::ENOSPC, Kind::NoSpace),
    (Op::Receive, libc::EDQUOT, Kind::Quota),
    (Op::Receive, libc::ETXTBSY, Kind::Modified),
    (Op::Receive, libc::ENODEV, Kind::WrongBase),
    (Op::Snapshot, libc::ENODEV, Kind::Other),
    (Op::Send, libc::EXDEV, Kind::NotAncestor),
    (Op::EstimateSend, libc::EXDEV, Kind::NotAncestor),
    (Op::Snapshot, libc::EXDEV, Kind::Invalid),
    (Op::Bookmark, 1039, Kind::NotAncestor),
    (Op::Receive, 1040, Kind::Truncated),
    (Op::Receive, os::ECKSUM, Kind::BadStream),
    (Op::Receive, 1034, Kind::BadStream),
    (Op::Receive, 1035, Kind::BadStream),
    (Op::Receive, 1036, Kind::BadStream),
    (Op::Receive, 1041, Kind::BadStream),
    (Op::Receive, libc::EROFS, Kind::ReadOnly),
    (Op::Snapshot, libc::EAGAIN, Kind::Suspended),
    (Op::Snapshot, libc::ENXIO, Kind::PoolGone),
    (Op::Snapshot, 1038, Kind::PoolGone),
    (Op::Receive, libc::ENOTSUP, Kind::Unsupported),
    (Op::Receive, libc::EOPNOTSUPP, Kind::Unsupported),
    (Op::Snapshot, 1029, Kind::Unsupported),
    (Op::Snapshot, 1030, Kind::Unsupported),
    (Op::Receive, 1037, Kind::Unsupported),
    (Op::Receive, 1048, Kind::Unsupported),
    (Op::Send, 1051, Kind::Unsupported),
    (Op::Receive, 1047, Kind::Busy),
    (Op::Receive, libc::EINTR, Kind::Interrupted),
    (Op::Send, libc::EINTR, Kind::ReaderGone),
    (Op::Send, libc::EPIPE, Kind::ReaderGone),
    (Op::Hold, libc::E2BIG, Kind::TooLong),
    (Op::Snapshot, libc::ENAMETOOLONG, Kind::TooLong),
    (Op::Receive, libc::EINVAL, Kind::Invalid),
    (Op::Create, 1033, Kind::Invalid),
    (Op::Create, 1044, Kind::Invalid),
    (Op::Snapshot, libc::ENOMEM, Kind::OutOfMemory),
    (Op::Send, libc::EIO, Kind::Other),
    (Op::Snapshot, 1024, Kind::Other),
];

#[test]
fn the_kind_depends_on_operation_and_number() {
    for (op, errno, kind) in KINDS {
        let error = Error::from_errno(*op, "tank/a", *errno);
        assert_eq!(error.kind(), *kind, "{error}");
        assert_eq!(error.errno(), Some(*errno), "the number is never lost");
    }
}

#[test]
fn every_number_is_an_error_with_a_text_and_none_panics() {
    for errno in (-3..1100).chain([i32::MIN, i32::MAX]) {
        let shown = Error::from_errno(Op::Receive, "tank/a@1", errno).to_string();
        assert!(shown.starts_with("receive tank/a@1: "), "{shown}");
    }
    assert_eq!(Kind::of(Op::Receive, 5000), Kind::Other);
}

#[test]
fn every_zfs_number_up_to_2_4_has_a_name() {
    for errno in 1024..=1053 {
        let name = errno::name(errno);
        assert!(name.starts_with("ZFS_ERR_"), "{errno}: {name}");
    }
    assert_eq!(errno::name(1054), "error 1054");
}

#[test]
fn the_numbers_are_those_of_the_headers() {
    use crate::sys::core as c;
    let table = [
        (errno::IOC_CMD_UNAVAIL, c::ZFS_ERR_IOC_CMD_UNAVAIL),
        (errno::WRONG_PARENT, c::ZFS_ERR_WRONG_PARENT),
        (errno::FROM_IVSET_GUID_MISSING, c::ZFS_ERR_FROM_IVSET_GUID_MISSING),
        (errno::STREAM_TRUNCATED, c::ZFS_ERR_STREAM_TRUNCATED),
        (errno::BADPROP, c::ZFS_ERR_BADPROP),
    ];
    for (ours, header) in table {
        assert_eq!(i64::from(ours), i64::from(header));
    }
}

#[test]
fn shown_as_operation_dataset_text_and_name() {
    let error = Error::from_errno(Op::DestroySnapshots, "tank/a@1", libc::EBUSY);
    assert_eq!(
        error.to_string(),
        "destroy tank/a@1: snapshot is held or in use (EBUSY)"
    );
    let error = Error::from_errno(Op::Rename, "tank/a to tank/b", libc::EBUSY);
    assert_eq!(error.to_string(), "rename tank/a to tank/b: dataset is busy (EBUSY)");
    let error = Error::from_errno(Op::Receive, "tank/a@1", 1040);
    assert_eq!(
        error.to_string(),
        "receive tank/a@1: the stream ended early (ZFS_ERR_STREAM_TRUNCATED)"
    );
    let error = Error::from_errno(Op::Receive, "tank/a@1", os::ECKSUM);
    assert_eq!(error.to_string(), "receive tank/a@1: checksum mismatch (ECKSUM)");
}

#[test]
fn a_number_without_a_name_has_the_text_of_the_system() {
    let error = Error::from_errno(Op::Send, "tank/a@1", libc::ENOTTY);
    let expected = format!("Inappropriate ioctl for device (error {})", libc::ENOTTY);
    assert!(error.to_string().ends_with(&expected), "{error}");
}

fn failures(items: &[(&str, i32)]) -> NvList {
    let mut list = NvList::new();
    for (name, errno) in items {
        list.add(name, *errno).expect("a valid pair");
    }
    list
}

#[test]
fn items_are_shown_behind_the_line() {
    let list = failures(&[("tank/a@1", libc::EEXIST), ("tank/b@1", libc::EBUSY)]);
    let error =
        check_list(Op::Snapshot, "tank/a@1 and 1 more", libc::EEXIST, Some(&list)).expect_err("the call failed");
    assert_eq!(
        error.to_string(),
        "snapshot tank/a@1 and 1 more: already exists (EEXIST); \
         tank/a@1: already exists (EEXIST); tank/b@1: dataset is being received (EBUSY)"
    );
    assert_eq!(error.items().len(), 2);
}

#[test]
fn one_item_that_says_the_same_is_not_repeated() {
    let list = failures(&[("tank/a@1", libc::EEXIST)]);
    let error = check_list(Op::Snapshot, "tank/a@1", libc::EEXIST, Some(&list)).expect_err("the call failed");
    assert_eq!(error.to_string(), "snapshot tank/a@1: already exists (EEXIST)");
    assert_eq!(
        error.items(),
        [ItemError {
            name: "tank/a@1".to_owned(),
            errno: libc::EEXIST
        }]
    );
}

#[test]
fn a_failed_item_is_an_error_although_the_call_returned_0() {
    let list = failures(&[("tank/a@2", libc::ENOENT)]);
    let error = check_list(Op::Hold, "tank/a@1 and 1 more", 0, Some(&list)).expect_err("a snapshot is missing");
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(error.items()[0].name, "tank/a@2");
}

#[test]
fn an_empty_list_of_failures_is_success() {
    check_list(Op::Hold, "tank/a@1", 0, Some(&NvList::new())).expect("nothing failed");
    check_list(Op::Hold, "tank/a@1", 0, None).expect("nothing failed");
}

#[test]
fn the_count_of_cut_failures_is_no_item() {
    let list = failures(&[("tank/a@1", libc::EBUSY), ("N_MORE_ERRORS", 17)]);
    let error = check_list(Op::DestroySnapshots, "tank/a@1 and 17 more", libc::EBUSY, Some(&list))
        .expect_err("the call failed");
    assert_eq!(error.items().len(), 1);
}

#[test]
fn libzfs_numbers_that_are_the_same_everywhere_have_a_kind() {
    let table = [
        (2000, Kind::OutOfMemory),
        (2007, Kind::Busy),
        (2008, Kind::Exists),
        (2009, Kind::NotFound),
        (2013, Kind::Invalid),
        (2022, Kind::PoolGone),
        (2027, Kind::Mount),
        (2028, Kind::Mount),
        (2031, Kind::Permission),
        (2032, Kind::NoSpace),
    ];
    for (number, kind) in table {
        assert_eq!(Kind::of_libzfs(number), kind, "{number}");
    }
    for number in (2065..2120).chain([-1, 0, i32::MAX]) {
        assert_eq!(
            Kind::of_libzfs(number),
            Kind::Other,
            "{number} differs between releases"
        );
    }
}

#[test]
fn an_error_is_one_word_and_crosses_threads() {
    fn is_error<T: std::error::Error + Send + Sync + 'static>() {}
    is_error::<Error>();
    is_error::<NameError>();
    assert_eq!(size_of::<Error>(), size_of::<usize>());
}

#[test]
fn a_refused_name_becomes_an_error() {
    let error = Error::from(crate::DatasetName::new("tank//a").expect_err("not a name"));
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(error.errno(), None);
    assert!(
        error
            .to_string()
            .starts_with(r#"check name "tank//a": empty component"#),
        "{error}"
    );
}
