//! A hundred rounds to another machine: one ssh here, one server there, and no other program on either side.

use anyhow::{Context, Result, ensure};

use crate::cases::far::pair_with_beta;
use crate::cases::pair::SOURCE;
use crate::fixture::Lab;
use crate::fixture::output::Output;

const SERVER: &str = "strace -f -e trace=execve -o /tmp/server zrep";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    let here = lab.dir().join("client");
    let mut command = std::process::Command::new("strace");
    command
        .args(["-f", "-e", "trace=execve", "-o"])
        .arg(&here)
        .args(["zrep", "sync", SOURCE, "--every", "0s"]);
    command
        .args(["--rounds", "100"])
        .env("SSH", "ssh")
        .env("ZREP_PATH", SERVER)
        .env("ZREP_RUNDIR", "/run");
    Output::of(&mut command)
        .ok()?
        .says("100 rounds, 100 syncs, 0 failures")?;

    let programs = |file: &std::path::Path| -> Result<Vec<String>> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        // ssh's shell is tried in every directory of PATH.
        let started = text
            .lines()
            .filter(|line| line.contains("execve(") && line.contains(") = 0"));
        Ok(started.map(str::to_owned).collect())
    };
    let client = programs(&here)?;
    ensure!(
        client.len() == 2 && client[0].contains("zrep") && client[1].contains("ssh"),
        "{client:#?}"
    );
    let server = programs(&lab.peer()?.path("/tmp/server"))?;
    ensure!(server.len() == 1 && server[0].contains("\"serve\""), "{server:#?}");
    pair.same_far()
}
