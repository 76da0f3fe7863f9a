//! One tag has one pairing for a dataset: a child with a pairing of its own stops `-R init`, and nothing in a recursive pairing's tree gets one.

use anyhow::{Result, ensure};

use crate::cases::grove::{paired, plant};
use crate::cases::pair::{SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    plant(lab)?;
    lab.zrep(&["init", "src/a b/one", "localhost", "dst/single"]).ok()?;
    lab.refuses(&["-R", "init", SOURCE, "localhost", TARGET], "has a pairing of its own")?;
    ensure!(!lab.exists(TARGET));
    lab.zfs(&["destroy", "-r", SOURCE]).ok()?;

    paired(lab, "localhost")?;
    lab.refuses(
        &["init", "src/a b/one", "localhost", "dst/other"],
        "lies in the tree of src/a b",
    )?;
    lab.create("src/c")?;
    lab.refuses(
        &["init", "src/c", "localhost", "dst/copy of a b/c"],
        "lies in the tree of dst/copy of a b",
    )?;
    lab.zrep(&["-t", "uk", "init", "src/a b/one", "localhost", "dst/other"])
        .ok()?;
    lab.zrep(&["sync", SOURCE]).ok()?;
    lab.zrep(&["-t", "uk", "sync", "src/a b/one"]).ok()?;
    Ok(())
}
