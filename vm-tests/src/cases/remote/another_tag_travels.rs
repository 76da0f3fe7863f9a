//! All that is asked of another machine for a pairing of another tag is asked of that tag: neither side gets properties or snapshots of the default one.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    let on_alpha = |args: &[&str]| lab.zrep(&[&["-t", "uk"], args].concat()).ok();
    let on_beta = |args: &[&str]| peer.zrep(&[&["-t", "uk"], args].concat()).ok();
    lab.create(SOURCE)?;
    on_alpha(&["init", SOURCE, "beta", TARGET])?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    pair.write("file", "pushed")?;
    on_alpha(&["sync", SOURCE])?;
    pair.write("file", "fetched")?;
    on_beta(&["refresh", TARGET])?;
    pair.same()?;
    lab.zfs(&["set", "uk:savecount=1", SOURCE, TARGET]).ok()?;
    on_beta(&["expire", TARGET])?;
    pair.has(TARGET, &["uk_000002"])?;
    on_alpha(&["expire", SOURCE])?;
    pair.has(SOURCE, &["uk_000002"])?;

    on_alpha(&["failover", SOURCE])?;
    expect_property(lab, TARGET, "uk:master", "yes", "local")?;
    peer.write(lab, TARGET, "file", "written on beta")?;
    on_beta(&["sync", TARGET])?;
    pair.turned().same_snapshots()?;
    on_alpha(&["takeover", SOURCE])?;
    expect_property(lab, SOURCE, "uk:master", "yes", "local")?;
    ensure!(lab.read(SOURCE, "file")? == b"written on beta");

    for side in [SOURCE, TARGET] {
        let get = ["get", "-H", "-s", "local,received", "-o", "property", "all", side];
        let set = lab.zfs(&get).ok()?;
        ensure!(!set.stdout.contains("zrep:"), "{set}");
        let shorts = pair.shorts(side)?;
        ensure!(
            shorts.iter().all(|short| short.starts_with("uk_")),
            "{side}: {shorts:?}"
        );
    }
    Ok(())
}
