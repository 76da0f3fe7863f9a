//! A dataset's name may have 255 bytes, and so may a snapshot's: the last that has room for `@zrep_000000` works, the next is refused.

use anyhow::{Result, ensure};

use crate::fixture::Lab;

const ROOM: usize = 255 - "@zrep_000000".len();

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("src/a b")?;
    let long = |pool: &str, length: usize| format!("{pool}/{}", "x".repeat(length - pool.len() - 1));
    let target = long("dst", ROOM + 1);
    lab.refuses(&["init", "src/a b", "localhost", &target], "target dst/xxx")?
        .expects("255")?;
    let source = long("src", ROOM + 1);
    lab.create(&source)?;
    lab.refuses(&["init", &source, "localhost", "dst/copy"], "source src/xxx")?
        .expects("255")?;

    let (source, target) = (long("src", ROOM), long("dst", ROOM));
    lab.pair(&source, &target)?;
    lab.change_and_sync(&source, "new")?;
    ensure!(lab.snapshots(&target)?.len() == 2);
    Ok(())
}
