//! The lines of a crontab of shell zrep where ssh is between the two machines, and those of the target's crontab.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, short_of};
use crate::fixture::Lab;
use crate::fixture::peer::SSH;

const SOURCE: &str = "src/fs";
const TARGET: &str = "dst/fs";

pub fn run(lab: &Lab) -> Result<()> {
    let peer = lab.peer()?;
    let on_alpha = |line: &str| lab.zrep_over(SSH, &words(line)).ok();
    let on_beta = |line: &str| peer.zrep(&words(line)).ok();
    lab.create(SOURCE)?;
    on_alpha("-i src/fs beta dst/fs")?;
    let pair = Pair::known(lab, SOURCE, TARGET);
    for (line, short) in [
        ("-S src/fs", "zrep_000001"),
        ("sync -f -v -r src/fs", "zrep_000002"),
        ("-R sync -c -q 60 all", "zrep_000003"),
        ("refresh dst/fs", "zrep_000004"),
    ] {
        pair.write("file", line)?;
        match line {
            "refresh dst/fs" => on_beta(line)?,
            _ => on_alpha(line)?,
        };
        ensure!(short_of(&pair.newest(TARGET)?) == short, "{line}: not @{short}");
        pair.same_far()?;
    }
    ensure!(on_beta("lastsent dst/fs")?.stdout == "dst/fs@zrep_000004\n");
    lab.zfs(&["set", "zrep:savecount=2", SOURCE, TARGET]).ok()?;
    on_alpha("-e src/fs")?;
    pair.has(SOURCE, &["zrep_000003", "zrep_000004"])?;
    pair.has(TARGET, &["zrep_000003", "zrep_000004"])?;
    lab.zfs(&["set", "zrep:savecount=1", TARGET]).ok()?;
    on_beta("expire dst/fs")?;
    pair.has(TARGET, &["zrep_000004"])
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}
