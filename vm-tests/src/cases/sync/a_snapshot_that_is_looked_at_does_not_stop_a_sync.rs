//! A snapshot that is mounted under .zfs/snapshot expires when nobody is in it. One with
//! an open file is kept until that is closed. Either way the sync is done.

use std::fs::File;

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    for side in [SOURCE, TARGET] {
        lab.zfs(&["set", "zrep:savecount=1", side]).ok()?;
    }
    let in_snapshot = |short: &str| {
        let point = lab.mountpoint(SOURCE)?;
        Ok::<_, anyhow::Error>(point.join(".zfs/snapshot").join(short).join("dir one/file"))
    };
    ensure!(std::fs::read(in_snapshot("zrep_000000")?)? == b"of the beginning");
    lab.sh("grep -F /.zfs/snapshot/zrep_000000 /proc/mounts").ok()?;
    pair.sync()?;
    pair.has(SOURCE, &["zrep_000001"])?;

    let open = File::open(in_snapshot("zrep_000001")?)?;
    pair.sync()?.says("src/a b@zrep_000001: was kept")?;
    pair.has(SOURCE, &["zrep_000001", "zrep_000002"])?;
    drop(open);
    pair.sync()?;
    pair.has(SOURCE, &["zrep_000003"])?;
    pair.same()
}
