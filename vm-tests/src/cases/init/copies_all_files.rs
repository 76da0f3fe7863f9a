//! The target's first snapshot holds what the source holds.

use anyhow::Result;

use crate::cases::chance::Chance;
use crate::cases::forest::Forest;
use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.zfs(&["create", "-o", "acltype=posix", SOURCE]).ok()?;
    Forest::plant(&lab.mountpoint(SOURCE)?, 500, Chance::new())?;
    Pair::init(lab, SOURCE, TARGET)?.same()
}
