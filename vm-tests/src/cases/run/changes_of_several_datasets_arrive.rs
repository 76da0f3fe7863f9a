//! One loop keeps several targets up to date, and one that fails does not stop the others. With `-v` it tells of each sync.

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

use crate::cases::pair::{PATIENCE, Pair};
use crate::fixture::Lab;
use crate::fixture::running::until;

pub fn run(lab: &Lab) -> Result<()> {
    let mut pairs = Vec::new();
    for name in ["a b", "a b/child", "c", "d e f", "g"] {
        let source = format!("src/{name}");
        // Mounted in its parent, a child would hide a directory there.
        let point = format!("mountpoint={}", lab.dir().join(name.replace('/', "+")).display());
        lab.zfs(&["create", "-o", &point, &source]).ok()?;
        pairs.push(Pair::init(lab, &source, &format!("dst/{}", name.replace('/', " of ")))?);
    }
    let mut running = lab.spawn_zrep(&["sync", "all", "--every", "0s", "-v"])?;
    let check = |pairs: &[Pair<'_>], contents: &str| -> Result<()> {
        for pair in pairs {
            pair.write("file", format!("{contents} in {}", pair.source))?;
        }
        pairs.iter().try_for_each(Pair::until_arrived)
    };
    check(&pairs, "one")?;
    let broken = pairs.remove(1);
    // While a round's stream comes in, its target cannot be destroyed.
    until("a target that can be destroyed", PATIENCE, || {
        Ok(lab.zfs(&["destroy", "-r", &broken.target]).success())
    })?;
    check(&pairs, "two")?;
    running.signal(Signal::TERM)?;
    let output = running.wait(PATIENCE)?;
    ensure!(
        output.stderr.contains(&broken.target),
        "it is silent about {}: {output}",
        broken.target
    );
    for pair in &pairs {
        let begin = format!("{}@zrep_", pair.source);
        let mut lines = output.stdout.lines();
        ensure!(
            lines.any(|line| line.starts_with(&begin) && line.contains(" bytes in ")),
            "no word of a sync of {}: {output}",
            pair.source
        );
        pair.same()?;
        pair.marked().with_context(|| output.to_string())?;
        pair.unlocked()?;
    }
    ensure!(
        lab.property(&broken.source, "zrep:lock-pid")?.source != "local",
        "a lock is left"
    );
    Ok(())
}
