//! `synconly` sends what `snaponly` has made, of a filesystem and of a volume, marks and expires; what was written since stays unsent.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, short_of};
use crate::fixture::Lab;

const VOLUME: &str = "src/a volume";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    lab.zfs(&["create", "-s", "-V", "16M", VOLUME]).ok()?;
    let volume = Pair::init(lab, VOLUME, "dst/its copy")?;
    pair.write("file", "before")?;
    lab.zrep(&["snaponly", "all"]).ok()?;
    pair.write("file", "behind")?;
    let said = lab.zrep(&["synconly", "all"]).ok()?;
    ensure!(
        said.stdout.contains("sending src/a b@zrep_000001 to localhost:"),
        "{said}"
    );
    ensure!(!said.stdout.contains("Expiring"), "{said}");
    pair.has(TARGET, &["zrep_000000", "zrep_000001"])?;
    pair.marked()?;
    volume.marked()?;
    ensure!(short_of(&volume.newest("dst/its copy")?) == "zrep_000001");
    let tree = lab.snapshot_tree(&format!("{TARGET}@zrep_000001"))?;
    tree.same_as(&lab.snapshot_tree("src/a b@zrep_000001")?)?;

    let again = lab.zrep(&["synconly", SOURCE]).ok()?;
    ensure!(again.stdout == "src/a b@zrep_000001 already sent\n", "{again}");
    lab.zfs(&["set", "zrep:savecount=1", SOURCE]).ok()?;
    lab.zrep(&["synconly", SOURCE]).ok()?;
    pair.has(SOURCE, &["zrep_000001"])?;
    pair.sync()?;
    pair.same()
}
