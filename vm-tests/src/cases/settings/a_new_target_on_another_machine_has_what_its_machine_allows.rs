//! On another machine a new target has what may come with a stream. Where it is mounted is left to that machine, and zrep says so.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, expect_property};
use crate::fixture::Lab;

const FILE: &str = r#"ZREP_CREATE_FLAGS="-o compression=gzip -o mountpoint=none -o canmount=noauto"
ZREP_INIT_REMOTE_PROPERTIES="com.example:a=b sharenfs=off"
"#;

pub fn run(lab: &Lab) -> Result<()> {
    lab.peer()?;
    lab.create("src/a b")?;
    lab.write("src/a b", "file", "contents")?;
    let _file = lab.defaults(FILE)?;
    let output = lab.zrep(&["init", "src/a b", "beta", "dst/copy"]).ok()?;
    ensure!(
        output.stderr.contains("beta:dst/copy: sharenfs=off will not be set"),
        "not told what is left out: {output}"
    );
    for (name, value) in [
        ("compression", "gzip"),
        ("mountpoint", "none"),
        ("canmount", "noauto"),
        ("com.example:a", "b"),
    ] {
        expect_property(lab, "dst/copy", name, value, "local")?;
    }
    lab.write("src/a b", "file", "changed")?;
    lab.zrep(&["sync", "src/a b"]).ok()?;
    Pair::known(lab, "src/a b", "dst/copy").same_far()
}
