//! A relay delays every byte, both ways, and neither changes the bytes nor limits how
//! many come through.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::fixture::Lab;

const SUMS: &str = "cd /tmp; head -c 16M /dev/urandom >data; sha256sum <data >sent";

pub fn run(lab: &Lab) -> Result<()> {
    lab.peer()?;
    let quick = timed(lab, "echo x | relay --delay-ms 0 local-ssh beta 'cat; exit 4'")?;
    let slow = timed(lab, "echo x | relay --delay-ms 700 local-ssh beta 'cat; exit 4'")?;
    ensure!(slow >= Duration::from_millis(1400), "{slow:?}");
    ensure!(slow < quick + Duration::from_secs(5), "{quick:?}, {slow:?}");

    lab.sh(SUMS).ok()?;
    let started = Instant::now();
    lab.sh("relay --delay-ms 1000 local-ssh beta cat </tmp/data | sha256sum | cmp - /tmp/sent")
        .ok()?;
    // One chunk after the other would take 512 seconds.
    ensure!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    Ok(())
}

fn timed(lab: &Lab, script: &str) -> Result<Duration> {
    let started = Instant::now();
    let said = lab.sh(script).exits(4)?;
    ensure!(said.stdout == "x\n", "{said}");
    Ok(started.elapsed())
}
