//! An end of a pipe, in a thread that holds no other one.
//!
//! N.B. a `SIGKILL` that arrives while the SPL starts a kernel thread for a send or a receive is lost to the thread that has called it:
//! `kthread_create` fails with `EINTR`, and `spl_kthread_create` clears the mark and tries again. The thread goes on with its pipe and cannot be
//! killed any more; only the other end's close gets it out of there. That close never comes if the dying process' own table of descriptors
//! still holds the other end. So sender and receiver get tables of their own, without it: when the other threads have died, so has the pipe.

use std::os::fd::{BorrowedFd, OwnedFd};

/// Runs `work` on `end` in a thread with a table of descriptors of its own, in which `end` is the only end of a pipe above the standard
/// streams. In all other threads `end` is closed as soon as that thread has it, so that whoever has the other end notices when `work` is done.
///
/// Where the system has no such tables, or does not give one, `work` is run in this thread.
pub fn with_own_files<T, F>(end: OwnedFd, work: F) -> T
where
    T: Send,
    F: FnOnce(BorrowedFd<'_>) -> T + Send,
{
    system::run(end, work)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
    use std::sync::mpsc;
    use std::thread;

    pub(super) fn run<T, F>(end: OwnedFd, work: F) -> T
    where
        T: Send,
        F: FnOnce(BorrowedFd<'_>) -> T + Send,
    {
        let number = end.as_raw_fd();
        let result = thread::scope(|scope| {
            let (tell, told) = mpsc::channel();
            let worker = scope.spawn(move || {
                let is_own = own_files(number).is_ok();
                let _ = tell.send(is_own);
                if !is_own {
                    return Err(work);
                }
                // SAFETY: `number` is open in this thread's own table, where nothing closes it before the thread ends.
                let own = unsafe { BorrowedFd::borrow_raw(number) };
                Ok(work(own))
            });
            let end = if told.recv().unwrap_or(false) {
                drop(end);
                None
            } else {
                Some(end)
            };
            let result = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result.map_err(|work| (work, end))
        });
        match result {
            Ok(result) => result,
            Err((work, Some(end))) => work(end.as_fd()),
            // The thread says no only where this one has kept its descriptor.
            Err((_, None)) => unreachable!("a thread without a table of its own has told otherwise"),
        }
    }

    /// Gives this thread a table of its own, with `keep` and without other pipes.
    fn own_files(keep: RawFd) -> io::Result<()> {
        // SAFETY: the call takes no pointers. Descriptors that other threads own stay open in their table, whatever happens to the copies in
        // this one; this thread runs nothing but `work`, which is given `keep` alone.
        if unsafe { libc::unshare(libc::CLONE_FILES) } != 0 {
            return Err(io::Error::last_os_error());
        }
        for number in other_pipes(keep)? {
            // SAFETY: the number is a copy in this thread's own table, and no object of this thread owns it.
            unsafe { libc::close(number) };
        }
        Ok(())
    }

    fn other_pipes(keep: RawFd) -> io::Result<Vec<RawFd>> {
        let mut pipes = Vec::new();
        for entry in fs::read_dir("/proc/thread-self/fd")? {
            let entry = entry?;
            let number: Option<RawFd> = entry.file_name().to_str().and_then(|name| name.parse().ok());
            let is_pipe = fs::read_link(entry.path()).is_ok_and(|to| to.to_string_lossy().starts_with("pipe:"));
            pipes.extend(number.filter(|number| is_pipe && *number > libc::STDERR_FILENO && *number != keep));
        }
        Ok(pipes)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

    /// The signal is lost on Linux only.
    pub(super) fn run<T, F>(end: OwnedFd, work: F) -> T
    where
        T: Send,
        F: FnOnce(BorrowedFd<'_>) -> T + Send,
    {
        work(end.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write, pipe};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_writer_notices_when_the_reader_is_done() {
        let (input, mut out) = pipe().unwrap();
        out.write_all(b"12345").unwrap();
        let read = with_own_files(input.into(), |own| {
            let mut bytes = [0; 3];
            File::from(own.try_clone_to_owned().unwrap())
                .read_exact(&mut bytes)
                .unwrap();
            bytes
        });
        assert_eq!(&read, b"123");
        // The thread's table goes a moment after the thread.
        let noticed = (0..500).any(|_| {
            thread::sleep(Duration::from_millis(10));
            out.write_all(b"x").is_err()
        });
        assert!(noticed, "nobody reads any more");
    }

    #[test]
    fn a_writer_notices_that_the_last_reader_was_another_thread() {
        let (input, out) = pipe().unwrap();
        let reader = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            drop(input);
        });
        let failed = with_own_files(out.into(), |own| {
            let mut out = File::from(own.try_clone_to_owned().unwrap());
            // More than any pipe holds.
            out.write_all(&[0; 4 << 20]).is_err()
        });
        reader.join().unwrap();
        assert!(failed, "nobody reads any more");
    }

    #[test]
    fn the_reader_notices_when_the_writer_is_done() {
        let (input, mut out) = pipe().unwrap();
        let (_other_input, _other_out) = pipe().unwrap();
        let writer = thread::spawn(move || out.write_all(b"all").unwrap());
        let read = with_own_files(input.into(), |own| {
            let mut text = String::new();
            File::from(own.try_clone_to_owned().unwrap())
                .read_to_string(&mut text)
                .unwrap();
            text
        });
        writer.join().unwrap();
        assert_eq!(read, "all");
    }
}
