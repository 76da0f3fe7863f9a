//! `readonly` does not stop a process that has a file mapped for writing. It is named, nothing is turned, and when it has gone the same
//! command works. `--unmount` fails while anything is in use.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::cases::pair::{PATIENCE, Pair, SOURCE, expect_property};
use crate::fixture::Lab;
use crate::fixture::running::{Running, until};

/// Writes through a map, time and again, and says so in a file elsewhere.
const MAPPER: &str = "
import mmap, os, sys, time
f = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(f, 4096)
os.close(f)
while True:
    m[0] = (m[0] + 1) % 256
    m.flush()
    open(sys.argv[2], 'w').write('mapped')
    time.sleep(0.02)
";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("mapped", vec![0; 4096])?;
    let mapper = map(lab)?;
    let pid = mapper.pid().as_raw_nonzero().to_string();
    let refused = lab.zrep(&["failover", SOURCE]).fails()?;
    refused
        .says("mapped for writing")?
        .says(&pid)?
        .says("python3")?
        .says("--unmount")?;
    is_as_before(lab, &pair)?;
    lab.zrep(&["failover", "--unmount", SOURCE]).fails()?;
    is_as_before(lab, &pair)?;

    drop(mapper);
    lab.zrep(&["failover", "--unmount", SOURCE]).ok()?;
    let turned = pair.turned();
    turned.has_roles()?;
    ensure!(lab.read(&turned.source, "mapped")?.len() == 4096);
    Ok(())
}

fn map(lab: &Lab) -> Result<Running> {
    let (script, said) = (lab.dir().join("mapper.py"), lab.dir().join("mapper said"));
    std::fs::write(&script, MAPPER)?;
    let mut command = Command::new("python3");
    command
        .arg(script)
        .arg(lab.mountpoint(SOURCE)?.join("mapped"))
        .arg(&said);
    let running = Running::start(command, lab.dir())?;
    until("the file is mapped", PATIENCE, || Ok(said.exists()))?;
    Ok(running)
}

fn is_as_before(lab: &Lab, pair: &Pair<'_>) -> Result<()> {
    pair.has_roles()?;
    pair.unlocked()?;
    expect_property(lab, SOURCE, "zrep:intent", "-", "-")?;
    expect_property(lab, &pair.target, "zrep:master", "-", "-")
}
