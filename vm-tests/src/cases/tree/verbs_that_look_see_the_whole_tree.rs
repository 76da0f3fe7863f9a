//! What `uptodate` and `status` say of a recursive pairing counts what is below it; `list -v` says that it is one, and `list -s` shows all of its snapshots.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::cases::grove::{grow, paired};
use crate::cases::pair::{SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = paired(lab, "localhost")?;
    // Reading a file would count as writing.
    lab.zfs(&["set", "atime=off", SOURCE]).ok()?;
    pair.sync()?;
    for side in [SOURCE, TARGET] {
        lab.zrep(&["uptodate", side]).ok()?;
    }
    pair.child("one/deep one").write("file", "unsent")?;
    lab.zrep(&["uptodate", SOURCE]).exits(1)?;
    grow(lab, "src/a b/young")?;

    lab.zrep(&["status"])
        .ok()?
        .says("src/a b/young: was not part of the last sync")?;
    lab.zrep(&["status", "-m", SOURCE])
        .exits(1)?
        .says("src/a b/young: was not part of the last sync")?;
    let said = lab.zrep(&["status", SOURCE, "--json"]).ok()?;
    let status: Value = serde_json::from_str(&said.stdout)?;
    let top = &status["results"][0];
    ensure!(
        top["recursive"] == true && top["below"] == 5 && top["behind"] == serde_json::json!(["src/a b/young"]),
        "{top:#}"
    );
    lab.zrep(&["list", "-v", SOURCE])
        .ok()?
        .says("recursive: all datasets below are part of it")?
        .says("zrep:recursive\tyes")?;
    let listed = lab.zrep(&["list"]).ok()?;
    ensure!(listed.stdout == format!("{TARGET}\n{SOURCE}\n"), "{listed}");
    let last = lab.zrep(&["getlastsent", SOURCE]).ok()?;
    ensure!(last.stdout == "src/a b@zrep_000001\n", "{last}");
    lab.zrep(&["list", "-s"])
        .ok()?
        .says("src/a b/one/deep one@zrep_000001")?;

    pair.sync()?;
    lab.zrep(&["uptodate", SOURCE]).ok()?;
    let well = lab.zrep(&["status"]).ok()?;
    ensure!(!well.stdout.contains("young"), "{well}");
    Ok(())
}
