//! What must not outlive the harness: guests, temporary directories, a terminal in raw
//! mode. Guards clean up on the way out; this module does it when there is no way out,
//! because a signal or a closed pipe ends the program in the middle.
//!
//! A SIGKILL leaves nothing to do anything here: QEMU then dies by its parent-death
//! signal ([`dies_with_us`]), and directories are swept by the next run ([`RunDir`]).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, getpid, kill_process, test_kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::terminal;

#[derive(Debug, Default)]
struct Registered {
    processes: Vec<Pid>,
    directories: Vec<PathBuf>,
}

static REGISTERED: Mutex<Registered> = Mutex::new(Registered {
    processes: Vec::new(),
    directories: Vec::new(),
});

fn registered() -> MutexGuard<'static, Registered> {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the program with 128 + the signal, as a shell would say it, on the signals
/// that ask for an end.
pub fn on_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("signal handlers")?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            exit(128 + signal);
        }
    });
    Ok(())
}

/// Ends the program now, with nothing left behind.
pub fn exit(code: i32) -> ! {
    // The lock is held to the end, so that no other thread registers anything more.
    let registered = registered();
    for pid in &registered.processes {
        let _ = kill_process(*pid, Signal::KILL);
    }
    for dir in &registered.directories {
        // What was just killed may still be writing for a moment.
        let gone = (0..5).any(|_| fs::remove_dir_all(dir).is_ok() || !dir.exists());
        if !gone {
            eprintln!("lab: {} is left behind; the next run removes it", dir.display());
        }
    }
    terminal::restore();
    std::process::exit(code)
}

/// A process that is killed if the program ends early. Drop before waiting for it:
/// after that its number may belong to another.
#[derive(Debug)]
pub struct KillOnExit(Pid);

impl KillOnExit {
    pub fn new(child: &std::process::Child) -> Self {
        let pid = Pid::from_child(child);
        registered().processes.push(pid);
        Self(pid)
    }
}

impl Drop for KillOnExit {
    fn drop(&mut self) {
        registered().processes.retain(|pid| *pid != self.0);
    }
}

/// Starts PROGRAM so that the kernel kills it when the thread that starts it ends,
/// however that happens. Hence to be started from the main thread.
pub fn dies_with_us(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

/// A directory that is removed if the program ends early.
#[derive(Debug)]
pub struct RemoveOnExit(PathBuf);

impl RemoveOnExit {
    pub fn new(dir: &Path) -> Self {
        registered().directories.push(dir.to_owned());
        Self(dir.to_owned())
    }
}

impl Drop for RemoveOnExit {
    fn drop(&mut self) {
        registered().directories.retain(|dir| *dir != self.0);
    }
}

/// A temporary directory of this run. It has the process' number in its name, so
/// that a later run sees that its owner is gone.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    _remove: RemoveOnExit,
}

const PREFIX: &str = "zrep-lab.";

impl RunDir {
    /// Makes the directory, in $TMPDIR or in /var/tmp: /tmp is often memory, and the
    /// guests' disks are in here.
    pub fn new() -> Result<Self> {
        let parent = std::env::var_os("TMPDIR").map_or_else(|| "/var/tmp".into(), PathBuf::from);
        sweep(&parent);
        let name = format!("{PREFIX}{}", getpid().as_raw_nonzero());
        let free = |n: &u32| fs::create_dir(parent.join(format!("{name}.{n}"))).is_ok();
        let number = (0..1000)
            .find(free)
            .with_context(|| format!("no directory can be made in {}", parent.display()))?;
        let path = parent.join(format!("{name}.{number}"));
        Ok(Self {
            _remove: RemoveOnExit::new(&path),
            path,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the directories of runs that are gone.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if owner(&name.to_string_lossy()).is_some_and(|pid| test_kill_process(pid).is_err()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn owner(name: &str) -> Option<Pid> {
    let pid = name.strip_prefix(PREFIX)?.split('.').next()?;
    Pid::from_raw(pid.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_names_its_owner() {
        assert_eq!(owner("zrep-lab.17.0"), Pid::from_raw(17));
        assert_eq!(owner("zrep-lab.x.0"), None);
        assert_eq!(owner("something.17.0"), None);
    }

    #[test]
    fn a_directory_goes_with_its_guard() {
        let (one, two) = (RunDir::new().unwrap(), RunDir::new().unwrap());
        assert_ne!(one.path(), two.path());
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists());
        assert!(two.path().exists(), "a directory of a living process is not swept");
    }
}
