//! A property's value may hold escape sequences and line ends, which must neither act on the terminal nor look like words of zrep's.

use anyhow::{Result, ensure};

use crate::fixture::Lab;
use crate::fixture::output::Output;

const SOURCE: &str = "src/a b";
const EVIL: &str = "x\nzrep: all is well\u{1b}[2J";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, "dst/a copy")?;
    let mut bad = Vec::new();
    for property in ["dest-host", "src-host", "dest-fs", "src-fs", "savecount", "lock-pid"] {
        let name = format!("zrep:{property}");
        let before = lab.property(SOURCE, &name)?;
        lab.zfs(&["set", &format!("{name}={EVIL}"), SOURCE]).ok()?;
        for args in [
            vec!["sync", "-n", SOURCE],
            vec!["sync", SOURCE],
            vec!["expire", SOURCE],
            vec!["status", "-v", SOURCE],
        ] {
            bad.extend(acts(&lab.zrep(&args)).map(|why| format!("{name}: {why}")));
        }
        if before.value == "-" {
            lab.zfs(&["inherit", &name, SOURCE]).ok()?;
        } else {
            lab.zfs(&["set", &format!("{name}={}", before.value), SOURCE]).ok()?;
        }
    }
    ensure!(bad.is_empty(), "{}", bad.join("\n"));
    lab.zrep(&["sync", SOURCE]).ok()?;
    Ok(())
}

fn acts(output: &Output) -> Option<String> {
    let text = [output.stdout.as_str(), &output.stderr].concat();
    let acts = text.contains('\u{1b}') || text.lines().any(|line| line.starts_with("zrep: all is well"));
    acts.then(|| format!("{output:?}"))
}
