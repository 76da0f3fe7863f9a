//! The file that guards the taking of locks: held by a living process, in the usual directory or that of `ZREP_RUNDIR`, or in a place that takes no files.

use std::fs;

use anyhow::{Result, ensure};

use crate::fixture::Lab;

const FILE: &str = "/run/zrep.lock";

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    let process = lab.idler()?;
    let pid = process.pid().as_raw_nonzero().to_string();
    fs::write(FILE, format!("{pid}\n"))?;
    let mut sync = lab.zrep_command(&["sync", "src/a b"]);
    let refused = lab.refuses_as(sync.env("Z_LOCK_RETRY", "0"), "zrep.lock");
    let content = fs::read_to_string(FILE);
    drop(process);
    refused?.finds(&format!("process {pid}"))?.helps("Z_LOCK_RETRY")?;
    ensure!(content? == format!("{pid}\n"), "the file is another's");
    lab.zrep(&["sync", "src/a b"]).ok()?;
    ensure!(!fs::exists(FILE)?, "the dead process' file is still there");

    let (file, process) = (lab.dir().join("zrep.lock"), lab.idler()?);
    let pid = process.pid().as_raw_nonzero().to_string();
    fs::write(&file, format!("{pid}\n"))?;
    let mut sync = lab.zrep_command(&["sync", "src/a b"]);
    sync.env("ZREP_RUNDIR", lab.dir()).env("Z_LOCK_RETRY", "0");
    lab.refuses_as(&mut sync, &file.to_string_lossy())?
        .finds(&format!("process {pid}"))?;
    let mut sync = lab.zrep_command(&["sync", "src/a b"]);
    lab.refuses_as(sync.env("ZREP_RUNDIR", "/no such directory"), "/no such directory")?
        .helps("ZREP_RUNDIR")?;
    Ok(())
}
