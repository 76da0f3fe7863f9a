//! The two locks that shell zrep and zrep share: a file for a moment, a property for as long as a dataset is worked on.
//!
//! What the property does is planned in [`plan::lock`](crate::plan::lock); here is what has to be asked of the machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock;
use crate::model::State;
use crate::os;
use crate::plan::lock::Seen;
use crate::props::{Tag, View};

/// A process that began so long after a lock was taken cannot be the one that took it. The margin covers clocks that were set.
const MARGIN: u64 = 60;

/// Finds out whether the process that stands in the lock of `state` is still the one that took it.
///
/// A number alone may belong to somebody else by now, above all after a reboot: a process that began after the lock was taken is
/// not its holder.
pub fn seen(state: &State, tag: &Tag, own_pid: u32) -> Seen {
    let view = View::new(state, tag);
    let Some(text) = view.lock_pid() else { return Seen::Free };
    let Ok(pid) = text.parse::<i32>() else {
        return Seen::Dead;
    };
    let is_own = u32::try_from(pid) == Ok(own_pid);
    let since = view.lock_time().and_then(clock::from_digits);
    let is_younger = matches!((os::started(pid), since), (Some(began), Some(since)) if began > since + MARGIN);
    if is_own || !os::is_alive(pid) || is_younger {
        Seen::Dead
    } else {
        Seen::Alive {
            command: os::command_of(pid),
        }
    }
}

/// Tells the loop that holds the lock of `state` that somebody waits for it. Where that cannot be told, he waits for its next pause.
pub fn knock(rundir: &Path, state: &State, tag: &Tag, seen: &Seen) {
    let holder = View::new(state, tag).lock_pid().and_then(|pid| pid.parse().ok());
    if let (true, Some(pid)) = (seen.is_a_loop(), holder) {
        // N.B. the directory may be everybody's: what is there already is not written to, wherever it leads.
        let _ = File::create_new(door(rundir, pid));
    }
}

/// Whether somebody has knocked since this was last asked.
pub fn was_knocked(rundir: &Path, own_pid: u32) -> bool {
    fs::remove_file(door(rundir, own_pid)).is_ok()
}

fn door(rundir: &Path, pid: u32) -> PathBuf {
    rundir.join(format!("zrep.wanted.{pid}"))
}

/// The file `zrep.lock`: whoever has it may look at locks and take them. Dropped, it is removed.
#[derive(Debug)]
#[must_use = "the file is removed when this is dropped"]
pub struct FileLock {
    path: PathBuf,
}

/// Why the file could not be had.
#[derive(Debug)]
pub enum FileLockError {
    /// Another zrep has it, and did not give it back in time.
    Busy {
        /// The file.
        path: PathBuf,
        /// The process in it.
        pid: Option<i32>,
    },
    /// The directory takes no files.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl FileLock {
    /// Takes the file in `rundir`, waiting up to `patience` for another zrep. A file whose process has ended is taken over.
    ///
    /// The file appears with its content at once: shell zrep gives up when it finds it empty.
    pub fn take(rundir: &Path, pid: u32, patience: Duration) -> Result<Self, FileLockError> {
        let path = rundir.join("zrep.lock");
        let io_error = |error| FileLockError::Io {
            path: path.clone(),
            error,
        };
        let deadline = Instant::now() + patience;
        loop {
            match link_prepared(&path, pid) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io_error(error)),
            }
            let holder = read_pid(&path);
            if holder.is_some_and(|holder| !os::is_alive(holder)) {
                remove_stale(&path, pid).map_err(io_error)?;
            } else if Instant::now() >= deadline {
                return Err(FileLockError::Busy { path, pid: holder });
            } else {
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Whoever finds it left behind sees that its process has ended, and removes it.
        let _ = fs::remove_file(&self.path);
    }
}

fn read_pid(path: &Path) -> Option<i32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn link_prepared(path: &Path, pid: u32) -> io::Result<()> {
    let prepared = path.with_file_name(format!("zrep.lock.{pid}"));
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&prepared) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Of an earlier process of this number, which was killed here.
            fs::remove_file(&prepared)?;
            OpenOptions::new().write(true).create_new(true).open(&prepared)?
        }
        opened => opened?,
    };
    writeln!(file, "{pid}")?;
    let linked = fs::hard_link(&prepared, path);
    fs::remove_file(&prepared)?;
    linked
}

/// Removes the file of a process that has ended. It is moved aside first: if another process took it over in between, what was
/// moved is the new one's, and goes back.
fn remove_stale(path: &Path, pid: u32) -> io::Result<()> {
    let aside = path.with_file_name(format!("zrep.lock.stale.{pid}"));
    match fs::rename(path, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        moved => moved?,
    }
    if read_pid(&aside).is_some_and(os::is_alive) {
        let _ = fs::hard_link(&aside, path);
    }
    fs::remove_file(&aside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::model::notation::state;

    const NOBODY: i32 = 2_000_000_000;
    const INIT: i32 = 1;

    fn tag() -> Tag {
        Tag::new("zrep").unwrap()
    }

    fn locked(pid: &str, time: &str) -> State {
        let state = state("a/fs", "").user("zrep:lock-pid", pid, Origin::Local);
        state.user("zrep:lock-time", time, Origin::Local).build()
    }

    #[test]
    fn a_lock_is_only_as_alive_as_the_process_that_took_it() {
        let me = std::process::id();
        let long_ago = clock::digits(86_400);
        let now = clock::digits(clock::now());
        assert_eq!(seen(&state("a/fs", "").build(), &tag(), me), Seen::Free);
        assert_eq!(seen(&locked(&NOBODY.to_string(), &now), &tag(), me), Seen::Dead);
        assert_eq!(seen(&locked("rubbish", &now), &tag(), me), Seen::Dead);
        assert_eq!(
            seen(&locked(&me.to_string(), &now), &tag(), me),
            Seen::Dead,
            "left by an earlier process of our number"
        );
        assert!(matches!(
            seen(&locked(&INIT.to_string(), &now), &tag(), me),
            Seen::Alive { .. }
        ));
        if os::started(INIT).is_some() {
            assert_eq!(
                seen(&locked(&INIT.to_string(), &long_ago), &tag(), me),
                Seen::Dead,
                "began after the lock was taken"
            );
        }
    }

    fn rundir(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("zrep-lock-test-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        path
    }

    #[test]
    fn the_file_holds_the_number_and_goes_when_dropped() {
        let dir = rundir("plain");
        let lock = FileLock::take(&dir, 4711, Duration::ZERO).unwrap();
        assert_eq!(fs::read_to_string(dir.join("zrep.lock")).unwrap(), "4711\n");
        drop(lock);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    }

    #[test]
    fn a_living_process_keeps_the_file_and_a_dead_one_loses_it() {
        let dir = rundir("held");
        fs::write(dir.join("zrep.lock"), format!("{INIT}\n")).unwrap();
        let busy = FileLock::take(&dir, 4711, Duration::ZERO).unwrap_err();
        assert!(matches!(busy, FileLockError::Busy { pid: Some(INIT), .. }));
        fs::write(dir.join("zrep.lock"), format!("{NOBODY}\n")).unwrap();
        assert!(FileLock::take(&dir, 4711, Duration::ZERO).is_ok());
    }

    #[test]
    fn a_file_without_a_number_may_be_one_that_is_being_written_and_stays() {
        let dir = rundir("empty");
        fs::write(dir.join("zrep.lock"), "").unwrap();
        let busy = FileLock::take(&dir, 4711, Duration::ZERO).unwrap_err();
        assert!(matches!(busy, FileLockError::Busy { pid: None, .. }));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_directory_is_said() {
        assert!(matches!(
            FileLock::take(Path::new("/nonexistent"), 1, Duration::ZERO),
            Err(FileLockError::Io { .. })
        ));
    }
}
