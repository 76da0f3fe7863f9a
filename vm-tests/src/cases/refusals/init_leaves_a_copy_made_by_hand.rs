//! A copy that somebody else has made of the source is not what an interrupted init has left, although the two share a snapshot.

use anyhow::Result;

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("src/a b")?;
    lab.write("src/a b", "file", "x")?;
    lab.zfs(&["snapshot", "src/a b@by hand"]).ok()?;
    lab.sh("zfs send 'src/a b@by hand' | zfs receive -u 'dst/a backup'")
        .ok()?;
    let init = ["init", "src/a b", "localhost", "dst/a backup"];
    lab.refuses(&init, "target dst/a backup: exists already")?;
    Ok(())
}
