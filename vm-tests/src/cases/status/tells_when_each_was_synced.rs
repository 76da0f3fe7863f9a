//! `status` writes the columns that shell zrep writes, because monitoring reads them.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.create("src/second")?;
    let second = Pair::init(lab, "src/second", "dst/second")?;
    let moments = ["1700000000", "1234567890"];
    for (pair, moment) in [&pair, &second].into_iter().zip(moments) {
        for side in [&pair.source, &pair.target] {
            lab.zfs(&["set", &format!("zrep:sent={moment}"), &pair.newest(side)?.name])
                .ok()?;
        }
    }
    let dates = moments.map(|moment| lab.sh(&format!("date -d @{moment} '+%Y/%m/%d-%H:%M:%S'")));
    let [one, two] = dates.map(|date| date.stdout.trim().to_owned());
    ensure!(
        one.starts_with("2023/11/1") && two.starts_with("2009/02/1"),
        "{one} {two}"
    );

    let plain = format!("{SOURCE:<52} last: {one}\n{:<52} last: {two}\n", "src/second");
    says_exactly(lab, &["status"], &plain)?;
    says_exactly(lab, &["status", SOURCE, "src/second"], &plain)?;
    says_exactly(lab, &["status", TARGET], &format!("{TARGET:<52} last: {one}\n"))?;
    let minutes = &one[..one.len() - 3];
    let verbose = format!("{SOURCE:<25}->{:<35} {minutes}\n", format!("localhost:{TARGET}"));
    says_exactly(lab, &["status", "-v", SOURCE], &verbose)?;
    let all = lab.zrep(&["status", "-a"]).ok()?;
    for dataset in [SOURCE, TARGET, "src/second", "dst/second"] {
        ensure!(
            all.stdout
                .lines()
                .any(|line| line.starts_with(&format!("{dataset:<52} last: "))),
            "{all}"
        );
    }
    Ok(())
}

fn says_exactly(lab: &Lab, args: &[&str], expected: &str) -> Result<()> {
    let said = lab.zrep(args).ok()?;
    ensure!(said.stdout == expected, "expected {expected:?}: {said}");
    Ok(())
}
