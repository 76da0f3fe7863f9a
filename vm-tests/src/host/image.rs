//! A guest's image: kernel, initrd and root file system, built once into the cache.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::cache::{self, Cache};
use super::cleanup::{KillOnExit, RemoveOnExit};
use super::guests::Guest;
use super::mirror;
use super::packages::as_root;
use super::progress::{Phase, elapsed, say};

/// What boots.
#[derive(Clone, Debug)]
pub struct Image {
    pub kernel: PathBuf,
    pub initrd: PathBuf,
    pub root: PathBuf,
}

const FILES: [&str; 3] = ["kernel", "initrd", "root.img"];

/// To be raised when the building below changes in a way that the key does not see.
const RECIPE: &str = "2";

const INITRD_INIT: &str = include_str!("../../guest/initrd-init");
const FINISH_IMAGE: &str = include_str!("../../guest/finish-image");

/// What is in every guest, beside the essential packages.
const PACKAGES: [&str; 20] = [
    "linux-image-cloud-amd64",
    "linux-headers-cloud-amd64",
    "zfs-dkms",
    "zfsutils-linux",
    "udev",
    "kmod",
    "cpio",
    "xz-utils",
    "zstd",
    "busybox-static",
    "iproute2",
    "openssh-server",
    "openssh-client",
    "procps",
    "psmisc",
    "strace",
    "attr",
    "acl",
    "less",
    "python3-minimal",
];

/// Left out of every package.
const EXCLUDE: [&str; 4] = [
    "/usr/share/man/*",
    "/usr/share/doc/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
];

impl Image {
    /// Finds the guest's image in the cache, or builds it.
    pub fn ensure(guest: &Guest, cache: &Cache) -> Result<Self> {
        let dir = cache.path(&format!("{}-{}", guest.name, key(guest)));
        if cache::verify(&dir, &FILES).is_ok() {
            return Ok(Self::in_dir(&dir));
        }
        let _lock = cache.lock()?;
        // Another lab may have built it while this one waited for the lock.
        match cache::verify(&dir, &FILES) {
            Ok(()) => return Ok(Self::in_dir(&dir)),
            Err(problem) if dir.exists() => {
                say(format!(
                    "the image of {} in the cache is damaged ({problem:#}); building it again",
                    guest.name
                ));
                fs::remove_dir_all(&dir)?;
            }
            Err(_) => {}
        }
        build(guest, cache, &dir)?;
        cache.prune(guest.name, &dir);
        Ok(Self::in_dir(&dir))
    }

    fn in_dir(dir: &Path) -> Self {
        let [kernel, initrd, root] = FILES.map(|name| dir.join(name));
        Self { kernel, initrd, root }
    }
}

/// Everything but the mirror, which changes nothing.
fn key(guest: &Guest) -> String {
    let sources = guest.sources("").concat();
    let preferences = guest.preferences().unwrap_or_default();
    let packages = PACKAGES.join(" ");
    cache::key(&[
        RECIPE,
        &sources,
        &preferences,
        &packages,
        &EXCLUDE.concat(),
        INITRD_INIT,
        FINISH_IMAGE,
    ])
}

/// Builds to the side, and renames when all is there.
fn build(guest: &Guest, cache: &Cache, dir: &Path) -> Result<()> {
    let started = Instant::now();
    say(format!("building the image of {guest}; this takes some minutes, once"));
    let work = WorkDir::new(cache.path(&format!("building-{}", guest.name)))?;
    let debs = cache.path("debs").join(guest.suite);
    fs::create_dir_all(&debs)?;

    let log = cache.path(&format!("{}.log", guest.name));
    let phase = Phase::start(format!("{}: packages, and compiling ZFS", guest.name));
    let bootstrap = Bootstrap {
        guest,
        mirror: &mirror::mirror()?,
        work: &work.path,
        debs: &debs,
    };
    run_logged(bootstrap.command()?, &log, &phase).with_context(|| format!("the whole log is in {}", log.display()))?;
    phase.done();

    let phase = Phase::start(format!("{}: file system", guest.name));
    let finished = work.path.join("finished");
    fs::create_dir(&finished)?;
    file_system(&work.path.join("root"), &finished)?;
    cache::seal(&finished, &FILES)?;
    fs::rename(&finished, dir)?;
    phase.done();
    say(format!(
        "the image of {} is built, in {}",
        guest.name,
        elapsed(started.elapsed())
    ));
    Ok(())
}

/// How the root is made by mmdebstrap.
#[derive(Debug)]
struct Bootstrap<'a> {
    guest: &'a Guest,
    mirror: &'a str,
    work: &'a Path,
    debs: &'a Path,
}

impl Bootstrap<'_> {
    /// In namespaces of its own, so that no mount and no process of it can be left
    /// on the host, whenever it is interrupted.
    fn command(&self) -> Result<Command> {
        fs::write(self.work.join("initrd-init"), INITRD_INIT)?;
        fs::write(self.work.join("finish-image"), FINISH_IMAGE)?;
        fs::write(
            self.work.join("preferences"),
            self.guest.preferences().unwrap_or_default(),
        )?;
        let mut command = as_root("unshare");
        command.args(NAMESPACES).arg("mmdebstrap").args(self.args());
        Ok(command)
    }

    fn args(&self) -> Vec<String> {
        let (work, debs) = (self.work.display(), self.debs.display());
        let mut args = vec![
            "--verbose".to_owned(),
            "--mode=root".to_owned(),
            "--variant=minbase".to_owned(),
            format!("--include={}", PACKAGES.join(",")),
            // Keeps the downloads until they are copied out.
            "--skip=essential/unlink".to_owned(),
            // A home directory is often closed to apt's own user.
            "--aptopt=APT::Sandbox::User \"root\"".to_owned(),
        ];
        args.extend(EXCLUDE.iter().map(|path| format!("--dpkgopt=path-exclude={path}")));
        let setup = [
            "mkdir -p \"$1/etc/apt/preferences.d\" \"$1/var/cache/apt/archives\"".to_owned(),
            format!("upload '{work}/preferences' /etc/apt/preferences.d/lab"),
            format!("sync-in '{debs}' /var/cache/apt/archives/"),
        ];
        let customize = [
            "chroot \"$1\" apt-get -qq autoclean".to_owned(),
            format!("sync-out /var/cache/apt/archives '{debs}'"),
            format!("upload '{work}/initrd-init' /run/initrd-init"),
            format!("upload '{work}/finish-image' /run/finish-image"),
            "chroot \"$1\" sh /run/finish-image".to_owned(),
        ];
        args.extend(setup.map(|hook| format!("--setup-hook={hook}")));
        args.extend(customize.map(|hook| format!("--customize-hook={hook}")));
        args.extend([self.guest.suite.to_owned(), format!("{work}/root")]);
        args.extend(self.guest.sources(self.mirror));
        args
    }
}

const NAMESPACES: [&str; 4] = ["--mount", "--pid", "--fork", "--kill-child"];

/// Makes the three files of an image out of a root directory.
fn file_system(root: &Path, to: &Path) -> Result<()> {
    let root = root.display();
    let to = to.display();
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let script = format!(
        "set -e
         cp '{root}'/boot/vmlinuz-* '{to}/kernel'
         cp '{root}/boot/lab-initrd' '{to}/initrd'
         mke2fs -q -t ext4 -d '{root}' '{to}/root.img' 2G
         chown {uid}:{gid} '{to}'/*
         chmod 644 '{to}'/*"
    );
    let output = as_root("sh").args(["-c", &script]).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Runs a command with all its output in LOG and the gist of it as PHASE's notes.
fn run_logged(mut command: Command, log: &Path, phase: &Phase) -> Result<()> {
    let (reader, writer) = io::pipe()?;
    command
        .stdin(std::process::Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command
        .spawn()
        .with_context(|| format!("{:?}", command.get_program()))?;
    // The command holds the writing ends of the pipe, and would keep it open.
    drop(command);
    let kill = KillOnExit::new(&child);
    let mut file = File::create(log)?;
    let mut last = Vec::new();
    for line in BufReader::new(reader).split(b'\n').map_while(io::Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        writeln!(file, "{line}")?;
        if let Some(note) = gist(&line) {
            phase.note(note);
        }
        last.push(line);
        if last.len() > 40 {
            last.remove(0);
        }
    }
    drop(kill);
    finish(&mut child, &last)
}

fn finish(child: &mut Child, last: &[String]) -> Result<()> {
    let status = child.wait()?;
    if !status.success() {
        bail!(
            "building the root failed ({status}); its last lines:\n{}",
            last.join("\n")
        );
    }
    Ok(())
}

/// What a person wants to know of a line of mmdebstrap's output.
fn gist(line: &str) -> Option<String> {
    let words: Vec<_> = line.split_whitespace().collect();
    match words.as_slice() {
        ["Get:1", ..] => Some("downloading packages".to_owned()),
        ["Unpacking", package, ..] => Some(format!("unpacking {package}")),
        ["Setting", "up", "zfs-dkms", ..] => Some("compiling ZFS, the longest part".to_owned()),
        ["Setting", "up", package, ..] => Some(format!("setting up {package}")),
        _ => None,
    }
}

/// The directory in which an image is built. A builder that was killed may leave it
/// behind; the next one removes it.
#[derive(Debug)]
struct WorkDir {
    path: PathBuf,
    _remove: RemoveOnExit,
}

impl WorkDir {
    fn new(path: PathBuf) -> Result<Self> {
        remove_tree(&path)?;
        fs::create_dir_all(&path)?;
        Ok(Self {
            _remove: RemoveOnExit::new(&path),
            path,
        })
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        let _ = remove_tree(&self.path);
    }
}

fn remove_tree(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let status = as_root("rm")
        .args(["-rf", "--one-file-system", "--"])
        .arg(path)
        .status()?;
    if !status.success() {
        bail!("{} cannot be removed", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::guests::GUESTS;
    use super::*;

    #[test]
    fn guests_have_different_keys() {
        let mut keys: Vec<_> = GUESTS.iter().map(key).collect();
        keys.dedup();
        assert_eq!(keys.len(), GUESTS.len());
    }

    #[test]
    fn mmdebstrap_is_told_suite_target_and_sources_last() {
        let guest = Guest::by_name("debian13").unwrap();
        let bootstrap = Bootstrap {
            guest,
            mirror: "M",
            work: Path::new("/w"),
            debs: Path::new("/d"),
        };
        let args = bootstrap.args();
        assert_eq!(
            args[args.len() - 3..],
            ["trixie", "/w/root", "deb M trixie main contrib"]
        );
        assert!(args.iter().any(|arg| arg.contains("zfs-dkms,zfsutils-linux")));
    }

    #[test]
    fn notes_name_no_mirror() {
        assert_eq!(
            gist("Get:1 http://mirror.example/debian trixie InRelease"),
            Some("downloading packages".into())
        );
        assert_eq!(
            gist("Setting up zfs-dkms (2.3.2-2) ..."),
            Some("compiling ZFS, the longest part".into())
        );
        assert_eq!(gist("I: whatever"), None);
    }
}
