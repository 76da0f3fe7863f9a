//! What a shell would set is set: plain values beat the environment, `${V:-x}` lets it win. Nothing of the file is run; a line
//! that only a shell could carry out is told, and left out.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, expect_property};
use crate::fixture::Lab;
use crate::fixture::output::Output;

const FILE: &str = r#"# settings of this machine
touch /run/was-run
COUNT=3; export ZREP_SAVE_COUNT="$COUNT"
OTHER=$(touch /run/was-run)
ZREP_DATEFORMAT=${ZREP_DATEFORMAT:-"at %s"}
"#;

pub fn run(lab: &Lab) -> Result<()> {
    let _file = lab.defaults(FILE)?;
    lab.create("src/a b")?;
    let mut init = lab.zrep_command(&["init", "src/a b", "localhost", "dst/copy"]);
    let output = Output::of(init.env("ZREP_SAVE_COUNT", "7")).ok()?;
    for line in ["/etc/default/zrep:2: ", "/etc/default/zrep:4: "] {
        ensure!(output.stderr.contains(line), "not told: {output}");
    }
    expect_property(lab, "src/a b", "zrep:savecount", "3", "local")?;
    Pair::known(lab, "src/a b", "dst/copy").sync()?;

    let status = lab.zrep(&["status"]).ok()?;
    ensure!(status.stdout.contains("at "), "{status}");
    let mut status = lab.zrep_command(&["status"]);
    let status = Output::of(status.env("ZREP_DATEFORMAT", "in %Y")).ok()?;
    ensure!(status.stdout.contains("in 20"), "{status}");
    lab.sh("test ! -e /run/was-run").ok()?;
    Ok(())
}
