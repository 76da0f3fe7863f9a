//! A sync brings what was changed, created and removed, in one more snapshot.

use anyhow::Result;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.create(SOURCE)?;
    for name in ["stays", "is changed", "is removed"] {
        lab.write(SOURCE, name, name)?;
    }
    let pair = Pair::init(lab, SOURCE, TARGET)?;
    pair.write("is changed", "differently")?;
    pair.write("a new one/with a name", "new")?;
    std::fs::remove_file(lab.mountpoint(SOURCE)?.join("is removed"))?;
    let said = pair.sync()?;
    said.says(&format!("sending {SOURCE}@zrep_000001 to localhost:{TARGET}"))?;
    pair.has(TARGET, &["zrep_000000", "zrep_000001"])?;
    pair.same()?;
    pair.marked()?;
    pair.unlocked()
}
