//! Another machine's dataset may have the source's name: what was being received from there is not to be destroyed.

use anyhow::{Result, ensure};

use crate::fixture::Lab;

const HALF: &str = "dst/half";

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("src/a b")?;
    lab.noise("src/a b", 4)?;
    lab.zfs(&["snapshot", "src/a b@theirs"]).ok()?;
    let _ = lab.sh("zfs send 'src/a b@theirs' | head -c 2M | zfs receive -su dst/half");
    ensure!(
        lab.property(HALF, "receive_resume_token")?.value.len() > 1,
        "nothing was left to resume"
    );
    // As if the machines had been two: here, the snapshot is not known.
    lab.zfs(&["destroy", "src/a b@theirs"]).ok()?;
    lab.refuses(&["init", "src/a b", "localhost", HALF], "target dst/half: ")?;
    Ok(())
}
