//! `lab soak`: power cuts and partitions, between two guests.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cases::chance::Chance;
use crate::host::cli::{PartitionArgs, PowerArgs, SoakArgs, SoakCommand};
use crate::host::progress::{elapsed, say};
use crate::host::soak::pair::{Pair, judged};
use crate::host::soak::partition;
use crate::host::soak::power::{Outcome, Soak};
use crate::host::soak::report::{self, Tally};
use crate::host::soak::schedule::{Cut, Verb, cuts};

/// The size of the dataset, in MiB: a cut is about roles, not about long streams.
const SIZE: u32 = 4;

pub fn run(args: &SoakArgs) -> Result<i32> {
    match &args.command {
        SoakCommand::Power(args) => power(args),
        SoakCommand::Partition(args) => drill(args),
    }
}

fn power(args: &PowerArgs) -> Result<i32> {
    let seed = args.seed.unwrap_or_else(|| Chance::from_clock() % 1_000_000);
    let started = Instant::now();
    let plan: Vec<Cut> = cuts(args.cuts, &args.verbs(), seed)
        .into_iter()
        .filter(|cut| args.only.is_empty() || args.only.contains(&cut.number))
        .collect();
    println!("{} power cuts; the same again: {}", plan.len(), args.again(seed));
    let pair = Pair::boot(args.guest.name, seconds(args.zrep_timeout))?;
    let mut soak = Soak::new(pair);
    soak.pair.make(SIZE)?;
    let mut tally = Tally::default();
    rehearse(&mut soak, &plan, &mut tally)?;
    println!(
        "two guests, a pair, and all verbs without a cut: {}",
        elapsed(started.elapsed())
    );
    for cut in &plan {
        one(&mut soak, cut, &mut tally)?;
    }
    say(format!("all in {}; {}", elapsed(started.elapsed()), soak.pair.ledger));
    println!("{}\n{tally}", tally.steps());
    Ok(i32::from(!tally.is_clean()))
}

/// Each verb once without a cut, unless it was typed on the way of another one.
fn rehearse(soak: &mut Soak, plan: &[Cut], tally: &mut Tally) -> Result<()> {
    for verb in Verb::ALL {
        if soak.usual(verb).is_some() || plan.iter().all(|cut| cut.verb != verb) {
            continue;
        }
        let outcome = soak.rehearse(verb)?;
        tally.rehearsed(&outcome);
        recover(soak, &outcome)?;
    }
    Ok(())
}

fn one(soak: &mut Soak, cut: &Cut, tally: &mut Tally) -> Result<()> {
    let (begun, usual) = (Instant::now(), soak.usual(cut.verb).unwrap_or_default());
    let outcome = soak.cut(cut)?;
    tally.count(&outcome);
    println!("{}", report::line(cut, &outcome, usual, begun.elapsed()));
    recover(soak, &outcome)
}

/// After a violation says all there is to say, and makes everything anew for the next cut.
fn recover(soak: &mut Soak, outcome: &Outcome) -> Result<()> {
    match report::violation(outcome, &soak.pair.scene()) {
        None => Ok(()),
        Some(text) => {
            println!("{text}");
            soak.reset(SIZE)
        }
    }
}

fn drill(args: &PartitionArgs) -> Result<i32> {
    let started = Instant::now();
    let mut pair = Pair::boot(args.guest.name, seconds(args.zrep_timeout))?;
    let result = partition::run(&mut pair, |line| println!("{line}"));
    let violation = judged(result)?;
    if let Some(violation) = &violation {
        println!("FAILED {violation}\n{}", pair.scene());
    }
    let verdict = if violation.is_none() { "held" } else { "FAILED" };
    println!("partition drill: {verdict}, in {}", elapsed(started.elapsed()));
    Ok(i32::from(violation.is_some()))
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}
