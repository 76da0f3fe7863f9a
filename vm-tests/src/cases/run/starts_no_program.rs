//! The loop asks the kernel itself: a hundred rounds start no program.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::cases::trace;
use crate::fixture::Lab;

const CALLS: &str = "execve,execveat,fork,vfork,clone,clone3";

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let (lines, output) = trace::zrep(lab, CALLS, &["sync", "all", "--every", "0s", "--rounds", "100"])?;
    output.says("100 rounds, 100 syncs, 0 failures")?;
    ensure!(
        pair.newest(TARGET)?.name.ends_with("@zrep_000064"),
        "{:?}",
        pair.newest(TARGET)?
    );
    ensure!(pair.newest(SOURCE)?.guid == pair.newest(TARGET)?.guid);

    let programs: Vec<_> = lines.iter().filter(|line| line.contains("execve")).collect();
    ensure!(programs.len() == 1 && programs[0].contains("zrep"), "{programs:#?}");
    let is_process = |line: &&String| {
        let calls = ["fork(", "clone(", "clone3("];
        calls.iter().any(|call| line.contains(call)) && !line.contains("CLONE_THREAD")
    };
    let processes: Vec<_> = lines.iter().filter(is_process).collect();
    ensure!(processes.is_empty(), "{processes:#?}");
    Ok(())
}
