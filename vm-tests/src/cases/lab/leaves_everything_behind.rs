//! A case may leave datasets, holds, mounts, processes and files: the next one looks
//! whether they are gone.

use anyhow::Result;

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("src/left behind/child")?;
    lab.create("dst/left behind")?;
    lab.write("src/left behind", "file", "x")?;
    lab.zfs(&["snapshot", "-r", "src/left behind@1"]).ok()?;
    lab.zfs(&["hold", "-r", "tag", "src/left behind@1"]).ok()?;
    // Busy mounts, in this namespace and in another; a stopped process; a wrong clock.
    lab.sh("mkdir -p /mnt/left && mount -t zfs 'src/left behind@1' /mnt/left")
        .ok()?;
    lab.sh("cd '/src/left behind/child' && { setsid sleep 1000 >/dev/null 2>&1 & }")
        .ok()?;
    lab.sh("setsid unshare -m sh -c 'cd /dst; kill -STOP $$; sleep 1000' >/dev/null 2>&1 &")
        .ok()?;
    lab.sh("ip netns add left-behind && date -s '+1 day' && zfs umount dst && touch /dst/hidden")
        .ok()?;
    Ok(())
}
