//! Names with blanks and signs get to a native peer and to a plain one; what ZFS or ssh would not take gets nowhere.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::fixture::Lab;

const SOURCE: &str = "src/with space/a.b:c-d_e";

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    lab.create("src/with space")?;
    lab.create(SOURCE)?;
    peer.sh("zfs create 'dst/with space'").ok()?;
    for (target, plain) in [("dst/with space/a.b:c-d_e", ""), ("dst/with space/plain one", "yes")] {
        let zrep = |line: &[&str]| {
            let mut command = lab.zrep_command(line);
            crate::fixture::output::Output::of(command.env("ZREP_PLAIN_PEER", plain))
        };
        zrep(&["init", SOURCE, "beta", target]).ok()?;
        lab.write(SOURCE, "file", target)?;
        zrep(&["sync", SOURCE]).ok()?;
        Pair::known(lab, SOURCE, target).same_far()?;
        let clear = "zfs get -H -s local,received -o property all 'src/with space/a.b:c-d_e' | grep ^zrep: | while read p; do zfs inherit \"$p\" 'src/with space/a.b:c-d_e'; done";
        lab.sh(clear).ok()?;
    }
    lab.create("src/x")?;
    let long = format!("dst/{}", "a".repeat(300));
    for target in ["dst/$(reboot)", "dst/ümlaut", "dst/a;b", "../x", long.as_str()] {
        lab.zrep(&["init", "src/x", "beta", target]).fails()?;
    }
    for host in ["-oProxyCommand=touch /tmp/owned", "a b", "'a'", "$(touch /tmp/owned)"] {
        lab.zrep(&["init", "src/x", host, "dst/x"]).fails()?;
        lab.zfs(&[
            "set",
            "zrep:src-host=alpha",
            "zrep:src-fs=src/x",
            "zrep:dest-fs=dst/x",
            "zrep:master=yes",
            &format!("zrep:dest-host={host}"),
            "src/x",
        ])
        .ok()?;
        let refused = lab.zrep(&["sync", "src/x"]).fails()?;
        ensure!(refused.stderr.contains("zrep:dest-host"), "{refused}");
        lab.sh("for p in src-host src-fs dest-fs master dest-host; do zfs inherit zrep:$p src/x; done")
            .ok()?;
    }
    ensure!(
        !std::path::Path::new("/tmp/owned").exists(),
        "a command in a name was run"
    );
    Ok(())
}
