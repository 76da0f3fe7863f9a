//! Shell zrep replicates a tree by one `send -R`, and writes nowhere that it does. `-R` makes such a pairing recursive by its properties, without a full stream.

use anyhow::Result;

use crate::cases::grove::{CHILDREN, VOLUME, grow, plant};
use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property, host};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    plant(lab)?;
    let host = host()?;
    let ends = [
        format!("zrep:src-fs={SOURCE}"),
        format!("zrep:src-host={host}"),
        format!("zrep:dest-fs={TARGET}"),
        "zrep:dest-host=localhost".to_owned(),
        "zrep:savecount=5".to_owned(),
    ];
    let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
    lab.zfs(&[&["set"], &ends[..], &[SOURCE]].concat()).ok()?;
    lab.zfs(&["snapshot", "-r", "src/a b@zrep_000000"]).ok()?;
    lab.sh("zfs send -R -p 'src/a b@zrep_000000' | zfs recv -u -o readonly=on -F 'dst/copy of a b'")
        .ok()?;
    lab.zfs(&["set", "zrep:sent=1700000000", "src/a b@zrep_000000"]).ok()?;
    lab.zfs(&["set", "zrep:master=yes", SOURCE]).ok()?;

    let pair = Pair::known(lab, SOURCE, TARGET);
    pair.child("one").write("file", "changed")?;
    grow(lab, "src/a b/young")?;
    lab.zrep(&["-R", "sync", SOURCE]).ok()?;
    let all = [&CHILDREN[..], &[VOLUME, "young"]].concat();
    pair.same_trees(&all)?;
    for side in [SOURCE, TARGET] {
        expect_property(lab, side, "zrep:recursive", "yes", "local")?;
    }
    pair.child("one").write("file", "changed again")?;
    pair.sync()?;
    pair.same_trees(&all)?;
    // What shell zrep would do next.
    lab.zfs(&["snapshot", "-r", "src/a b@zrep_000003"]).ok()?;
    lab.sh("zfs send -R -I 'src/a b@zrep_000002' 'src/a b@zrep_000003' | zfs recv 'dst/copy of a b'")
        .ok()?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    pair.same_trees(&all)
}
