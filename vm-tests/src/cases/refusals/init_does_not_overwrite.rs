//! A target that exists is refused: empty, with children, or a volume.

use anyhow::Result;

use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("src/a b")?;
    lab.write("src/a b", "file", "x")?;
    lab.create("dst/empty one")?;
    lab.create("dst/one with/a child")?;
    lab.write("dst/one with", "file", "kept")?;
    lab.zfs(&["snapshot", "-r", "dst/one with@1"]).ok()?;
    lab.zfs(&["create", "-V", "16M", "dst/a volume"]).ok()?;
    lab.unchanged(&[SRC, DST], || {
        for target in ["dst/empty one", "dst/one with", "dst/a volume", "dst"] {
            let says = format!("target {target}: exists already");
            lab.declines(&["init", "src/a b", "localhost", target], &says)?;
            lab.declines(&["init", "-n", "src/a b", "localhost", target], &says)?;
        }
        Ok(())
    })
}
