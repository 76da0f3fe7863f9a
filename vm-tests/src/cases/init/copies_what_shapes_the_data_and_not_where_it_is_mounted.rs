//! Compression, record size and the user's own properties come along. A mount point
//! does not, or the copy would be mounted over its source.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let point = lab.dir().join("mounted here");
    let mountpoint = format!("mountpoint={}", point.display());
    let own = [
        "compression=zstd",
        "recordsize=16K",
        "com.example:owner=the one who asks",
        &mountpoint,
    ];
    let options: Vec<&str> = own.iter().flat_map(|option| ["-o", *option]).collect();
    lab.zfs(&[&["create"], &options[..], &[SOURCE]].concat()).ok()?;
    lab.write(SOURCE, "file", "contents")?;
    let pair = Pair::init(lab, SOURCE, TARGET)?;

    for name in ["compression", "recordsize", "com.example:owner"] {
        let [ours, theirs] = [lab.property(SOURCE, name)?, lab.property(TARGET, name)?];
        ensure!(ours.value == theirs.value, "{name}: {ours:?}, {theirs:?}");
    }
    let there = lab.mountpoint(TARGET)?;
    ensure!(there != point, "both sides are to be mounted on {}", there.display());
    lab.zfs(&["mount", TARGET]).ok()?;
    ensure!(lab.read(SOURCE, "file")? == b"contents");
    lab.write(SOURCE, "file", "more contents")?;
    lab.zfs(&["unmount", TARGET]).ok()?;
    pair.sync()?;
    pair.same()
}
