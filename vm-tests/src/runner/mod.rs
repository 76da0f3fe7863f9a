//! Runs the cases, in a guest: one at a time, each in a process of its own with fresh
//! pools, so that a case that hangs, panics or leaves a mess is one failure and no more.

pub mod child;
pub mod leftovers;
pub mod libtest;
pub mod part;
pub mod pools;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;

use crate::cases::{CASES, Case};
use crate::tally::Tally;
use child::Verdict;
use leftovers::Baseline;
use part::Part;

/// Run the cases of the laboratory, in one of its guests
#[derive(Debug, Parser)]
#[command(name = "cases")]
pub struct Args {
    /// Run only those with this text in their name
    pub filter: Option<String>,
    /// Print the names of the cases and run none
    #[arg(long)]
    pub list: bool,
    /// Stop at the first failure and leave everything as it is
    #[arg(long)]
    pub keep: bool,
    /// Begin behind this case
    #[arg(long, value_name = "NAME")]
    pub after: Option<String>,
    /// Do one share of the work, such as 1/2
    #[arg(long, value_name = "N/N", default_value = "1/1")]
    pub part: Part,
    /// How long one case may take
    #[arg(long, value_name = "SECS", default_value_t = 600)]
    pub timeout: u64,
    /// A directory with test programs that need a kernel, to be run after the cases
    #[arg(long, value_name = "DIR")]
    pub tests: Option<PathBuf>,
    /// Run this case here and now, on the pools as they are (the runner's own use)
    #[arg(long, value_name = "NAME", hide = true)]
    pub one: Option<String>,
}

/// The exit status of a runner that cannot go on, because the guest is no longer in a
/// state in which pools can be made. The last line but one then names the case
/// ([`unusable_after`]); the harness goes on behind it in a fresh guest.
pub const UNUSABLE: u8 = 75;

const UNUSABLE_AFTER: &str = "the guest is unusable after ";

/// The name of the case in the line that a runner prints before [`UNUSABLE`].
pub fn unusable_after(line: &str) -> Option<&str> {
    Some(line.strip_prefix(UNUSABLE_AFTER)?.split_once(": ")?.0)
}

/// The program `cases`.
pub fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(name) = &args.one {
        return child::main(name);
    }
    let cases = selected(CASES, args.filter.as_deref(), args.after.as_deref(), args.part);
    if args.list {
        for case in cases {
            println!("{}", case.name);
        }
        return ExitCode::SUCCESS;
    }
    let mut run = Run {
        tally: Tally::default(),
        baseline: Baseline::take(),
        keep: args.keep,
    };
    let end = run.all(&cases, &args);
    println!("{}", run.tally);
    match end {
        End::Unusable => ExitCode::from(UNUSABLE),
        End::Regular if run.tally.success() => ExitCode::SUCCESS,
        End::Regular => ExitCode::FAILURE,
    }
}

fn selected<'a>(cases: &'a [Case], filter: Option<&str>, after: Option<&str>, part: Part) -> Vec<&'a Case> {
    let start = after
        .and_then(|name| cases.iter().position(|case| case.name == name))
        .map_or(0, |at| at + 1);
    let wanted = |case: &Case| filter.is_none_or(|texts| texts.split(',').any(|text| case.name.contains(text)));
    let dealt = cases.iter().enumerate().skip(start);
    dealt
        .filter(|(place, case)| part.has(*place) && wanted(case))
        .map(|(_, case)| case)
        .collect()
}

enum End {
    Regular,
    Unusable,
}

struct Run {
    tally: Tally,
    baseline: Baseline,
    keep: bool,
}

impl Run {
    fn all(&mut self, cases: &[&Case], args: &Args) -> End {
        let limit = Duration::from_secs(args.timeout);
        for case in cases {
            self.case(case.name, limit);
            if self.keep && !self.tally.success() {
                return End::Regular;
            }
            if let Err(error) = self.clear_away() {
                println!("{UNUSABLE_AFTER}{}: {error:#}", case.name);
                return End::Unusable;
            }
        }
        let programs = args.tests.iter().flat_map(|dir| libtest::found(dir)).enumerate();
        for (_, test) in programs.filter(|(place, _)| args.part.has(*place)) {
            let pools = self.clear_away().and_then(|()| pools::make());
            self.tally += libtest::run(&test, args.filter.as_deref(), pools);
            if self.keep && !self.tally.success() {
                return End::Regular;
            }
        }
        End::Regular
    }

    /// Makes pools, runs the case, and prints and counts the outcome.
    fn case(&mut self, name: &str, limit: Duration) {
        let started = Instant::now();
        let ready = self.clear_away().and_then(|()| pools::make());
        let verdict = match ready {
            Ok(()) => child::run(name, limit, &self.baseline),
            Err(error) => Verdict::Failed(format!("pools could not be made: {error:#}")),
        };
        let seconds = started.elapsed().as_secs_f64();
        match verdict {
            Verdict::Passed => {
                self.tally.passed += 1;
                println!("ok   {name} ({seconds:.1} s)");
            }
            Verdict::Skipped(reason) => {
                self.tally.skipped += 1;
                println!("skip {name}: {reason}");
            }
            Verdict::Failed(why) => {
                self.tally.failed += 1;
                println!("FAIL {name} ({seconds:.1} s)\n{}", indent(&why));
            }
        }
    }

    fn clear_away(&self) -> Result<()> {
        self.baseline.restore()?;
        pools::destroy()
    }
}

fn indent(text: &str) -> String {
    text.trim_end()
        .lines()
        .map(|line| format!("     {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Lab;

    fn cases() -> [Case; 3] {
        fn run(_: &Lab) -> Result<()> {
            Ok(())
        }
        ["sync::a", "sync::b", "failover::a"].map(|name| Case { name, run })
    }

    fn names(filter: Option<&str>, after: Option<&str>) -> Vec<&'static str> {
        names_of("1/1", filter, after)
    }

    fn names_of(part: &str, filter: Option<&str>, after: Option<&str>) -> Vec<&'static str> {
        let part = part.parse().unwrap();
        let cases = cases();
        selected(&cases, filter, after, part)
            .iter()
            .map(|case| case.name)
            .collect()
    }

    #[test]
    fn a_filter_is_a_part_of_the_name() {
        assert_eq!(names(None, None).len(), 3);
        assert_eq!(names(Some("sync"), None), ["sync::a", "sync::b"]);
        assert_eq!(names(Some("::a"), None), ["sync::a", "failover::a"]);
        assert_eq!(names(Some("::b,failover"), None), ["sync::b", "failover::a"]);
    }

    #[test]
    fn a_second_guest_begins_behind_the_case_that_spoiled_the_first() {
        assert_eq!(names(None, Some("sync::a")), ["sync::b", "failover::a"]);
        assert_eq!(names(None, Some("failover::a")), Vec::<&str>::new());
    }

    #[test]
    fn a_share_stays_the_same_behind_a_spoiled_guest() {
        assert_eq!(names_of("1/2", None, None), ["sync::a", "failover::a"]);
        assert_eq!(names_of("1/2", None, Some("sync::a")), ["failover::a"]);
        assert_eq!(names_of("2/2", None, Some("sync::a")), ["sync::b"]);
    }

    #[test]
    fn the_spoiling_case_is_read_as_it_is_printed() {
        let line = format!("{UNUSABLE_AFTER}sync::b: pool src: still there");
        assert_eq!(unusable_after(&line), Some("sync::b"));
        assert_eq!(unusable_after("ok   sync::b (1.0 s)"), None);
    }
}
