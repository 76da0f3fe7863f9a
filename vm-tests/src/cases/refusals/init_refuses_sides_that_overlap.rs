//! Neither side may lie in the other.

use anyhow::Result;

use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("src/a b/inner")?;
    lab.unchanged(&[SRC, DST], || {
        for (source, target) in [
            ("src/a b", "src/a b/copy"),
            ("src/a b", "src/a b"),
            ("src/a b/inner", "src/a b"),
            ("src/a b", "src"),
        ] {
            let says = format!("target {target}: ");
            lab.declines(&["init", source, "localhost", target], &says)?
                .finds(source)?;
        }
        Ok(())
    })?;
    // One name is the beginning of the other, and that is no overlap.
    lab.zrep(&["init", "src/a b", "localhost", "src/a b c"]).ok()?;
    Ok(())
}
