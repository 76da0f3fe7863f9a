//! One case in a process of its own: both sides of it.

use std::any::Any;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use super::leftovers::Baseline;
use crate::cases::{CASES, Skip};
use crate::fixture::Lab;

/// How a case ended.
#[derive(Debug)]
pub enum Verdict {
    Passed,
    Skipped(String),
    /// With everything that helps to understand it.
    Failed(String),
}

const DIR: &str = "/tmp/case";
const LOG: &str = "/tmp/case.log";

/// As automake's tests and many others have it.
const SKIPPED: u8 = 77;
const SKIP_LINE: &str = "skipped: ";

// --- in the child ---------------------------------------------------------------------

/// Runs the case and says in status and output how it went.
pub fn main(name: &str) -> ExitCode {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| body(name)));
    let error = match outcome {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => error,
        Err(payload) => anyhow!("panic: {}", panic_text(&*payload)),
    };
    if let Some(skip) = error.downcast_ref::<Skip>() {
        println!("{SKIP_LINE}{}", skip.0.replace('\n', " "));
        return ExitCode::from(SKIPPED);
    }
    println!("{error:?}");
    ExitCode::FAILURE
}

fn body(name: &str) -> Result<()> {
    let case = CASES.iter().find(|case| case.name == name).context("no such case")?;
    (case.run)(&Lab::new(Path::new(DIR))?)
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}

// --- in the runner --------------------------------------------------------------------

/// Runs the case NAME in a child, for LIMIT at most.
pub fn run(name: &str, limit: Duration, baseline: &Baseline) -> Verdict {
    let _ = fs::remove_dir_all(DIR);
    match start(name).and_then(|mut child| wait(&mut child, limit, baseline)) {
        Ok(Some(code)) => verdict(code, &log()),
        Ok(None) => Verdict::Failed(format!("killed by a signal\n{}", log())),
        Err(error) => Verdict::Failed(format!("{error:#}\n{}", log())),
    }
}

fn verdict(code: i32, log: &str) -> Verdict {
    if code == 0 {
        return Verdict::Passed;
    }
    let reason = log.lines().next_back().and_then(|line| line.strip_prefix(SKIP_LINE));
    match reason {
        Some(reason) if code == i32::from(SKIPPED) => Verdict::Skipped(reason.to_owned()),
        _ => Verdict::Failed(log.to_owned()),
    }
}

fn log() -> String {
    String::from_utf8_lossy(&fs::read(LOG).unwrap_or_default()).into_owned()
}

fn start(name: &str) -> Result<Child> {
    let log = File::create(LOG)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--one", name]).process_group(0);
    // A backtrace of the assertion says less than its text.
    command.env("RUST_BACKTRACE", "0").env("RUST_LIB_BACKTRACE", "0");
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("the case's process")
}

/// Its exit code, `None` for a signal; an error if it did not come to an end.
fn wait(child: &mut Child, limit: Duration, baseline: &Baseline) -> Result<Option<i32>> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        thread::sleep(Duration::from_millis(10));
    }
    let scene = baseline.scene();
    // A process in the kernel's hands may not die; it is not waited for.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    thread::sleep(Duration::from_millis(200));
    let _ = child.try_wait();
    bail!(
        "not done after {} s; the processes at that time:\n{scene}",
        limit.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_needs_both_its_status_and_its_line() {
        assert!(matches!(verdict(77, "x\nskipped: why\n"), Verdict::Skipped(why) if why == "why"));
        assert!(matches!(verdict(77, "something else\n"), Verdict::Failed(_)));
        assert!(matches!(verdict(1, "skipped: why\n"), Verdict::Failed(_)));
        assert!(matches!(verdict(0, ""), Verdict::Passed));
    }
}
