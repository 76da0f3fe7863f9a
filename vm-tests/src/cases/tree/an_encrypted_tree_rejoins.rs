//! An encrypted tree whose key the other side never has is kept aside and grows anew; what comes back is raw. ZFS wants the key again
//! for the old side, and zrep says so.

use std::fs;

use anyhow::{Result, ensure};

use crate::cases::chance::Chance;
use crate::cases::grove::grow;
use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let key = lab.dir().join("key");
    fs::write(&key, Chance::new().bytes(32))?;
    let location = format!("keylocation=file://{}", key.display());
    let options = ["-o", "encryption=on", "-o", "keyformat=raw", "-o", &location];
    lab.zfs(&[&["create"], &options[..], &[SOURCE]].concat()).ok()?;
    grow(lab, "src/a b/one")?;
    lab.zrep(&["-R", "init", SOURCE, "localhost", TARGET]).ok()?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    pair.child("one").write("file", "of both")?;
    pair.sync()?;
    pair.child("one").write("file", "only on the old master")?;
    lab.zrep(&["takeover", "-L", TARGET]).ok()?;

    lab.zrep(&["rejoin", SOURCE])
        .ok()?
        .says("is loaded again: `zfs load-key -r 'src/a b'`")?;
    let turned = pair.turned();
    turned.same_trees(&["one"])?;
    lab.zfs(&["load-key", "-r", SOURCE]).ok()?;
    let kept = "src/a b_diverged_e1/one";
    lab.zfs(&["mount", kept]).ok()?;
    ensure!(lab.read(kept, "file")? == b"only on the old master");
    lab.zfs(&["unmount", kept]).ok()?;

    lab.zrep(&["sync", TARGET]).ok()?;
    let from = format!("file://{}", key.display());
    for name in [TARGET, "dst/copy of a b/one"] {
        lab.zfs(&["load-key", "-L", &from, name]).ok()?;
    }
    lab.zrep(&["failover", TARGET]).ok()?;
    ensure!(lab.read("src/a b/one", "file")? == b"of both");
    pair.child("one").write("file", "goes on")?;
    pair.sync()?;
    pair.same_trees(&["one"])
}
