//! What a case may leave behind, apart from pools: processes, mounts, a second host,
//! network namespaces and links, injected faults, a wrong clock or name. All of it is
//! found by comparing with how it was when the runner started, so no case has to tell.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, ensure};
use rustix::process::{Pid, Signal, getpid, kill_process};

use super::pools;
use crate::fixture::output::Output;

/// The guest as it was when the runner started.
#[derive(Debug)]
pub struct Baseline {
    processes: HashSet<i32>,
    mounts: Vec<String>,
    links: HashSet<String>,
    host_name: String,
    /// The same moment by the clock that can be set and by the one that cannot.
    wall: SystemTime,
    steady: Instant,
}

impl Baseline {
    pub fn take() -> Self {
        Self {
            processes: processes().into_iter().map(|pid| pid.as_raw_nonzero().get()).collect(),
            mounts: mounts(),
            links: links(),
            host_name: host_name(),
            wall: SystemTime::now(),
            steady: Instant::now(),
        }
    }

    /// Brings the guest back to it. Faults go first, since a process that waits for a
    /// failing disk cannot be killed; then processes, since they hold the rest.
    pub fn restore(&self) -> Result<()> {
        let _ = Output::of(Command::new("zinject").args(["-c", "all"]));
        pools::resume()?;
        self.kill_processes()?;
        self.set_clock();
        if Path::new("/run/netns").exists() {
            let _ = Output::of(Command::new("ip").args(["-all", "netns", "delete"]));
        }
        self.delete_links();
        self.set_host_name();
        self.unmount();
        Ok(())
    }

    /// What each process that came since is doing, for the report on a case that hangs:
    /// its place in the kernel is what tells a slow case from one that ZFS does not let go.
    pub fn scene(&self) -> String {
        describe(&[self.extra_processes(), dying()].concat())
    }

    fn kill_processes(&self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let extra = self.extra_processes();
            if extra.is_empty() {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "processes that cannot be killed:\n{}",
                describe(&extra)
            );
            for pid in extra {
                let _ = kill_process(pid, Signal::KILL);
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn extra_processes(&self) -> Vec<Pid> {
        let known = |pid: &Pid| self.processes.contains(&pid.as_raw_nonzero().get()) || *pid == getpid();
        processes()
            .into_iter()
            .filter(|pid| !known(pid) && !is_udev_worker(*pid))
            .collect()
    }

    /// The cable to a second host goes with that host, but later than the next case comes.
    fn delete_links(&self) {
        for link in links().difference(&self.links) {
            let _ = Output::of(Command::new("ip").args(["link", "delete", link]));
        }
    }

    fn set_host_name(&self) {
        if host_name() != self.host_name {
            let _ = Output::of(Command::new("hostname").arg(self.host_name.trim()));
        }
    }

    /// A case may have set the clock; certificates, caches and the next case mind.
    fn set_clock(&self) {
        let should_be = self.wall + self.steady.elapsed();
        let off = should_be
            .duration_since(SystemTime::now())
            .unwrap_or_else(|error| error.duration());
        if off > Duration::from_secs(2) {
            let seconds = should_be
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs();
            let _ = Output::of(Command::new("date").arg("-s").arg(format!("@{seconds}")));
        }
    }

    /// Newest first, so that what is mounted inside of something goes before it. ZFS'
    /// own mounts go with their pool.
    fn unmount(&self) {
        for mount in mounts().iter().rev().filter(|mount| !self.mounts.contains(mount)) {
            let point = unescape(mount);
            if !Output::of(Command::new("umount").arg(&point)).success() {
                let _ = Output::of(Command::new("umount").args(["-l", &point]));
            }
        }
    }
}

/// All processes of user space. Kernel threads have no executable.
fn processes() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    pids.filter(|pid| fs::read_link(proc_file(*pid, "exe")).is_ok())
        .collect()
}

/// Processes that are ending, and do not come to their end: they have no program any more, and are no threads of the kernel.
fn dying() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    pids.filter(|pid| fs::read_link(proc_file(*pid, "exe")).is_err() && !is_of_kernel(*pid))
        .collect()
}

fn is_of_kernel(pid: Pid) -> bool {
    let stat = fs::read_to_string(proc_file(pid, "stat")).unwrap_or_default();
    let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
    matches!(parent, Some("0" | "2") | None)
}

fn proc_file(pid: Pid, name: &str) -> String {
    format!("/proc/{}/{name}", pid.as_raw_nonzero())
}

/// They come and go with every disk that changes.
fn is_udev_worker(pid: Pid) -> bool {
    fs::read_link(proc_file(pid, "exe")).is_ok_and(|exe| {
        exe.file_name()
            .is_some_and(|name| name == "udevadm" || name == "systemd-udevd")
    })
}

/// The network's links.
fn links() -> HashSet<String> {
    let entries = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn host_name() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default()
}

/// Mount points, as the kernel writes them.
fn mounts() -> Vec<String> {
    let text = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split(' ').nth(1))
        .map(str::to_owned)
        .collect()
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescape(mount: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(mount.to_owned(), |text, (escape, char)| text.replace(escape, char))
}

fn describe(pids: &[Pid]) -> String {
    let mut text = String::new();
    for pid in pids {
        let read = |name| String::from_utf8_lossy(&fs::read(proc_file(*pid, name)).unwrap_or_default()).into_owned();
        let command = read("cmdline").replace('\0', " ");
        let state = read("stat")
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.chars().next())
            .unwrap_or('?');
        let _ = writeln!(text, "{} {state} {}", pid.as_raw_nonzero(), command.trim());
        for line in stacks(*pid) {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

/// Where its threads are in the kernel.
fn stacks(pid: Pid) -> Vec<String> {
    let threads = fs::read_dir(proc_file(pid, "task")).into_iter().flatten().flatten();
    let stacks = threads.map(|thread| fs::read_to_string(thread.path().join("stack")).unwrap_or_default());
    let lines: Vec<String> = stacks.flat_map(|stack| [stack, "--".to_owned()]).collect();
    lines.iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_with_spaces_are_read() {
        assert_eq!(unescape("/src/a\\040b"), "/src/a b");
    }

    #[test]
    fn this_process_is_seen_and_described() {
        assert!(processes().contains(&getpid()));
        assert!(describe(&[getpid()]).contains(" R ") || describe(&[getpid()]).contains(" S "));
        assert!(!mounts().is_empty());
    }
}
