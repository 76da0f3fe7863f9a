//! What login scripts of the other machine print is not taken for an answer: a sync works all the same, and a second master is seen.

use std::fs;

use anyhow::Result;

use crate::cases::far::pair_with_beta;
use crate::cases::pair::{SOURCE, TARGET};
use crate::fixture::Lab;

const NOISE: &str = "printf 'Welcome to beta\\n-\\nno\\n'\nexec local-ssh \"$@\"\n";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    let script = lab.dir().join("noisy-ssh");
    fs::write(&script, NOISE)?;
    let ssh = format!("sh {}", script.display());
    pair.write("file", "in spite of the noise")?;
    lab.zrep_over(&ssh, &["sync", SOURCE]).ok()?.says("found the text")?;
    pair.same_far()?;

    lab.peer()?.zrep(&["takeover", "-L", TARGET]).ok()?;
    lab.zfs(&["inherit", "zrep:epoch", TARGET]).ok()?;
    pair.write("file", "of the old master")?;
    lab.zrep_over(&ssh, &["sync", SOURCE])
        .exits(1)?
        .says("is master, too")?;
    pair.has(SOURCE, &["zrep_000000", "zrep_000001"])
}
