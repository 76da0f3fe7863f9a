//! Fresh pools for each case.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::fixture::output::Output;
use crate::fixture::{DST, SRC};

/// Pools and their disks.
const POOLS: [(&str, &str); 2] = [(SRC, "/dev/vdb"), (DST, "/dev/vdc")];

/// A pool operation that takes longer will take for ever.
const LIMIT: Duration = Duration::from_secs(60);

/// Makes both pools. A disk that has been a pool's before has ZFS' partitions, and
/// making the pool on the first of them saves labelling and waiting for udev.
pub fn make() -> Result<()> {
    both(|(pool, disk)| {
        let partition = format!("{disk}1");
        let device = if Path::new(&partition).exists() {
            &partition
        } else {
            disk
        };
        let mut command = Command::new("zpool");
        command.args(["create", "-f", "-O", "compression=lz4", pool, device]);
        command
    })
}

/// Destroys every pool there is, and what is in the way of the next one.
pub fn destroy() -> Result<()> {
    for pool in names()? {
        let destroy = start(Command::new("zpool").args(["destroy", "-f", &pool]))?;
        finish(destroy, &format!("zpool destroy {pool}"))?;
    }
    let left = names()?;
    ensure!(left.is_empty(), "pools that are still there: {}", left.join(" "));
    for (pool, _) in POOLS {
        // A file written where the pool's file system was not mounted.
        let point = format!("/{pool}");
        if Path::new(&point).exists() {
            fs::remove_dir_all(&point).with_context(|| point)?;
        }
    }
    Ok(())
}

/// Lets suspended pools go on, now that what was wrong with their disks no longer is.
/// A pool in that state cannot even be destroyed.
pub fn resume() -> Result<()> {
    for pool in names()? {
        let health = fs::read_to_string(format!("/proc/spl/kstat/zfs/{pool}/state")).unwrap_or_default();
        if health.trim() != "ONLINE" {
            let clear = start(Command::new("zpool").args(["clear", &pool]))?;
            finish(clear, &format!("zpool clear {pool}"))?;
        }
    }
    Ok(())
}

fn names() -> Result<Vec<String>> {
    let output = Output::of(Command::new("zpool").args(["list", "-H", "-o", "name"])).ok()?;
    Ok(output.stdout.lines().map(str::to_owned).collect())
}

/// Runs a command for each pool, both at the same time.
fn both(command: impl Fn((&str, &str)) -> Command) -> Result<()> {
    let children = POOLS.map(|pool| (pool.0, start(&mut command(pool))));
    for (pool, child) in children {
        finish(child?, &format!("pool {pool}"))?;
    }
    Ok(())
}

fn start(command: &mut Command) -> Result<Child> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().context("zpool")
}

/// Waits for a command, but not for ever: one that is stuck in the kernel cannot even
/// be killed.
fn finish(mut child: Child, what: &str) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            bail!("{what}: no end after {} s", LIMIT.as_secs());
        }
        thread::sleep(Duration::from_millis(5));
    };
    if !status.success() {
        let stderr = child
            .stderr
            .take()
            .map(std::io::read_to_string)
            .transpose()?
            .unwrap_or_default();
        bail!("{what}: {}", stderr.trim());
    }
    Ok(())
}
