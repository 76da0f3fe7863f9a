//! `refresh` is a sync that the target's side asks for: of a filesystem, of a volume, and of another tag; `all` are the replicas of this machine. Both sides are marked, and
//! expire. A master has nothing to fetch.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, short_of, write_volume};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";
const COPY: &str = "dst/its copy";
const SECOND: &str = "dst/copy for the uk";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    let volume = Pair::init(lab, VOLUME, COPY)?;
    pair.write("file", "fetched")?;
    lab.zrep(&["refresh", TARGET]).ok()?;
    pair.same()?;
    pair.marked()?;
    volume.has(COPY, &["zrep_000000"])?;

    for side in [VOLUME, COPY] {
        lab.zfs(&["set", "zrep:savecount=1", side]).ok()?;
    }
    write_volume(VOLUME, 0, &[7; 65536])?;
    lab.zrep(&["refresh", "-r", "-v", "-f", COPY]).ok()?;
    for side in [VOLUME, COPY] {
        volume.has(side, &["zrep_000001"])?;
    }
    volume.marked()?;
    volume.same_snapshots()?;

    lab.zrep(&["-t", "uk", "init", SOURCE, "localhost", SECOND]).ok()?;
    pair.write("file", "fetched once more")?;
    lab.zrep(&["refresh", "all"]).ok()?;
    ensure!(short_of(&pair.newest(TARGET)?) == "zrep_000002");
    pair.same()?;
    volume.has(COPY, &["zrep_000002"])?;
    pair.has(SECOND, &["uk_000000"])?;
    lab.zrep(&["-t", "uk", "refresh", SECOND]).ok()?;
    pair.has(SECOND, &["uk_000000", "uk_000001"])?;
    lab.zrep(&["refresh", SOURCE]).exits(1)?.says("master")?;
    pair.unlocked()?;
    volume.unlocked()
}
