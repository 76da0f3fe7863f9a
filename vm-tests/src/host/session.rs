//! One run from boot to power off, with what every command wants of it: a guest, or
//! two that are joined by a cable.

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
use super::qemu::{Accel, Drive, DriveUse, Spec};
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
    /// Pools `src` and `dst` are made on the two disks.
    pub pools: bool,
    /// Of all guests together.
    pub memory_mib: u32,
    /// How long main may take.
    pub timeout: Duration,
    pub shell: Shell,
}

impl Wish {
    pub fn new(guest: &'static Guest) -> Self {
        Self {
            guest,
            hosts: 1,
            pools: true,
            memory_mib: 4096,
            timeout: Duration::from_secs(3600),
            shell: Shell::Never,
        }
    }
}

/// A run being prepared: files are added, then it is run.
#[derive(Debug)]
pub struct Session {
    wish: Wish,
    image: Image,
    accel: Accel,
    hosts: Vec<Host>,
}

/// A guest to be started.
#[derive(Debug)]
struct Host {
    role: Role,
    dir: RunDir,
    files: Files,
}

const CPUS: u32 = 2;

/// What beta does until alpha has ended.
const STAND_BY: &str = "#!/bin/sh\nexec sleep infinity\n";

impl Session {
    /// Sees to image and accelerator.
    pub fn prepare(wish: Wish) -> Result<Self> {
        let cache = Cache::open()?;
        let image = Image::ensure(wish.guest, &cache)?;
        let accel = accel::choose(&cache, || boots_with_kvm(&wish, &image))?;
        Self::with(wish, image, accel)
    }

    fn with(wish: Wish, image: Image, accel: Accel) -> Result<Self> {
        let hosts: Result<_> = Role::among(wish.hosts).iter().copied().map(Host::new).collect();
        Ok(Self {
            wish,
            image,
            accel,
            hosts: hosts?,
        })
    }

    /// The files of the guest that runs main.
    pub fn files(&self) -> &Files {
        &self.hosts[0].files
    }

    /// Adds a program to the PATH of all guests.
    pub fn add_program(&self, from: &Path, name: &str) -> Result<()> {
        let mut hosts = self.hosts.iter();
        hosts.try_for_each(|host| host.files.add(from, &format!("bin/{name}")))
    }

    /// Boots the guests, runs MAIN (a shell script's text) in the first one as root, and
    /// returns its exit status. The user's shell, if one was wished for, comes after it.
    pub fn run(mut self, main: &str, sinks: Sinks) -> Result<i32> {
        let first = self.hosts.remove(0);
        let others = std::mem::take(&mut self.hosts);
        let first_dir = first.dir.path().to_owned();
        let mut machine = self.start(first, &first_dir, main, sinks)?;
        let mut others = others
            .into_iter()
            .map(|host| self.start_beside(host, &first_dir))
            .collect::<Result<Vec<_>>>()?;
        let limit = boot_limit(self.accel);
        for other in &mut others {
            boot(other, limit).context("host beta")?;
        }
        boot(&mut machine, limit)?;
        let result = follow(&mut machine, &self.wish);
        if result.is_ok() {
            machine.end();
        }
        result
    }

    fn start(&self, host: Host, first: &Path, main: &str, sinks: Sinks) -> Result<Machine> {
        let Host { role, dir, files } = host;
        files.program("main", main)?;
        let spec = self.spec(role, dir.path(), first, files)?;
        Machine::start(&spec, dir, sinks)
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

    /// The order of the drives is the order of their names in the guest: vda, vdb, …
    fn spec(&self, role: Role, dir: &Path, first: &Path, files: Files) -> Result<Spec> {
        files.text("config", &config(role, &self.wish)?)?;
        let image_of_files = dir.join("files.img");
        files.into_image(&image_of_files)?;
        let drive = |serial: &str, file: &Path, how| Drive {
            serial: format!("lab-{serial}"),
            file: file.to_owned(),
            how,
        };
        let mut drives = vec![drive("root", &self.image.root, DriveUse::Snapshot)];
        drives.extend(role.disks(dir)?);
        drives.push(drive("files", &image_of_files, DriveUse::ReadOnly));
        Ok(Spec {
            accel: self.accel,
            cpus: CPUS,
            memory_mib: self.wish.memory_mib / self.wish.hosts,
            kernel: self.image.kernel.clone(),
            initrd: self.image.initrd.clone(),
            drives,
            link: role.link(first),
        })
    }
}

impl Host {
    fn new(role: Role) -> Result<Self> {
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

fn boot(machine: &mut Machine, limit: Duration) -> Result<()> {
    machine.hello(limit)?;
    match machine.next(limit) {
        Ok(_) => Ok(()),
        Err(Failure::TimedOut { console, .. }) => Err(Failure::NeverBooted { console }.into()),
        Err(failure) => Err(failure.into()),
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
        let mut session = Session::with(probe, image.clone(), Accel::Kvm)?;
        let host = session.hosts.remove(0);
        let dir = host.dir.path().to_owned();
        let mut machine = session.start(host, &dir, STAND_BY, Sinks::discard())?;
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
