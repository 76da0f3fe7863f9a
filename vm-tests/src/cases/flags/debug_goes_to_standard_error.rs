//! `-D` tells what is asked of which machine, on standard error: what programs read on standard output is the same as without it.

use anyhow::{Result, ensure};

use crate::cases::far::pair_with_beta;
use crate::cases::pair::SOURCE;
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = pair_with_beta(lab)?;
    let [plain, told] = [&["list"][..], &["-D", "list"]].map(|args| lab.zrep(args));
    let (plain, told) = (plain.ok()?, told.ok()?);
    ensure!(plain.stdout == told.stdout, "{plain}\n{told}");
    ensure!(told.stderr.contains("zrep: debug: alpha: find the datasets"), "{told}");
    ensure!(!plain.stderr.contains("debug"), "{plain}");

    pair.write("file", "new")?;
    let synced = lab.zrep(&["sync", SOURCE, "-D"]).ok()?;
    for line in [
        "debug: alpha: observe src/a b\n",
        "debug: alpha: snapshot src/a b@zrep_000001\n",
        "debug: beta: ",
    ] {
        ensure!(synced.stderr.contains(line), "{line:?}: {synced}");
    }
    pair.same_far()
}
