//! A lock counts as long as the process that took it: not after its end, and not for a later process of its number.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::fixture::Lab;

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    let mut process = lab.idler()?;
    let pid = process.pid().as_raw_nonzero().to_string();
    is_taken_over(lab, &["sync", SOURCE], &pid, "yesterday")?;

    process.signal(rustix::process::Signal::KILL)?;
    let _killed = process.wait(Duration::from_secs(30))?;
    is_taken_over(lab, &["sync", SOURCE], &pid, "now")?;
    is_taken_over(lab, &["expire", SOURCE], &pid, "now")?;
    is_taken_over(lab, &["sync", SOURCE], "rubbish", "now")?;
    is_taken_over(lab, &["failover", SOURCE], &pid, "now")
}

fn is_taken_over(lab: &Lab, args: &[&str], pid: &str, since: &str) -> Result<()> {
    // With something to do for every verb.
    lab.sh("echo x >>'/src/a b/first'").ok()?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    lab.zfs(&["set", "zrep:savecount=1", SOURCE]).ok()?;
    lab.lock(SOURCE, pid, since)?;
    let output = lab.zrep(args).ok()?;
    let whose = match pid.parse::<u32>() {
        Ok(pid) => format!("src/a b: taking over the lock of process {pid}"),
        Err(_) => format!("src/a b: taking over a lock that names no process ({pid:?})"),
    };
    ensure!(output.stderr.contains(&whose), "{output}");
    for property in ["zrep:lock-pid", "zrep:lock-time"] {
        let left = lab.property(SOURCE, property)?;
        ensure!(left.source != "local", "{property} is left after {output}: {left:?}");
    }
    lab.zfs(&["set", "zrep:savecount=5", SOURCE]).ok()?;
    Ok(())
}
