//! A new target needs a filesystem above it, on this machine.

use anyhow::Result;

use crate::fixture::{DST, Lab, SRC};

pub fn run(lab: &Lab) -> Result<()> {
    lab.create("src/a b")?;
    lab.zfs(&["create", "-V", "16M", "dst/a volume"]).ok()?;
    lab.unchanged(&[SRC, DST], || {
        for (target, parent) in [
            ("dst/no such/copy", "dst/no such"),
            ("dst/a volume/copy", "dst/a volume"),
            ("no-pool/copy", "no-pool"),
        ] {
            let says = format!("target {target}: {parent} cannot hold it");
            lab.declines(&["init", "src/a b", "localhost", target], &says)?
                .expects(parent)?;
        }
        lab.declines(&["init", "src/a b", "localhost", "no-pool"], "target no-pool: ")?;
        // A leading dash is an option unless it is said that no more will come.
        for host in ["-oProxyCommand=reboot", "two words", "$(reboot)", ""] {
            lab.declines(
                &["init", "--", "src/a b", host, "dst/copy"],
                "is no host name: expected HOST",
            )?
            .expects("localhost")?;
        }
        lab.declines(&["init", "src/a b", "elsewhere", "dst/copy"], "target dst/copy: ")?
            .helps("ssh elsewhere true")?;
        Ok(())
    })
}
