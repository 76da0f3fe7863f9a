//! One run from boot to power off, with what every command wants of it: a guest, or
//! two that are joined by a cable.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::accel;
use super::cache::Cache;
use super::carry::Files;
use super::cleanup::RunDir;
use super::guests::Guest;
use super::image::Image;
use super::machine::{Event, Failure, Machine, Sinks};
use super::progress::say;
use super::qemu::{Accel, Drive, DriveUse, Link, Spec};
use super::roles::Role;
use super::terminal;

/// When the user gets a shell in the guest after main has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Never,
    Failure,
    Always,
}

/// What a run is to be like.
#[derive(Clone, Debug)]
pub struct Wish {
    pub guest: &'static Guest,
    /// One guest, or two.
    pub hosts: u32,
    /// So many runs like this one are under way at the same time.
    pub side_by_side: usize,
    /// Pools `src` and `dst` are made on the two disks.
    pub pools: bool,
    /// Of all guests together.
    pub memory_mib: u32,
    /// How long main may take.
    pub timeout: Duration,
    pub shell: Shell,
    /// A guest does not wait for the other one, which may be dead or out of reach.
    pub alone: bool,
}

impl Wish {
    pub fn new(guest: &'static Guest) -> Self {
        Self {
            guest,
            hosts: 1,
            side_by_side: 1,
            pools: true,
            memory_mib: 4096,
            timeout: Duration::from_secs(3600),
            shell: Shell::Never,
            alone: false,
        }
    }
}

/// A run being prepared: files are added, then it is run.
#[derive(Debug)]
pub struct Session {
    ground: Ground,
    hosts: Vec<Host>,
}

/// What the guests of a run stand on: image and accelerator.
#[derive(Clone, Debug)]
pub struct Ground {
    wish: Wish,
    image: Image,
    accel: Accel,
}

/// The processors of each of so many guests. N.B. a kernel from which the host takes a processor away holds its spin locks nevertheless, and its
/// other processors wait for them. So all guests together have no more processors than the machine, where that can be.
fn cpus_of_each(guests: usize) -> u32 {
    let machine = thread::available_parallelism().map_or(1, NonZero::get);
    if machine / guests < 2 { 1 } else { 2 }
}

/// A guest to be started.
#[derive(Debug)]
pub struct Host {
    role: Role,
    dir: RunDir,
    files: Files,
}

/// What beta does until alpha has ended.
const STAND_BY: &str = "#!/bin/sh\nexec sleep infinity\n";

impl Session {
    /// Sees to image and accelerator.
    pub fn prepare(wish: Wish) -> Result<Self> {
        Self::on(Ground::prepare(wish)?)
    }

    fn on(ground: Ground) -> Result<Self> {
        let roles = Role::among(ground.wish.hosts).iter().copied();
        let hosts = roles.map(Host::new).collect::<Result<_>>()?;
        Ok(Self { ground, hosts })
    }

    /// The files of the guest that runs main.
    pub fn files(&self) -> &Files {
        &self.hosts[0].files
    }

    /// Adds a program to the PATH of all guests.
    pub fn add_program(&self, from: &Path, name: &str) -> Result<()> {
        self.hosts.iter().try_for_each(|host| host.add_program(from, name))
    }

    /// Boots the guests, runs MAIN (a shell script's text) in the first one as root, and
    /// returns its exit status. The user's shell, if one was wished for, comes after it.
    pub fn run(mut self, main: &str, sinks: Sinks) -> Result<i32> {
        let first = self.hosts.remove(0);
        let others = std::mem::take(&mut self.hosts);
        let first_dir = first.dir().to_owned();
        let mut machine = self.start(first, &first_dir, main, sinks)?;
        let mut others = others
            .into_iter()
            .map(|host| self.start_beside(host, &first_dir))
            .collect::<Result<Vec<_>>>()?;
        for other in &mut others {
            self.ground.boot(other).context("host beta")?;
        }
        self.ground.boot(&mut machine)?;
        let result = follow(&mut machine, &self.ground.wish);
        if result.is_ok() {
            machine.end();
        }
        result
    }

    fn start(&self, host: Host, first: &Path, main: &str, sinks: Sinks) -> Result<Machine> {
        let disks = host.role.disks(host.dir())?;
        let link = host.role.link(first);
        self.ground.start(host, disks, link, main, sinks)
    }

    /// Starts a guest that is joined to the FIRST one, and has nothing to do by itself.
    fn start_beside(&self, host: Host, first: &Path) -> Result<Machine> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !Role::cable(first).exists() {
            ensure!(Instant::now() < deadline, "the first guest's QEMU makes no network");
            thread::sleep(Duration::from_millis(10));
        }
        self.start(host, first, STAND_BY, Sinks::discard())
    }
}

impl Ground {
    /// Sees to image and accelerator.
    pub fn prepare(wish: Wish) -> Result<Self> {
        let cache = Cache::open()?;
        let image = Image::ensure(wish.guest, &cache)?;
        let accel = accel::choose(&cache, || boots_with_kvm(&wish, &image))?;
        Ok(Self { wish, image, accel })
    }

    /// Starts a guest that will run MAIN, with these disks beside its root's and its
    /// files', and with this link.
    pub fn start(
        &self,
        host: Host,
        disks: Vec<Drive>,
        link: Option<Link>,
        main: &str,
        sinks: Sinks,
    ) -> Result<Machine> {
        let Host { role, dir, files } = host;
        files.program("main", main)?;
        files.text("config", &config(role, &self.wish)?)?;
        let image_of_files = dir.path().join("files.img");
        files.into_image(&image_of_files)?;
        Machine::start(&self.spec(image_of_files, disks, link), dir, sinks)
    }

    /// Waits until MAIN runs in a guest.
    pub fn boot(&self, machine: &mut Machine) -> Result<()> {
        let limit = boot_limit(self.accel);
        machine.hello(limit)?;
        match machine.next(limit) {
            Ok(_) => Ok(()),
            Err(Failure::TimedOut { console, .. }) => Err(Failure::NeverBooted { console }.into()),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The order of the drives is the order of their names in the guest: vda, vdb, …
    fn spec(&self, image_of_files: PathBuf, disks: Vec<Drive>, link: Option<Link>) -> Spec {
        let drive = |serial: &str, file, how| Drive {
            serial: serial.to_owned(),
            file,
            how,
        };
        let mut drives = vec![drive("lab-root", self.image.root.clone(), DriveUse::Snapshot)];
        drives.extend(disks);
        drives.push(drive("lab-files", image_of_files, DriveUse::ReadOnly));
        Spec {
            accel: self.accel,
            cpus: cpus_of_each(self.wish.hosts as usize * self.wish.side_by_side),
            memory_mib: self.wish.memory_mib / self.wish.hosts,
            kernel: self.image.kernel.clone(),
            initrd: self.image.initrd.clone(),
            drives,
            link,
        }
    }
}

impl Host {
    pub fn new(role: Role) -> Result<Self> {
        let dir = RunDir::new()?;
        let files = Files::new(dir.path().join("files"))?;
        files.program("init", include_str!("../../guest/init"))?;
        files.program("second-host", include_str!("../../guest/second-host"))?;
        files.program("bin/local-ssh", include_str!("../../guest/local-ssh"))?;
        for (name, text) in ETC {
            files.text(&format!("etc/{name}"), text)?;
        }
        carry_shell_zrep(&files)?;
        Ok(Self { role, dir, files })
    }

    /// The directory of its machine, which goes with that.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Adds a program to its PATH.
    pub fn add_program(&self, from: &Path, name: &str) -> Result<()> {
        self.files.add(from, &format!("bin/{name}"))
    }

    /// Adds a script to its PATH.
    pub fn add_script(&self, name: &str, text: &str) -> Result<()> {
        self.files.program(&format!("bin/{name}"), text)
    }
}

/// How hosts find each other.
const ETC: [(&str, &str); 3] = [
    ("hosts", include_str!("../../guest/etc/hosts")),
    (
        "ssh/ssh_config.d/lab.conf",
        include_str!("../../guest/etc/ssh/ssh_config.d/lab.conf"),
    ),
    (
        "ssh/sshd_config.d/lab.conf",
        include_str!("../../guest/etc/ssh/sshd_config.d/lab.conf"),
    ),
];

/// `ZREP_SHELL` is the path of the original shell zrep, for comparisons. It is carried
/// in under its own name, by which it may call itself.
fn carry_shell_zrep(files: &Files) -> Result<()> {
    if let Some(path) = shell_zrep() {
        files.add(&path, "shell-zrep")?;
        files.make_executable("shell-zrep")?;
    }
    Ok(())
}

/// How long the way from power on to main may take.
fn boot_limit(accel: Accel) -> Duration {
    match accel {
        Accel::Kvm => Duration::from_secs(60),
        // A busy machine may need ten times what an idle one does.
        Accel::Tcg => Duration::from_secs(240),
    }
}

fn follow(machine: &mut Machine, wish: &Wish) -> Result<i32> {
    let status = loop {
        if let Event::Status(status) = machine.next(wish.timeout)? {
            break status;
        }
    };
    let wants_shell = match wish.shell {
        Shell::Never => false,
        Shell::Failure => status != 0,
        Shell::Always => true,
    };
    if wants_shell {
        machine.next(Duration::from_secs(30))?;
        say("a shell in the guest; leave it with Ctrl-D, and the guest is gone");
        terminal::relay(&machine.tty)?;
    }
    Ok(status)
}

/// Boots once with KVM and nothing to do.
fn boots_with_kvm(wish: &Wish, image: &Image) -> bool {
    let probe = Wish {
        hosts: 1,
        pools: false,
        ..wish.clone()
    };
    let spoke = || -> Result<()> {
        let (image, accel) = (image.clone(), Accel::Kvm);
        let ground = Ground {
            wish: probe,
            image,
            accel,
        };
        let host = Host::new(Role::Only)?;
        let disks = Role::Only.disks(host.dir())?;
        let mut machine = ground.start(host, disks, None, STAND_BY, Sinks::discard())?;
        machine.hello(Duration::from_secs(40))?;
        Ok(())
    };
    spoke().is_ok()
}

fn config(role: Role, wish: &Wish) -> Result<String> {
    let mut text = role.config(wish)?;
    if shell_zrep().is_some() {
        text.push_str("export ZREP_SHELL=/run/lab/shell-zrep\n");
    }
    Ok(text)
}

fn shell_zrep() -> Option<PathBuf> {
    std::env::var_os("ZREP_SHELL")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// Quotes a word for a shell.
pub fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_stay_one_word() {
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
    }
}
