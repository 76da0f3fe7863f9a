//! What zrep asks of the kernel, as strace sees it.

use std::fs;

use anyhow::{Context, Result};

use crate::fixture::Lab;
use crate::fixture::output::{Checked, Output};

/// Runs zrep under strace, which must succeed. The lines of the given system calls, of
/// all threads and children, come back with the output.
pub fn zrep(lab: &Lab, calls: &str, args: &[&str]) -> Result<(Vec<String>, Checked)> {
    let log = lab.dir().join("strace");
    let mut command = std::process::Command::new("strace");
    command
        .args(["-f", "-qq", "-e", &format!("trace={calls}"), "-e", "signal=none", "-o"])
        .arg(&log)
        .arg("zrep")
        .args(args)
        .current_dir(lab.dir());
    let output = Output::of(&mut command).ok()?;
    let text = String::from_utf8_lossy(&fs::read(&log).context("strace's log")?).into_owned();
    Ok((text.lines().map(str::to_owned).collect(), output))
}

/// The sum of what the calls have returned; errors count as nothing.
pub fn sum_of_results(lines: &[String]) -> u64 {
    lines.iter().filter_map(|line| result_of(line)).sum()
}

fn result_of(line: &str) -> Option<u64> {
    let (_, result) = line.rsplit_once(" = ")?;
    result.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_also_of_calls_that_were_interrupted() {
        let lines = [
            "12 read(3, \"a = 5\"..., 8192) = 10",
            "13 read(4,  <unfinished ...>",
            "13 <... read resumed>\"x\", 312) = 312",
            "12 write(1, \"x\", 1) = -1 EPIPE (Broken pipe)",
            "12 +++ exited with 0 +++",
        ];
        assert_eq!(sum_of_results(&lines.map(str::to_owned)), 322);
    }
}
