//! The programs and libraries that the laboratory needs from the distribution.
//!
//! On Debian what is missing is installed, with an apt configuration of our own: the
//! ZFS headers are in contrib and QEMU may have to come from backports, and neither
//! is reason enough to change the machine's own list of sources.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::carry::PATH_WITH_SBIN;
use super::cleanup::RunDir;
use super::mirror::{self, Release};
use super::progress::{Phase, say};

/// A package, and a file or program that shows that it is there in some form.
#[derive(Debug)]
struct Package {
    name: &'static str,
    sign: Sign,
}

#[derive(Debug)]
enum Sign {
    Program(&'static str),
    PkgConfig(&'static str),
    /// Any of these folders has a file whose name begins so.
    File(&'static [&'static str], &'static str),
}

const NEEDED: [Package; 6] = [
    Package {
        name: "mmdebstrap",
        sign: Sign::Program("mmdebstrap"),
    },
    Package {
        name: "qemu-system-x86",
        sign: Sign::Program("qemu-system-x86_64"),
    },
    Package {
        name: "e2fsprogs",
        sign: Sign::Program("mke2fs"),
    },
    // The rest is for building zrep, whose bindings are made from the headers.
    Package {
        name: "pkg-config",
        sign: Sign::Program("pkg-config"),
    },
    Package {
        name: "libzfslinux-dev",
        sign: Sign::PkgConfig("libzfs_core"),
    },
    Package {
        name: "libclang-dev",
        sign: Sign::File(LIBRARY_DIRS, "libclang"),
    },
];

const LIBRARY_DIRS: &[&str] = &[
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/llvm/lib",
    "/usr/lib/llvm/lib64",
];

/// Sees to it that all that is needed is there.
pub fn ensure_installed() -> Result<()> {
    ensure!(
        cfg!(target_arch = "x86_64"),
        "the laboratory's guests are x86-64, so it needs such a machine"
    );
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let release = Release::of_this_machine();
    if !release.is_debian() || release.codename.is_empty() {
        bail!("missing on this machine: {names} (these are Debian's names for the packages); please install them");
    }
    let phase = Phase::start(format!("installing {names}"));
    install(&release.codename, &missing)?;
    phase.done();
    Ok(())
}

fn missing() -> Vec<&'static str> {
    NEEDED
        .iter()
        .filter(|package| !package.sign.is_there())
        .map(|package| package.name)
        .collect()
}

impl Sign {
    fn is_there(&self) -> bool {
        match self {
            Self::Program(name) => PATH_WITH_SBIN
                .split(':')
                .map(str::to_owned)
                .chain(std::env::var("PATH").unwrap_or_default().split(':').map(str::to_owned))
                .any(|dir| Path::new(&dir).join(name).is_file()),
            Self::PkgConfig(name) => Command::new("pkg-config")
                .arg("--exists")
                .arg(name)
                .status()
                .is_ok_and(|status| status.success()),
            Self::File(dirs, prefix) => {
                let llvm = subdirectories("/usr/lib", "llvm-")
                    .into_iter()
                    .map(|dir| format!("{dir}/lib"));
                dirs.iter()
                    .map(|dir| (*dir).to_owned())
                    .chain(llvm)
                    .any(|dir| has_shared_library(&dir, prefix))
            }
        }
    }
}

fn subdirectories(dir: &str, prefix: &str) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let paths = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    paths.map(|entry| entry.path().to_string_lossy().into_owned()).collect()
}

/// `libclang.so` or `libclang-14.so`, with or without a version behind it; not
/// `libclang-cpp.so`, which is another library.
fn has_shared_library(dir: &str, prefix: &str) -> bool {
    subdirectories(dir, prefix)
        .iter()
        .any(|path| is_shared_library(path.rsplit('/').next().unwrap_or(path), prefix))
}

fn is_shared_library(name: &str, prefix: &str) -> bool {
    let version = name.strip_prefix(prefix).and_then(|rest| rest.split_once(".so"));
    version.is_some_and(|(version, _)| {
        version
            .trim_start_matches('-')
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.')
    })
}

/// A command that runs as root.
pub fn as_root(program: &str) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new(program)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg(program);
        sudo
    };
    command
        .env("PATH", PATH_WITH_SBIN)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn install(codename: &str, packages: &[&str]) -> Result<()> {
    let dir = RunDir::new()?;
    // QEMU's packages depend on each other by exact version, so an older
    // qemu-system-x86 cannot go beside a qemu-utils from backports.
    let backports = installed_from_backports("qemu-utils") || installed_from_backports("qemu-system-common");
    let options = private_configuration(dir.path(), codename, backports)?;
    apt(&options, &["update"])?;
    let (qemu, others): (Vec<&str>, Vec<&str>) = packages.iter().partition(|name| name.starts_with("qemu"));
    let from_backports = ["-t".to_owned(), format!("{codename}-backports")];
    for (packages, release) in [
        (others, &[][..]),
        (qemu, if backports { &from_backports[..] } else { &[] }),
    ] {
        if !packages.is_empty() {
            let release = release.iter().map(String::as_str);
            let arguments = ["install", "-y", "--no-install-recommends"].into_iter();
            apt(&options, &arguments.chain(release).chain(packages).collect::<Vec<_>>())?;
        }
    }
    Ok(())
}

fn installed_from_backports(package: &str) -> bool {
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status} ${Version}", package])
        .output();
    output.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.starts_with("installed ") && text.contains("~bpo")
    })
}

/// Options that make apt use a list of sources and package lists of our own in DIR.
fn private_configuration(dir: &Path, codename: &str, backports: bool) -> Result<Vec<String>> {
    let mirror = mirror::mirror()?;
    let sources = dir.join("sources.list");
    let lists = dir.join("lists");
    fs::create_dir_all(lists.join("partial"))?;
    fs::write(&sources, sources_list(&mirror, codename, backports, keyring()))?;
    let option = |name: &str, value: &Path| ["-o".to_owned(), format!("{name}={}", value.display())];
    Ok([
        option("Dir::Etc::SourceList", &sources),
        option("Dir::Etc::SourceParts", &dir.join("none")),
        option("Dir::State::Lists", &lists),
        option("Dir::Cache::pkgcache", &dir.join("pkgcache.bin")),
        option("Dir::Cache::srcpkgcache", &dir.join("srcpkgcache.bin")),
        // The directory is the user's own, maybe not open to apt's.
        ["-o".to_owned(), "APT::Sandbox::User=root".to_owned()],
    ]
    .concat())
}

fn keyring() -> Option<&'static str> {
    let path = "/usr/share/keyrings/debian-archive-keyring.gpg";
    Path::new(path).exists().then_some(path)
}

fn sources_list(mirror: &str, codename: &str, backports: bool, keyring: Option<&str>) -> String {
    let signed = keyring.map(|path| format!("[signed-by={path}] ")).unwrap_or_default();
    let line = |suite: &str| format!("deb {signed}{mirror} {suite} main contrib\n");
    let mut text = line(codename);
    if backports {
        text.push_str(&line(&format!("{codename}-backports")));
    }
    text
}

fn apt(options: &[String], arguments: &[&str]) -> Result<()> {
    let output = as_root("apt-get")
        .arg("-q")
        .args(options)
        .args(arguments)
        .output()
        .context("apt-get")?;
    if !output.status.success() {
        say(String::from_utf8_lossy(&output.stdout));
        bail!(
            "apt-get {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_are_in_contrib() {
        assert_eq!(
            sources_list("M", "bookworm", false, None),
            "deb M bookworm main contrib\n"
        );
    }

    #[test]
    fn backports_are_asked_only_if_qemu_is_from_there() {
        let text = sources_list("M", "bookworm", true, Some("/k.gpg"));
        assert_eq!(
            text.lines().nth(1),
            Some("deb [signed-by=/k.gpg] M bookworm-backports main contrib")
        );
    }

    #[test]
    fn the_c_library_of_clang_is_told_from_the_cpp_one() {
        for name in [
            "libclang.so",
            "libclang.so.1",
            "libclang-14.so.14.0.6",
            "libclang-19.so",
        ] {
            assert!(is_shared_library(name, "libclang"), "{name}");
        }
        for name in ["libclang-cpp.so.14", "libclang.a", "libclangAST.so"] {
            assert!(!is_shared_library(name, "libclang"), "{name}");
        }
    }
}
