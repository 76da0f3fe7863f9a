//! A filesystem and a volume that were copied with `zfs send` become pairs: a snapshot that both sides have is named, each side is told its other one, and
//! `sentsync` makes the source the master. Nothing is sent again.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";

pub fn run(lab: &Lab) -> Result<()> {
    lab.create(SOURCE)?;
    lab.write(SOURCE, "file", "of the beginning")?;
    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    for (source, target, tag) in [
        (SOURCE, TARGET, "zrep"),
        (VOLUME, "dst/its copy", "zrep"),
        (SOURCE, "dst/second", "uk"),
    ] {
        let short = format!("{tag}_000001");
        lab.sh(&format!(
            "zfs snapshot '{source}@{short}'
             zfs send '{source}@{short}' | zfs receive -u -o readonly=on '{target}'"
        ))
        .ok()?;
        lab.zrep(&["-t", tag, "changeconfig", source, "localhost", target])
            .ok()?;
        lab.zrep(&["-t", tag, "changeconfig", "-d", target, "localhost", source])
            .ok()?;
        let snapshot = format!("{source}@{short}");
        lab.zrep(&["-t", tag, "sync", source])
            .exits(1)?
            .says("is not the master")?;
        lab.zrep(&["-t", tag, "sentsync", &snapshot]).ok()?;
        lab.zrep(&["-t", tag, "sync", source]).ok()?;
        let pair = Pair::known(lab, source, target);
        pair.same_snapshots()?;
    }
    let pair = Pair::known(lab, SOURCE, TARGET);
    pair.sync()?;
    pair.marked()?;
    pair.unlocked()?;
    pair.has_roles()
}
