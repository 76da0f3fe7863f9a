//! A connection that is cut at any byte of a stream: the next sync goes on there, and little is sent again.

use anyhow::{Context, Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::far::{pair_with_beta, turns};
use crate::cases::pair::{SOURCE, TARGET};
use crate::fixture::Lab;

const SIZE: usize = 32 << 20;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    let mut chance = Chance::new();
    let (mut again, mut sent) = (0, 0);
    for turn in 0..turns(10) {
        pair.write("big", chance.bytes(SIZE))?;
        let cut = chance.below(SIZE as u64);
        let relay = format!("relay --cut-after {cut} local-ssh");
        let broken = lab.zrep_over(&relay, &["sync", SOURCE]).fails()?;
        ensure!(broken.stderr.contains("host beta"), "turn {turn}: {broken}");
        pair.consistent()?;
        let said = lab
            .zrep(&["sync", SOURCE])
            .ok()
            .with_context(|| format!("turn {turn}, cut after {cut} bytes"))?;
        let there = kept(&said.stderr);
        again += cut.saturating_sub(there);
        sent += SIZE as u64;
        pair.same_far()
            .with_context(|| format!("turn {turn}, cut after {cut} bytes"))?;
        pair.consistent()?;
    }
    println!("{again} of {sent} bytes were sent again");
    ensure!(again * 100 < sent * 15, "{again} of {sent} bytes were sent again");
    ensure!(lab.property(TARGET, "receive_resume_token")?.value == "-");
    Ok(())
}

/// How many bytes the target had when the sync went on.
fn kept(said: &str) -> u64 {
    let behind = said
        .split_once("going on with the interrupted receive of @")
        .map(|(_, rest)| rest);
    let number = behind
        .and_then(|rest| rest.split_once(", "))
        .and_then(|(_, rest)| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
