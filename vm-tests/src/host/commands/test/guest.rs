//! The cases and the tests that need a kernel with ZFS, in guests.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::lines::{Lines, Seen};
use crate::host::artifacts::{self, Artifact};
use crate::host::cli::TestArgs;
use crate::host::guests::Guest;
use crate::host::machine::Sinks;
use crate::host::progress::say;
use crate::host::session::{Session, Shell, Wish, quote};
use crate::host::terminal;
use crate::runner::UNUSABLE;
use crate::runner::libtest::{KERNEL_TESTS, KernelTest};
use crate::runner::part::Part;
use crate::tally::Tally;

/// What is carried into every guest of the run.
#[derive(Debug)]
pub(super) struct Programs {
    zrep: PathBuf,
    cases: PathBuf,
    relay: PathBuf,
    tests: Vec<Artifact>,
}

impl Programs {
    pub(super) fn build() -> Result<Self> {
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

/// What is done in a guest.
#[derive(Clone, Copy)]
struct Share<'a> {
    guest: &'static Guest,
    args: &'a TestArgs,
    programs: &'a Programs,
    part: Part,
    /// Of how many.
    side_by_side: usize,
}

/// Runs all, in one guest or in several side by side.
pub(super) fn all(guest: &'static Guest, args: &TestArgs, programs: &Programs) -> Tally {
    let guests = side_by_side(args);
    match guests {
        1 => say(format!("the cases, in {guest}")),
        guests => say(format!("the cases, in {guest}, dealt to {guests} guests")),
    }
    let shares = Part::all(guests).map(|part| Share {
        guest,
        args,
        programs,
        part,
        side_by_side: guests,
    });
    let mut sum = Tally::default();
    thread::scope(|scope| {
        let running: Vec<_> = shares.map(|share| scope.spawn(move || share.run())).collect();
        for share in running {
            sum += share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    sum
}

/// N.B. an emulated guest with two processors keeps little more than one of the machine's busy, because the cases come one after the other. Two
/// guests with one processor each are done in 60 % of its time (58 cases: 227 s instead of 374 s), and a case in them takes 1.3 times as long.
fn side_by_side(args: &TestArgs) -> usize {
    let all = || thread::available_parallelism().map_or(1, |processors| processors.get().clamp(1, 4));
    match args.side_by_side {
        Some(guests) => guests.into(),
        None if args.keep || args.filter.is_some() => 1,
        None => all(),
    }
}

impl Share<'_> {
    /// A case that leaves the guest unusable costs a boot: the rest goes on in a fresh one. A guest that dies is one failure.
    fn run(self) -> Tally {
        let mut tally = Tally::default();
        let mut after: Option<String> = None;
        loop {
            let seen = Arc::new(Mutex::new(Seen::default()));
            let result = self.one_boot(after.as_deref(), &seen);
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
                        say(format!("the rest of the cases, in {}", self.guest));
                        continue;
                    }
                    // A status that the count does not explain.
                    if status != 0 && counted.success() {
                        tally.failed += 1;
                    }
                }
                Err(error) => {
                    println!("FAIL guest {}: {error:#}", self.guest.name);
                    tally += seen.so_far;
                    tally.failed += 1;
                }
            }
            return tally;
        }
    }

    fn one_boot(self, after: Option<&str>, seen: &Arc<Mutex<Seen>>) -> Result<i32> {
        let session = Session::prepare(Wish {
            side_by_side: self.side_by_side,
            pools: false,
            shell: shell(self.args),
            timeout: Duration::from_secs(4 * 3600),
            ..Wish::new(self.guest)
        })?;
        self.programs.carry(&session)?;
        session.run(
            &self.main(after),
            Sinks {
                stdout: Box::new(Lines::new(Arc::clone(seen))),
                stderr: Box::new(io::stderr()),
            },
        )
    }

    fn main(self, after: Option<&str>) -> String {
        let mut words = vec![format!("exec cases --tests /run/lab/tests --part {}", self.part)];
        if self.args.keep {
            words.push("--keep".to_owned());
        }
        words.extend(after.map(|name| format!("--after {}", quote(name))));
        words.extend(self.args.filter.as_ref().map(|text| format!("-- {}", quote(text))));
        format!("#!/bin/bash\n{}{}\n", case_variables(), words.join(" "))
    }
}

fn shell(args: &TestArgs) -> Shell {
    match (args.keep, terminal::is_interactive()) {
        (false, _) => Shell::Never,
        (true, true) => Shell::Failure,
        (true, false) => {
            say("--keep: there is no terminal for a shell in the guest, so it goes after the first failure");
            Shell::Never
        }
    }
}

/// `ZREP_CASE_SEED` and `ZREP_CASE_TURNS` are for the cases, wherever they run.
fn case_variables() -> String {
    ["ZREP_CASE_SEED", "ZREP_CASE_TURNS"]
        .into_iter()
        .filter_map(|name| Some(format!("export {name}={}\n", quote(&std::env::var(name).ok()?))))
        .collect()
}
