//! `lab test`: everything. The workspace's own tests run on this machine; the cases
//! and the tests that need a kernel with ZFS in guests.

use std::io::{self, BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::host::artifacts;
use crate::host::cli::TestArgs;
use crate::host::progress::say;
use crate::runner::libtest::{KERNEL_TESTS, KernelTest};
use crate::tally::Tally;
use guest::Programs;

mod guest;
mod lines;

pub fn run(args: &TestArgs) -> Result<i32> {
    let mut tally = Tally::default();
    if !args.guest_only {
        tally += on_host(args.filter.as_deref())?;
    }
    if tally.success() || !args.keep {
        let programs = Programs::build()?;
        for guest in &args.guests {
            tally += guest::all(guest, args, &programs);
        }
    }
    println!("{tally}");
    Ok(i32::from(!tally.success()))
}

// --- on this machine --------------------------------------------------------------------

/// Runs `cargo test --workspace` and counts what it prints. Standard error is joined to
/// its output, because the line that says which test program comes next is there.
fn on_host(filter: Option<&str>) -> Result<Tally> {
    say("the workspace's tests, on this machine");
    let (reader, writer) = io::pipe()?;
    let mut cargo = artifacts::cargo();
    cargo
        .args(["test", "--workspace", "--no-fail-fast", "--color=never", "--"])
        .args(filter.into_iter().flat_map(|texts| texts.split(',')));
    cargo.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = cargo.spawn().context("cargo test")?;
    // The command holds the writing ends of the pipe.
    drop(cargo);
    let mut count = HostCount::default();
    for line in BufReader::new(reader).lines() {
        let line = line?;
        println!("{line}");
        count.line(&line);
    }
    // A test that does not compile, or a test program that crashes, prints no count.
    if !child.wait()?.success() && count.tally.success() {
        count.tally.failed += 1;
    }
    Ok(count.tally)
}

/// Reads along with `cargo test`.
#[derive(Debug, Default)]
struct HostCount {
    tally: Tally,
    /// The test program that runs now does nothing without a kernel.
    idle: bool,
}

impl HostCount {
    fn line(&mut self, line: &str) {
        if let Some(program) = line.trim_start().strip_prefix("Running ") {
            self.idle = KERNEL_TESTS
                .iter()
                .any(|test| test.only_in_guests && is_program_of(program, test));
        } else if line.trim_start().starts_with("Doc-tests ") {
            self.idle = false;
        } else if let Some(mut counts) = Tally::parse_libtest(line) {
            if self.idle {
                counts.passed = 0;
                counts.skipped = 0;
            }
            self.tally += counts;
        }
    }
}

/// Reads `tests/zfs/main.rs (target/debug/deps/zfs-0123456789abcdef)`. The package is
/// not named, but no two test targets share a name.
fn is_program_of(text: &str, test: &KernelTest) -> bool {
    let program = text.trim_end_matches(')').rsplit('/').next().unwrap_or_default();
    program
        .rsplit_once('-')
        .is_some_and(|(target, _)| target == test.target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_of_tests_that_need_a_kernel_do_not_count_on_the_host() {
        let mut count = HostCount::default();
        for line in [
            "     Running unittests src/lib.rs (target/debug/deps/zfs_ffi-1)",
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "     Running tests/zfs/main.rs (target/debug/deps/zfs-1)",
            "test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "   Doc-tests zfs_ffi",
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            count.line(line);
        }
        assert_eq!(
            count.tally,
            Tally {
                passed: 6,
                failed: 2,
                skipped: 1
            }
        );
    }
}
