//! A tag becomes part of names on disk: what cannot be that is refused before anything is looked at.

use anyhow::{Result, ensure};

use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("src/a b")?;
    lab.unchanged(&[SRC, DST], || {
        for bad in ["UK", "a b", "a@b", "a/b", "a:b", "-x", "$(reboot)", "ü", "a%b", ""] {
            let init = [&format!("--tag={bad}"), "init", "src/a b", "localhost", "dst/copy"];
            let output = lab.zrep(&init).fails()?;
            ensure!(output.stderr.contains(&format!("tag {bad:?}")), "{output}");
            ensure!(output.stdout.is_empty(), "{output}");
        }
        Ok(())
    })
}
