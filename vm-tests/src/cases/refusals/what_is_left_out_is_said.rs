//! What shell zrep's command lines have and zrep has not is refused, and changes nothing; variables that have no meaning any more are passed over, or told.

use anyhow::{Result, ensure};

use crate::fixture::output::Output;
use crate::fixture::{DST, Lab, SRC};

const SOURCE: &str = "src/a b";
const TARGET: &str = "dst/a copy";
const MEANINGLESS: [(&str, &str); 6] = [
    ("DEBUG", "1"),
    ("PERL_BIN", "/none"),
    ("ZREP_RENAME_UNSENT", "no"),
    ("ZREP_RESUME", "yes"),
    ("Z_GLOBAL_PID", "1"),
    ("Z_SETHOLD", "/none"),
];

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair(SOURCE, TARGET)?;
    lab.create("src/c")?;
    lab.unchanged(&[SRC, DST], || {
        for args in [&["setlastsent", SOURCE][..], &["-x", SOURCE]] {
            let refused = lab.zrep(args).exits(2)?;
            ensure!(refused.stdout.is_empty(), "{refused}");
        }
        lab.declines(&["init", "-f", "src/c", "localhost", TARGET], "exists already")?;
        for args in [
            &["failover", "src/a b@zrep_000000"][..],
            &["failover", "-L", "src/a b@zrep_000000"],
            &["takeover", "-L", "dst/a copy@zrep_000000"],
        ] {
            lab.declines(args, "@zrep_000000")?;
        }
        Ok(())
    })?;
    lab.zrep(&["init", "-v", "-f", "src/c", "localhost", "dst/c"]).ok()?;
    let mut sync = lab.zrep_command(&["sync", SOURCE]);
    let quiet = Output::of(sync.envs(MEANINGLESS)).ok()?;
    ensure!(quiet.stderr.is_empty(), "{quiet}");
    let mut sync = lab.zrep_command(&["sync", SOURCE]);
    let told = Output::of(sync.env("BBCP", "/none")).ok()?;
    ensure!(told.stderr.contains("BBCP"), "{told}");
    ensure!(lab.exists("dst/a copy@zrep_000002"));
    Ok(())
}
