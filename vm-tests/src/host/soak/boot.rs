//! From power off to a machine that works: boot, import, zrep's gate, mount.

use anyhow::Result;

use super::look::Views;
use super::node::{Node, PATIENCE};
use super::pair::{Pair, Side};
use crate::cases::chance::Chance;

impl Pair {
    /// Turns the machines on that are off, and imports their pools as a boot does: zrep's gate is asked before
    /// anything is mounted. Returns what was on disk before that.
    pub fn power_on(&mut self) -> Result<Views> {
        let dead: Vec<Side> = Side::BOTH
            .into_iter()
            .filter(|side| !self.node(*side).is_on())
            .collect();
        for side in &dead {
            self.node_mut(*side).power_on()?;
        }
        for side in &dead {
            self.node_mut(*side).boot()?;
        }
        self.import(&dead)?;
        let found = self.look()?;
        self.gate(&dead)?;
        Ok(found)
    }

    fn import(&self, sides: &[Side]) -> Result<()> {
        let mut imports = Vec::new();
        for side in sides {
            let import = format!("zpool import -N -d /dev/vdb1 {}", side.pool());
            imports.push((*side, self.node(*side).start(&import)?));
        }
        for (side, mut import) in imports {
            let what = format!("{}: import", self.node(side).name());
            import.wait(PATIENCE)?.expect_ok(&what)?;
        }
        Ok(())
    }

    fn gate(&self, sides: &[Side]) -> Result<()> {
        let mut gates = Vec::new();
        for side in sides {
            gates.push((*side, self.start(*side, "gate all")?));
        }
        for (side, mut gate) in gates {
            // What it says of a fenced master is a failure, and what it is for.
            self.ended(side, &mut gate)?;
            self.node(side).ok("zfs mount -a")?;
        }
        Ok(())
    }

    /// Cuts the power of both machines, and boots them without their pools.
    pub fn restart(&mut self, chance: &mut Chance) -> Result<()> {
        for side in Side::BOTH {
            let node = self.node_mut(side);
            node.cut(chance)?;
            node.power_on()?;
        }
        Side::BOTH
            .into_iter()
            .try_for_each(|side| Node::boot(self.node_mut(side)))
    }
}
