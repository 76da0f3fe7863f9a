//! Linux: processes are seen through /proc.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// When a process began, in seconds since 1970.
pub fn started(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // N.B. the second field is the program's name in parentheses, and may itself hold blanks and parentheses.
    let behind_name = stat.rsplit_once(')')?.1;
    let ticks: u64 = behind_name.split_whitespace().nth(19)?.parse().ok()?;
    Some(boot_time()? + ticks / rustix::param::clock_ticks_per_second())
}

fn boot_time() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()
}

/// The command line of a process.
pub fn command_of(pid: i32) -> Option<String> {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<_> = raw
        .split(|&byte| byte == 0)
        .filter(|word| !word.is_empty())
        .map(String::from_utf8_lossy)
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Makes room for a mebibyte in a pipe. An unprivileged user who has used up his share goes on with what the pipe has.
pub fn enlarge(pipe: impl AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, 1 << 20);
}

/// How many bytes the other threads of this process have read and written; what the kernel does for them in an ioctl counts, too. Grows
/// while a stream moves.
pub fn bytes_moved_by_others() -> Option<u64> {
    let own = rustix::thread::gettid().as_raw_nonzero().to_string();
    let mut sum = 0;
    for thread in fs::read_dir("/proc/self/task").ok()?.flatten() {
        if thread.file_name().to_str() != Some(&own) {
            let io = fs::read_to_string(thread.path().join("io")).unwrap_or_default();
            let counted = io.lines().filter_map(|line| {
                let (name, count) = line.split_once(": ")?;
                let moved = name == "rchar" || name == "wchar";
                moved.then(|| count.parse::<u64>().ok()).flatten()
            });
            sum += counted.sum::<u64>();
        }
    }
    Some(sum)
}

/// Writes to the filesystem what is in memory of its files, which may be there although nobody has them open any more.
///
/// N.B. what was stored through a mapping is written back up to half a minute later, also onto a filesystem that has become read-only in the
/// meantime; and syncfs(2) passes over one that is read-only.
pub fn flush(mounted: &Path) {
    if let Ok(root) = fs::File::open(mounted) {
        let _ = rustix::fs::syncfs(root);
    }
}

/// The processes that have files of mounted filesystems mapped for writing, as far as this user may look, each with the number of the filesystem.
///
/// Every process is looked at once, however many filesystems there are: while the roles of a tree are turned, nobody can write.
pub fn mappers(mounted: &[PathBuf]) -> Vec<(usize, String)> {
    let devices: Vec<Option<String>> = mounted.iter().map(|path| device_of(path)).collect();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.flat_map(|pid| mapped_by(pid, &devices)).collect()
}

fn device_of(mounted: &Path) -> Option<String> {
    let device = fs::metadata(mounted).ok()?.dev();
    Some(format!(
        "{:02x}:{:02x}",
        rustix::fs::major(device),
        rustix::fs::minor(device)
    ))
}

fn mapped_by(pid: i32, devices: &[Option<String>]) -> Vec<(usize, String)> {
    let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/maps")) else {
        return Vec::new();
    };
    let of_device = |device: &str| maps.lines().find_map(|line| mapped_file(line, device));
    let mapped = devices
        .iter()
        .enumerate()
        .filter_map(|(number, device)| Some((number, of_device(device.as_deref()?)?)));
    mapped
        .map(|(number, path)| {
            let command = command_of(pid).unwrap_or_default();
            (number, format!("process {pid} ({command}) has {path}"))
        })
        .collect()
}

/// The file of a line of `/proc/PID/maps`, if it is shared, writable, and on that device.
fn mapped_file<'a>(line: &'a str, device: &str) -> Option<&'a str> {
    let mut words = line.splitn(6, ' ');
    let (_range, mode) = (words.next()?, words.next()?);
    let (_offset, found, _inode) = (words.next()?, words.next()?, words.next()?);
    let is_written = mode.as_bytes().get(1) == Some(&b'w') && mode.ends_with('s');
    (is_written && found == device).then(|| words.next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_begun_and_has_a_command_line() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let began = started(pid).unwrap();
        assert!(began <= now + 1 && began + 3600 > now, "{began} {now}");
        assert!(command_of(pid).is_some());
    }

    #[test]
    fn a_shared_writable_mapping_is_told_from_others() {
        let line = |mode: &str, device: &str| {
            format!("7f00-7f10 {mode} 00000000 {device} 42                       /pool/a file")
        };
        assert_eq!(mapped_file(&line("rw-s", "00:2d"), "00:2d"), Some("/pool/a file"));
        for (mode, device) in [("r--s", "00:2d"), ("rw-p", "00:2d"), ("rw-s", "00:2e")] {
            assert_eq!(mapped_file(&line(mode, device), "00:2d"), None, "{mode} {device}");
        }
    }

    #[test]
    fn no_process_has_number_minus_one_or_two_billion() {
        assert_eq!(started(2_000_000_000), None);
        assert!(!super::super::is_alive(2_000_000_000));
    }
}
