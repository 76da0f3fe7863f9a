//! `sync -q SECONDS` passes over a dataset that another process works on, and goes on with the others; but not for longer than so many seconds.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, short_of};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let busy = Pair::new(lab)?;
    lab.create("src/second")?;
    let free = Pair::init(lab, "src/second", "dst/second")?;
    let idler = lab.idler()?;
    lab.lock(SOURCE, &idler.pid().as_raw_nonzero().to_string(), "now")?;

    let said = lab
        .zrep(&["sync", "-v", "-q", "600", "-c", SOURCE, &free.source, "-r"])
        .ok()?;
    ensure!(
        said.stdout
            .lines()
            .any(|line| line.starts_with(&format!("Quiet mode: skipping busy fs {SOURCE} at "))),
        "{said}"
    );
    busy.has(TARGET, &["zrep_000000"])?;
    free.write("file", "new")?;
    lab.zrep(&["sync", "-q", "600", SOURCE, &free.source]).ok()?;
    ensure!(short_of(&free.newest(&free.target)?) > "zrep_000000".to_owned());
    lab.zrep(&["sync", SOURCE]).exits(1)?.says("works on it")?;

    let now: u64 = lab.sh("date +%s").ok()?.stdout.trim().parse()?;
    let mark = format!("zrep:sent={}", now - 1000);
    lab.zfs(&["set", &mark, "src/a b@zrep_000000"]).ok()?;
    lab.zrep(&["sync", "-q", "600", SOURCE]).exits(1)?.says("works on it")?;
    lab.zrep(&["sync", "-q", "29", SOURCE]).exits(2)?;
    drop(idler);
    busy.sync()?;
    busy.same()
}
