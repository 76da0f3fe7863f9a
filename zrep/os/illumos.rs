//! illumos: /proc/PID/psinfo is a binary record of the system libc, so a lock tells no more than whether its process lives.

use std::os::fd::AsFd;

/// When a process began, in seconds since 1970, where that can be told without more privileges.
pub fn started(_pid: i32) -> Option<u64> {
    None
}

/// The command line of a process, where that can be told without more privileges.
pub fn command_of(_pid: i32) -> Option<String> {
    None
}

/// The kernel sizes pipes by itself here.
pub fn enlarge(_pipe: impl AsFd) {}

/// What threads have read and written is not counted here.
pub fn bytes_moved_by_others() -> Option<u64> {
    None
}

/// One filesystem alone cannot be asked for this here; its own syncer does it.
pub fn flush(_mounted: &std::path::Path) {}

/// Who has files mapped is not told here without the privileges of a debugger.
pub fn mappers(_mounted: &[std::path::PathBuf]) -> Vec<(usize, String)> {
    Vec::new()
}
