//! One guest from boot to power off, with what every command wants of it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use super::accel;
use super::cache::Cache;
use super::carry::Files;
use super::cleanup::RunDir;
use super::guests::Guest;
use super::image::Image;
use super::machine::{Event, Failure, Machine, Sinks};
use super::progress::say;
use super::qemu::{Accel, Drive, DriveUse, Spec};
use super::terminal;

/// When the user gets a shell in the guest after main has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Never,
    Failure,
    Always,
}

/// What a guest is to be like.
#[derive(Clone, Debug)]
pub struct Wish {
    pub guest: &'static Guest,
    /// Pools `src` and `dst` are made on the two disks.
    pub pools: bool,
    pub memory_mib: u32,
    /// How long main may take.
    pub timeout: Duration,
    pub shell: Shell,
}

impl Wish {
    pub fn new(guest: &'static Guest) -> Self {
        Self {
            guest,
            pools: true,
            memory_mib: 4096,
            timeout: Duration::from_secs(3600),
            shell: Shell::Never,
        }
    }
}

/// A guest being prepared: files are added, then it is run.
#[derive(Debug)]
pub struct Session {
    wish: Wish,
    image: Image,
    accel: Accel,
    dir: RunDir,
    pub files: Files,
}

const CPUS: u32 = 2;
const DISK_BYTES: u64 = 8 << 30;

impl Session {
    /// Sees to image and accelerator.
    pub fn prepare(wish: Wish) -> Result<Self> {
        let cache = Cache::open()?;
        let image = Image::ensure(wish.guest, &cache)?;
        let accel = accel::choose(&cache, || boots_with_kvm(&wish, &image))?;
        Self::with(wish, image, accel)
    }

    fn with(wish: Wish, image: Image, accel: Accel) -> Result<Self> {
        let dir = RunDir::new()?;
        let files = Files::new(dir.path().join("files"))?;
        files.program("init", include_str!("../../guest/init"))?;
        let session = Self {
            wish,
            image,
            accel,
            dir,
            files,
        };
        session.carry_shell_zrep()?;
        Ok(session)
    }

    /// `ZREP_SHELL` is the path of the original shell zrep, for comparisons. It is
    /// carried in under its own name, by which it may call itself.
    fn carry_shell_zrep(&self) -> Result<()> {
        if let Some(path) = shell_zrep() {
            self.files.add(&path, "shell-zrep")?;
            self.files.make_executable("shell-zrep")?;
        }
        Ok(())
    }

    /// Boots the guest, runs MAIN (a shell script's text) in it as root, and returns
    /// its exit status. The user's shell, if one was wished for, comes after it.
    pub fn run(self, main: &str, sinks: Sinks) -> Result<i32> {
        let Self {
            wish,
            image,
            accel,
            dir,
            files,
        } = self;
        files.program("main", main)?;
        files.text("config", &config(&wish)?)?;
        let spec = spec(&wish, image, accel, dir.path(), files)?;
        let mut machine = Machine::start(&spec, dir, sinks)?;
        boot(&mut machine, boot_limit(accel))?;
        let result = follow(&mut machine, &wish);
        if result.is_ok() {
            machine.end();
        }
        result
    }
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
        pools: false,
        ..wish.clone()
    };
    let spoke = || -> Result<()> {
        let Session {
            wish,
            image,
            accel,
            dir,
            files,
        } = Session::with(probe, image.clone(), Accel::Kvm)?;
        files.text("config", &config(&wish)?)?;
        let spec = spec(&wish, image, accel, dir.path(), files)?;
        Machine::start(&spec, dir, Sinks::discard())?.hello(Duration::from_secs(40))?;
        Ok(())
    };
    spoke().is_ok()
}

/// The order of the drives is the order of their names in the guest: vda, vdb, vdc, vdd.
fn spec(wish: &Wish, image: Image, accel: Accel, dir: &Path, files: Files) -> Result<Spec> {
    let drive = |serial: &str, file: PathBuf, how| Drive {
        serial: format!("lab-{serial}"),
        file,
        how,
    };
    let mut drives = vec![drive("root", image.root, DriveUse::Snapshot)];
    for name in ["src", "dst"] {
        let file = dir.join(format!("{name}.img"));
        std::fs::File::create(&file)?
            .set_len(DISK_BYTES)
            .context("a disk for the guest")?;
        drives.push(drive(name, file, DriveUse::Writable));
    }
    let image_of_files = dir.join("files.img");
    files.into_image(&image_of_files)?;
    drives.push(drive("files", image_of_files, DriveUse::ReadOnly));
    Ok(Spec {
        accel,
        cpus: CPUS,
        memory_mib: wish.memory_mib,
        kernel: image.kernel,
        initrd: image.initrd,
        drives,
    })
}

/// The guest's settings, as shell assignments; read by `guest/init`.
fn config(wish: &Wish) -> Result<String> {
    let shell = match wish.shell {
        Shell::Never => "never",
        Shell::Failure => "failure",
        Shell::Always => "always",
    };
    let (rows, columns) = terminal::size();
    let term = std::env::var("TERM").unwrap_or_else(|_| "linux".to_owned());
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut text = format!(
        "LAB_HOSTNAME={}\nLAB_NOW={now}\nLAB_POOLS={}\nLAB_SHELL={shell}\n\
         LAB_ROWS={rows}\nLAB_COLS={columns}\nLAB_TERM={}\n",
        wish.guest.name,
        u8::from(wish.pools),
        quote(&term),
    );
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

    #[test]
    fn the_config_says_what_was_wished() {
        let guest = Guest::by_name("debian13").unwrap();
        let wish = Wish {
            pools: false,
            shell: Shell::Failure,
            ..Wish::new(guest)
        };
        let text = config(&wish).unwrap();
        assert!(text.contains("LAB_POOLS=0\n"));
        assert!(text.contains("LAB_SHELL=failure\n"));
    }
}
