//! After init each side carries what makes it that side of the pair, where shell zrep
//! puts it; and nobody holds a lock.

use anyhow::{Result, ensure};

use crate::cases::pair::{Pair, SOURCE, TARGET, expect_marks, host};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    let host = host()?;
    let shared = |origin: &str| {
        [
            ("src-fs", SOURCE),
            ("src-host", host.as_str()),
            ("dest-fs", TARGET),
            ("dest-host", "localhost"),
            ("savecount", "5"),
        ]
        .map(|(name, value)| format!("zrep:{name}={value} ({origin})"))
        .to_vec()
    };
    let master = "zrep:master=yes (local)".to_owned();
    expect_marks(lab, SOURCE, &[shared("local"), vec![master]].concat())?;
    let replica = "readonly=on (local)".to_owned();
    expect_marks(lab, TARGET, &[shared("received"), vec![replica]].concat())?;

    pair.has(SOURCE, &["zrep_000000"])?;
    pair.marked()?;
    pair.unlocked()?;
    ensure!(lab.property(TARGET, "mounted")?.value == "no", "the target is mounted");
    Ok(())
}
