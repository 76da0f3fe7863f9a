//! What the fixture says of files, snapshots, properties and pools follows what is done.

use anyhow::{Result, ensure};

use crate::fixture::state::differences;
use crate::fixture::{DST, Lab, SRC};

const FS: &str = "src/a b";

pub fn run(lab: &Lab) -> Result<()> {
    lab.create(FS)?;
    lab.write(FS, "dir/file one", "contents")?;
    lab.sh("setfattr -n user.zrep -v x '/src/a b/dir/file one'; ln -s nowhere '/src/a b/link'")
        .ok()?;
    lab.zfs(&["snapshot", "src/a b@1"]).ok()?;
    lab.sh("zfs send 'src/a b@1' | zfs receive -u 'dst/a copy'").ok()?;
    let live = lab.checksum(&lab.mountpoint(FS)?)?;
    live.same_as(&lab.snapshot_tree("dst/a copy@1")?)?;
    ensure!(lab.snapshots(FS)?[0].guid == lab.snapshots("dst/a copy")?[0].guid);

    let before = [lab.pool_state(SRC)?, lab.pool_state(DST)?];
    ensure!(
        before == [lab.pool_state(SRC)?, lab.pool_state(DST)?],
        "a pool changes by being looked at"
    );
    lab.zfs(&["hold", "tag", "src/a b@1"]).ok()?;
    lab.zfs(&["set", "zrep:x=1", FS]).ok()?;
    let changed = differences(&before[0], &lab.pool_state(SRC)?);
    ensure!(changed.iter().any(|line| line.contains("\tzrep:x\t1\t")), "{changed:?}");
    ensure!(
        changed.iter().any(|line| line.starts_with("+ src/a b@1\ttag")),
        "{changed:?}"
    );

    lab.write(FS, "dir/file one", "Contents")?;
    ensure!(live.differences(&lab.checksum(&lab.mountpoint(FS)?)?).len() == 1);
    Ok(())
}
