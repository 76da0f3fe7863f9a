//! `lab test`: everything. The workspace's own tests run on this machine; the cases
//! and the tests that need a kernel with ZFS in guests.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::host::artifacts::{self, Artifact};
use crate::host::cli::TestArgs;
use crate::host::guests::Guest;
use crate::host::machine::Sinks;
use crate::host::progress::say;
use crate::host::session::{Session, Shell, Wish, quote};
use crate::host::terminal;
use crate::runner::libtest::{KERNEL_TESTS, KernelTest};
use crate::runner::{UNUSABLE, unusable_after};
use crate::tally::Tally;

pub fn run(args: &TestArgs) -> Result<i32> {
    let mut tally = Tally::default();
    if !args.guest_only {
        tally += on_host(args.filter.as_deref())?;
    }
    if tally.success() || !args.keep {
        let programs = Programs::build()?;
        for guest in &args.guests {
            tally += in_guest(guest, args, &programs);
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
        .args(filter);
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

// --- in a guest -------------------------------------------------------------------------

/// What is carried into every guest of the run.
#[derive(Debug)]
struct Programs {
    zrep: PathBuf,
    cases: PathBuf,
    relay: PathBuf,
    tests: Vec<Artifact>,
}

impl Programs {
    fn build() -> Result<Self> {
        let workspace = artifacts::workspace();
        let is_kernel_test = |artifact: &Artifact| {
            let is =
                |test: &KernelTest| test.target == artifact.target && workspace.join(test.package) == artifact.package;
            artifact.kind == "test" && KERNEL_TESTS.iter().any(is)
        };
        let mut tests = artifacts::build(&["test", "--quiet", "--workspace", "--no-run"])?;
        tests.retain(is_kernel_test);
        Ok(Self {
            zrep: artifacts::zrep()?,
            cases: artifacts::cases()?,
            relay: artifacts::relay()?,
            tests,
        })
    }

    fn carry(&self, session: &Session) -> Result<()> {
        session.add_program(&self.zrep, "zrep")?;
        session.add_program(&self.cases, "cases")?;
        session.add_program(&self.relay, "relay")?;
        for test in &self.tests {
            session
                .files()
                .add(&test.executable, &format!("tests/{}", test.target))?;
        }
        Ok(())
    }
}

/// Runs all in one guest. A case that leaves the guest unusable costs a boot: the rest
/// goes on in a fresh one. A guest that dies is one failure.
fn in_guest(guest: &'static Guest, args: &TestArgs, programs: &Programs) -> Tally {
    let mut tally = Tally::default();
    let mut after: Option<String> = None;
    loop {
        say(format!("the cases, in {guest}"));
        let seen = Arc::new(Mutex::new(Seen::default()));
        let result = one_boot(guest, args, programs, after.as_deref(), &seen);
        let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        match result {
            Ok(status) => {
                let counted = seen.tally.unwrap_or(Tally {
                    failed: 1,
                    ..Tally::default()
                });
                tally += counted;
                if status == i32::from(UNUSABLE) && seen.unusable_after.is_some() && seen.unusable_after != after {
                    after = seen.unusable_after;
                    continue;
                }
                // A status that the count does not explain.
                if status != 0 && counted.success() {
                    tally.failed += 1;
                }
            }
            Err(error) => {
                println!("FAIL guest {}: {error:#}", guest.name);
                tally += seen.so_far;
                tally.failed += 1;
            }
        }
        return tally;
    }
}

fn one_boot(
    guest: &'static Guest,
    args: &TestArgs,
    programs: &Programs,
    after: Option<&str>,
    seen: &Arc<Mutex<Seen>>,
) -> Result<i32> {
    let shell = match (args.keep, terminal::is_interactive()) {
        (false, _) => Shell::Never,
        (true, true) => Shell::Failure,
        (true, false) => {
            say("--keep: there is no terminal for a shell in the guest, so it goes after the first failure");
            Shell::Never
        }
    };
    let session = Session::prepare(Wish {
        pools: false,
        shell,
        timeout: Duration::from_secs(4 * 3600),
        ..Wish::new(guest)
    })?;
    programs.carry(&session)?;
    let stdout = Lines {
        seen: Arc::clone(seen),
        rest: Vec::new(),
    };
    session.run(
        &main(args, after),
        Sinks {
            stdout: Box::new(stdout),
            stderr: Box::new(io::stderr()),
        },
    )
}

fn main(args: &TestArgs, after: Option<&str>) -> String {
    let mut words = vec!["exec cases --tests /run/lab/tests".to_owned()];
    if args.keep {
        words.push("--keep".to_owned());
    }
    words.extend(after.map(|name| format!("--after {}", quote(name))));
    words.extend(args.filter.as_ref().map(|text| format!("-- {}", quote(text))));
    format!("#!/bin/bash\n{}{}\n", case_variables(), words.join(" "))
}

/// `ZREP_CASE_SEED` and `ZREP_CASE_TURNS` are for the cases, wherever they run.
fn case_variables() -> String {
    ["ZREP_CASE_SEED", "ZREP_CASE_TURNS"]
        .into_iter()
        .filter_map(|name| Some(format!("export {name}={}\n", quote(&std::env::var(name).ok()?))))
        .collect()
}

/// What the guest's output told.
#[derive(Debug, Default)]
struct Seen {
    tally: Option<Tally>,
    unusable_after: Option<String>,
    /// Counted line by line, for a guest that dies before it can say its own count.
    so_far: Tally,
}

impl Seen {
    /// Takes a line in; true if people should see it, too. The guest's closing line
    /// is not for them: only one such line may end our own output.
    fn line(&mut self, line: &str) -> bool {
        if let Some(tally) = Tally::parse(line) {
            self.tally = Some(tally);
            return false;
        }
        let count = |prefix| usize::from(line.starts_with(prefix));
        self.so_far += Tally {
            passed: count("ok   "),
            failed: count("FAIL "),
            skipped: count("skip "),
        };
        if let Some(name) = unusable_after(line) {
            self.unusable_after = Some(name.to_owned());
        }
        true
    }
}

/// Standard output of the guest, passed on line by line.
struct Lines {
    seen: Arc<Mutex<Seen>>,
    rest: Vec<u8>,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if self.seen.lock().unwrap_or_else(PoisonError::into_inner).line(&text) {
                io::stdout().write_all(&line)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
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

    #[test]
    fn the_guests_closing_line_is_kept_for_the_sum() {
        let mut seen = Seen::default();
        assert!(seen.line("ok   sync::a (1.0 s)"));
        assert!(seen.line("skip sync::b: no terminal"));
        assert!(!seen.line("1 passed, 0 failed, 1 skipped"));
        assert_eq!(
            seen.tally,
            Some(Tally {
                passed: 1,
                failed: 0,
                skipped: 1
            })
        );
        assert_eq!(
            seen.so_far,
            Tally {
                passed: 1,
                failed: 0,
                skipped: 1
            }
        );
    }
}
