//! FreeBSD: /proc is not mounted as a rule, so a lock tells no more than whether its process lives.

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

/// Threads are not looked at here.
pub fn thread_number() -> u64 {
    0
}

/// What a thread has read is not counted here.
pub fn bytes_read(_thread: u64) -> Option<u64> {
    None
}
