//! Processes, mounts, /run and /tmp are each host's own; pools are shared.

use anyhow::{Result, ensure};

use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    lab.sh("touch /run/here /tmp/here").ok()?;
    peer.sh("ls /run/here").fails()?;
    peer.sh("ls /tmp/here").fails()?;
    peer.sh("touch /tmp/there").ok()?;
    ensure!(peer.path("/tmp/there").exists() && !lab.sh("ls /tmp/there").success());

    ensure!(lab.property(SRC, "mounted")?.value == "yes" && lab.property(DST, "mounted")?.value == "no");
    let mounted = peer.sh("zfs list -H -o name,mounted src dst").ok()?;
    ensure!(mounted.stdout == "dst\tyes\nsrc\tno\n", "{mounted}");
    lab.create("src/a b")?;
    lab.create("src/a b/child")?;
    peer.sh("zfs create 'dst/a b'").ok()?;
    peer.write(lab, "dst/a b", "dir/file", "x")?;
    ensure!(peer.sh("cat '/dst/a b/dir/file'").ok()?.stdout == "x");
    // Neither holds what the other has mounted.
    lab.zfs(&["destroy", "-r", "src/a b"]).ok()?;
    peer.sh("zpool export dst").ok()?;

    let idler = lab.idler()?;
    peer.sh(&format!("ls /proc/{}", idler.pid().as_raw_nonzero())).fails()?;
    Ok(())
}
