//! Operands that ZFS does not allow as names: refused before anything is looked at, and shown so that they do no harm.

use anyhow::{Result, ensure};

use crate::fixture::refusal::refusal;
use crate::fixture::{DST, Lab, SRC};

const BAD: [&str; 23] = [
    "",
    "/src/a b",
    "src/a b/",
    "src//a b",
    "src/../x",
    "src/..",
    "../x",
    "src/./x",
    "src/%recv",
    "src/a b/%recv",
    "src/ä",
    "src/$(reboot)",
    "src/`reboot`",
    "src/a;reboot",
    "src/a|b",
    "src/a\tb",
    "src/a\nb",
    "src/a\u{1b}[2J",
    "src/a b@zrep_000000@x",
    "src/a b#mark",
    "1src/x",
    "src/a*",
    "src/'a'",
];

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    lab.create("src/plain")?;
    let long = format!("src/{}", "x".repeat(300));
    let deep = format!("src{}", "/x".repeat(60));
    lab.unchanged(&[SRC, DST], || {
        for bad in BAD.into_iter().chain([long.as_str(), &deep]) {
            is_refused(lab, &["sync", bad], bad)?;
            is_refused(lab, &["init", "src/plain", "localhost", bad], bad)?;
        }
        for bad in ["src/../x", "src/$(reboot)"] {
            for verb in ["failover", "takeover", "expire", "status"] {
                is_refused(lab, &[verb, bad], bad)?;
            }
            is_refused(lab, &["init", bad, "localhost", "dst/new"], bad)?;
            is_refused(lab, &["takeover", "-L", bad], bad)?;
        }
        Ok(())
    })
}

fn is_refused(lab: &Lab, args: &[&str], bad: &str) -> Result<()> {
    let shown: String = bad.chars().take(40).collect();
    let output = lab.zrep(args);
    let harmless = |c: char| c == '\n' || !c.is_control();
    ensure!(
        output.stderr.chars().all(harmless),
        "control characters reach the terminal: {output:?}"
    );
    refusal(output, format!("{shown:?}").trim_end_matches('"'))?;
    Ok(())
}
