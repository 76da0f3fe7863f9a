//! Linux: processes are seen through /proc.

use std::fs;
use std::os::fd::AsFd;

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

/// How many bytes the other threads of this process have read; what the kernel reads for them in an ioctl counts, too. Grows while a stream
/// comes in.
pub fn bytes_read_by_others() -> Option<u64> {
    let own = rustix::thread::gettid().as_raw_nonzero().to_string();
    let mut sum = 0;
    for thread in fs::read_dir("/proc/self/task").ok()?.flatten() {
        if thread.file_name().to_str() != Some(&own) {
            let io = fs::read_to_string(thread.path().join("io")).unwrap_or_default();
            sum += io
                .lines()
                .find_map(|line| line.strip_prefix("rchar: ")?.trim().parse::<u64>().ok())
                .unwrap_or(0);
        }
    }
    Some(sum)
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
    fn no_process_has_number_minus_one_or_two_billion() {
        assert_eq!(started(2_000_000_000), None);
        assert!(!super::super::is_alive(2_000_000_000));
    }
}
