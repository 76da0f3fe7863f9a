//! A key with a forced command: init and sync into its tree work, everything else is refused by the rule's name.

use anyhow::{Result, ensure};

use crate::cases::pair::Pair;
use crate::fixture::Lab;

/// `AuthorizedKeysFile` of the laboratory.
const KEYS: &str = "/etc/ssh/ssh_host_ed25519_key.pub";
const RULE: &str = "command=\"zrep serve --allow dst/backup:receive\",restrict ";

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    for source in ["src/a b", "src/c"] {
        lab.create(source)?;
        lab.write(source, "file", "one")?;
    }
    peer.sh("zfs create dst/other").ok()?;
    // The hosts' own key is what opens them.
    let restrict = format!("sed 's|^|{RULE}|' {KEYS} >/tmp/keys && mount --bind /tmp/keys {KEYS}");
    peer.sh(&restrict).ok()?;
    let over = |line: &[&str]| lab.zrep_over("ssh", line);
    over(&["init", "src/a b", "beta", "dst/backup"]).ok()?;
    for contents in ["two", "three"] {
        lab.write("src/a b", "file", contents)?;
        over(&["sync", "src/a b"]).ok()?;
    }
    Pair::known(lab, "src/a b", "dst/backup").same_far()?;
    let before = lab.pool_state("dst")?;
    for line in [
        ["init", "src/c", "beta", "dst/c"].as_slice(),
        &["init", "src/c", "beta", "dst/backup2"],
        &["init", "src/c", "beta", "dst/other/c"],
        &["failover", "src/a b"],
    ] {
        let refused = over(line).fails()?;
        ensure!(refused.stderr.contains("--allow"), "{refused}");
    }
    let shell = lab.sh("ssh beta touch /tmp/owned 2>&1 </dev/null || true").ok()?;
    ensure!(!peer.path("/tmp/owned").exists(), "{shell}");
    ensure!(before == lab.pool_state("dst")?, "a refusal has changed something");
    over(&["sync", "src/a b"]).ok()?;
    Ok(())
}
