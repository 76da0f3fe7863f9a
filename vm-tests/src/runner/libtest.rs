//! Test programs of other packages that need a kernel with ZFS. They are built on the
//! host, where they skip what they cannot do, and run here with pools.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::fixture::{DST, SRC};
use crate::tally::Tally;

/// A test target of the workspace.
#[derive(Debug)]
pub struct KernelTest {
    /// Its package's folder in the workspace; empty for the root package.
    pub package: &'static str,
    pub target: &'static str,
    /// On a host without ZFS it has nothing to say, and its passing counts for nothing.
    pub only_in_guests: bool,
}

pub const KERNEL_TESTS: [KernelTest; 2] = [
    KernelTest {
        package: "zfs-ffi",
        target: "zfs",
        only_in_guests: true,
    },
    KernelTest {
        package: "",
        target: "contract",
        only_in_guests: false,
    },
];

/// The test programs in DIR, in the order of the table.
pub fn found(dir: &Path) -> Vec<PathBuf> {
    KERNEL_TESTS
        .iter()
        .map(|test| dir.join(test.target))
        .filter(|path| path.exists())
        .collect()
}

/// Runs one, passes its output on, and counts. POOLS says whether there are pools for it.
pub fn run(program: &Path, filter: Option<&str>, pools: Result<()>) -> Tally {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    println!("tests of {name}:");
    match pools.and_then(|()| counted(program, filter)) {
        Ok(tally) => tally,
        Err(error) => {
            println!("FAIL {name}: {error:#}");
            Tally {
                failed: 1,
                ..Tally::default()
            }
        }
    }
}

fn counted(program: &Path, filter: Option<&str>) -> Result<Tally> {
    let mut child = Command::new("timeout")
        .args(["--kill-after=5", "1800"])
        .arg(program)
        .args(filter.into_iter().flat_map(|texts| texts.split(',')))
        .env("ZFS_FFI_TEST_POOL", SRC)
        .env("ZREP_TEST_POOLS", format!("{SRC}:{DST}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("the test program")?;
    let mut tally = Tally::default();
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        println!("{line}");
        if let Some(counts) = Tally::parse_libtest(&line) {
            tally += counts;
        }
    }
    let status = child.wait()?;
    // Killed, or ended in the middle: no test is counted as failed, but one has.
    if !status.success() && tally.success() {
        bail!("{status}");
    }
    Ok(tally)
}
