//! What differs between Linux, FreeBSD and illumos: one file for each, with the same functions.
//!
//! What does not differ stands here.

use std::io::{self, PipeReader, PipeWriter};

use rustix::process::{Pid, test_kill_process};

#[cfg(target_os = "freebsd")]
#[path = "freebsd.rs"]
mod system;
#[cfg(any(target_os = "illumos", target_os = "solaris"))]
#[path = "illumos.rs"]
mod system;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;

pub use system::{bytes_moved_by_others, command_of, enlarge, flush, mappers, started};

use crate::settings::Machine;

/// Whether a process of this number lives. One that belongs to somebody else (EPERM) does.
pub fn is_alive(pid: i32) -> bool {
    let Some(pid) = Pid::from_raw(pid) else { return false };
    !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// A pipe for a stream, as large as this system lets it be.
pub fn stream_pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (input, out) = io::pipe()?;
    // N.B. now, while it is empty: Linux has had a deadlock when a pipe with data in it was resized.
    enlarge(&out);
    Ok((input, out))
}

/// Handles of stdin and stdout without the buffers of the usual ones: a stream goes past those.
pub fn standard_streams() -> io::Result<(PipeReader, PipeWriter)> {
    let input = rustix::stdio::stdin().try_clone_to_owned()?;
    let out = rustix::stdio::stdout().try_clone_to_owned()?;
    Ok((PipeReader::from(input), PipeWriter::from(out)))
}

/// The machine's name, and who the caller is.
pub fn machine() -> Machine {
    let nodename = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Machine {
        nodename,
        is_root: rustix::process::geteuid().is_root(),
    }
}
