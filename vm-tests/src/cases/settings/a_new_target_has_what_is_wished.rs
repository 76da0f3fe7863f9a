//! `ZREP_CREATE_FLAGS` and `ZREP_INIT_REMOTE_PROPERTIES` are properties of the target's own: they come before its source's, and stay.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_property};
use crate::fixture::refusal::misconfigured;
use crate::fixture::{DST, Lab, SRC};

const FILE: &str = r#"
ZREP_CREATE_FLAGS="-o compression=gzip -o canmount=noauto -o com.example:a=b"
ZREP_INIT_REMOTE_PROPERTIES="quota=1G sharenfs=off snapdir=visible"
"#;

const EXPECTED: [(&str, &str); 6] = [
    ("compression", "gzip"),
    ("canmount", "noauto"),
    ("com.example:a", "b"),
    ("quota", "1073741824"),
    ("sharenfs", "off"),
    ("snapdir", "visible"),
];

pub fn run(lab: &Lab) -> Result<()> {
    lab.zfs(&["create", "-o", "compression=zstd", SOURCE]).ok()?;
    lab.write(SOURCE, "file", "contents")?;
    for refused in ["-o readonly=off", "-o encryption=on", "-p", "-o zrep:master=yes"] {
        let _file = lab.defaults(&format!("ZREP_CREATE_FLAGS='{refused}'\n"))?;
        lab.unchanged(&[SRC, DST], || {
            misconfigured(lab.zrep(&["init", SOURCE, "localhost", TARGET]), "ZREP_CREATE_FLAGS")
        })?;
    }
    let _file = lab.defaults(FILE)?;
    let pair = Pair::init(lab, SOURCE, TARGET)?;
    pair.write("file", "changed")?;
    pair.sync()?;
    pair.same()?;
    for (name, value) in EXPECTED {
        expect_property(lab, TARGET, name, value, "local")?;
    }
    expect_property(lab, TARGET, "readonly", "on", "local")?;
    // What stops an init is nothing to a crontab.
    let _file = lab.defaults("ZREP_CREATE_FLAGS='-p'\n")?;
    pair.sync()?;
    expect_property(lab, SOURCE, "compression", "zstd", "local")
}
