//! A machine whose power can be cut: the disk stays, all else is new with each boot.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::cable::Cable;
use super::disk::{Disk, Lost};
use super::orders::{Job, Orders, Post, Said};
use crate::cases::chance::Chance;
use crate::host::artifacts;
use crate::host::machine::{Failure, Machine, Sinks};
use crate::host::progress::say;
use crate::host::qemu::{Drive, DriveUse, Link};
use crate::host::roles::Role;
use crate::host::session::{Ground, Host};

/// Longer than anything takes that is not stuck, on a busy machine without KVM.
pub const PATIENCE: Duration = Duration::from_secs(180);

const DISK_BYTES: u64 = 2 << 30;

/// What runs in a guest from its boot to its end.
const MAIN: &str = "#!/bin/sh\nexec agent\n";

const LEDGER: &str = include_str!("../../../guest/ledger");

/// What is carried into the guests.
#[derive(Clone, Debug)]
pub struct Programs {
    zrep: PathBuf,
    agent: PathBuf,
}

impl Programs {
    pub fn build() -> Result<Self> {
        Ok(Self {
            zrep: artifacts::zrep()?,
            agent: artifacts::agent()?,
        })
    }
}

/// A machine, dead or alive.
#[derive(Debug)]
pub struct Node {
    pub role: Role,
    ground: Ground,
    programs: Programs,
    disk: Disk,
    cable: Cable,
    life: Option<Life>,
}

/// From a boot to the next power cut.
#[derive(Debug)]
struct Life {
    machine: Machine,
    /// Until the agent has taken it.
    post: Option<Post>,
    orders: Option<Orders>,
}

impl Node {
    /// A machine that is off, with a blank disk in DIR.
    pub fn new(role: Role, ground: &Ground, programs: &Programs, cable: &Cable, dir: &Path) -> Result<Self> {
        let file = dir.join(format!("{role:?}.img"));
        Ok(Self {
            role,
            ground: ground.clone(),
            programs: programs.clone(),
            disk: Disk::blank(&file, DISK_BYTES)?,
            cable: cable.clone(),
            life: None,
        })
    }

    /// Turns it on. To be called from the main thread, as [`Machine::start`].
    pub fn power_on(&mut self) -> Result<()> {
        let host = Host::new(self.role)?;
        host.add_program(&self.programs.zrep, "zrep")?;
        host.add_program(&self.programs.agent, "agent")?;
        host.add_script("ledger", LEDGER)?;
        self.disk.serve(&host.dir().join("disk"))?;
        let end = usize::from(self.role == Role::Beta);
        self.cable.lay(end, &host.dir().join("cable"))?;
        let (post, reports) = Post::open();
        let sinks = Sinks {
            stdout: Box::new(reports),
            stderr: Box::new(io::stderr()),
        };
        let disk = Drive {
            serial: "lab-pool".to_owned(),
            file: "disk".into(),
            how: DriveUse::Served,
        };
        let link = Link {
            socket: "cable".into(),
            listens: false,
            card: if end == 0 { 1 } else { 2 },
        };
        let machine = self.ground.start(host, vec![disk], Some(link), MAIN, sinks)?;
        self.life = Some(Life {
            machine,
            post: Some(post),
            orders: None,
        });
        Ok(())
    }

    /// Waits until it takes orders.
    ///
    /// N.B. QEMU's emulator fails an assertion of its own now and then (`iotlb_to_section`), early in a boot; that is no fault of the guest,
    /// which has not touched its pool yet.
    pub fn boot(&mut self) -> Result<()> {
        match self.boot_once() {
            Err(error) if matches!(error.downcast_ref(), Some(Failure::NeverBooted { .. })) => {
                say(format!("{error:#}; once more"));
                self.stop();
                self.disk.detach()?;
                self.power_on()?;
                self.boot_once()
            }
            result => result,
        }
    }

    fn boot_once(&mut self) -> Result<()> {
        let name = self.name();
        let life = self.life.as_mut().context("the machine is off")?;
        self.ground.boot(&mut life.machine).with_context(|| name.to_owned())?;
        if let Some(post) = life.post.take() {
            life.orders = Some(post.meet(&life.machine.tty, PATIENCE).context(name)?);
        }
        Ok(())
    }

    /// Cuts the power of this machine, first of the processor. Nothing if it is off.
    pub fn stop(&mut self) {
        if let Some(life) = self.life.take() {
            life.machine.cut();
        }
    }

    /// Cuts its disk's power, too: what was not flushed is left to chance.
    pub fn cut(&mut self, chance: &mut Chance) -> Result<Lost> {
        self.stop();
        self.disk.cut(chance)
    }

    pub fn is_on(&self) -> bool {
        self.life.is_some()
    }

    pub fn name(&self) -> &'static str {
        self.role.name().unwrap_or("the only one")
    }

    /// Starts a command.
    pub fn start(&self, command: &str) -> Result<Job> {
        let orders = self.life.as_ref().and_then(|life| life.orders.as_ref());
        orders
            .with_context(|| format!("{} takes no orders", self.name()))?
            .start(command)
    }

    /// Runs a command to its end, whatever that is.
    pub fn run(&self, command: &str) -> Result<Said> {
        Ok(self.start(command)?.wait(PATIENCE)?.clone())
    }

    /// Runs a command that must end well, and returns the lines it says.
    pub fn ok(&self, command: &str) -> Result<Vec<String>> {
        let said = self.run(command)?;
        let what = format!("{}: {command}", self.name());
        said.expect_ok(&what)?;
        Ok(said.stdout)
    }
}
