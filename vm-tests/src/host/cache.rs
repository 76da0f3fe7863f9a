//! The cache: finished images outside of the checkout, and how damage is noticed.
//!
//! ```text
//! $ZREP_LAB_CACHE, or $XDG_CACHE_HOME/zrep-lab, or ~/.cache/zrep-lab
//!   <guest>-<key>/      kernel initrd root.img, and the manifest that says they are whole
//!   debs/               downloaded packages, for the next image
//!   accel               whether KVM works, and in which boot of the host that was tried
//!   lock                held by who builds an image
//! ```

use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::fs::{FlockOperation, flock};

use super::progress;

/// The cache's directory.
#[derive(Clone, Debug)]
pub struct Cache(PathBuf);

impl Cache {
    pub fn open() -> Result<Self> {
        let var = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let dir = var("ZREP_LAB_CACHE")
            .or_else(|| Some(var("XDG_CACHE_HOME")?.join("zrep-lab")))
            .or_else(|| Some(var("HOME")?.join(".cache/zrep-lab")))
            .context("no place for the cache: set ZREP_LAB_CACHE to a directory")?;
        fs::create_dir_all(&dir).with_context(|| format!("cache {}", dir.display()))?;
        Ok(Self(dir.canonicalize()?))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Takes the lock that one builder at a time holds, until the file is dropped.
    pub fn lock(&self) -> Result<File> {
        let file = File::create(self.path("lock"))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            progress::say("another lab is building an image; waiting for it");
            flock(&file, FlockOperation::LockExclusive)?;
        }
        Ok(file)
    }

    /// Removes older images of a guest.
    pub fn prune(&self, guest: &str, keep: &Path) {
        let Ok(entries) = fs::read_dir(&self.0) else { return };
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| path != keep) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.strip_prefix(guest).is_some_and(is_key) {
                let _ = fs::remove_dir_all(path);
            }
        }
    }
}

/// A short name for what goes into an image: FNV-1a, which is the same on every
/// machine and in every release of Rust.
pub fn key(parts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        // The terminator keeps ["ab", "c"] and ["a", "bc"] apart.
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

fn is_key(rest: &str) -> bool {
    rest.strip_prefix('-')
        .is_some_and(|key| key.len() == 16 && key.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// What a finished directory holds. Sizes and times are looked at each time, contents
/// only when a time has changed.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    size: u64,
    /// Modification time in nanoseconds.
    mtime: i128,
    sha256: String,
}

const MANIFEST: &str = "manifest";
const COMPLETE: &str = "complete";

/// Writes the manifest of a finished directory; with it the directory counts as whole.
pub fn seal(dir: &Path, names: &[&str]) -> Result<()> {
    let entries: Result<Vec<_>> = names.iter().map(|name| measure(dir, name)).collect();
    write_manifest(dir, &entries?)
}

/// Whether a directory is whole. `Err` says what is wrong with it.
pub fn verify(dir: &Path, names: &[&str]) -> Result<()> {
    let text = fs::read_to_string(dir.join(MANIFEST)).context("it has no manifest")?;
    let entries = parse_manifest(&text).context("its manifest is not complete")?;
    ensure!(
        entries.iter().map(|e| e.name.as_str()).eq(names.iter().copied()),
        "its manifest lists other files"
    );
    let mut touched = false;
    for entry in &entries {
        let (size, mtime) = size_and_time(&dir.join(&entry.name))?;
        ensure!(
            size == entry.size,
            "{} has {size} bytes instead of {}",
            entry.name,
            entry.size
        );
        if mtime != entry.mtime {
            ensure!(
                sha256(&dir.join(&entry.name))? == entry.sha256,
                "{} has changed",
                entry.name
            );
            touched = true;
        }
    }
    if touched {
        seal(dir, names)?;
    }
    Ok(())
}

fn measure(dir: &Path, name: &str) -> Result<Entry> {
    let path = dir.join(name);
    let (size, mtime) = size_and_time(&path)?;
    Ok(Entry {
        name: name.to_owned(),
        size,
        mtime,
        sha256: sha256(&path)?,
    })
}

fn size_and_time(path: &Path) -> Result<(u64, i128)> {
    let meta = fs::metadata(path).with_context(|| format!("{} is missing", path.display()))?;
    Ok((
        meta.len(),
        i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
    ))
}

fn sha256(path: &Path) -> Result<String> {
    let output = Command::new("sha256sum")
        .arg("-b")
        .arg("--")
        .arg(path)
        .output()
        .context("sha256sum")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let sum = text.trim_start_matches('\\').split(' ').next().unwrap_or_default();
    ensure!(
        output.status.success() && sum.len() == 64,
        "sha256sum {}: {text}",
        path.display()
    );
    Ok(sum.to_owned())
}

/// Writes to the side and renames, so that there is never half a manifest.
fn write_manifest(dir: &Path, entries: &[Entry]) -> Result<()> {
    let mut text = String::new();
    for Entry {
        name,
        size,
        mtime,
        sha256,
    } in entries
    {
        writeln!(text, "{sha256} {size} {mtime} {name}")?;
    }
    writeln!(text, "{COMPLETE}")?;
    let temporary = dir.join("manifest.new");
    fs::write(&temporary, text)?;
    fs::rename(temporary, dir.join(MANIFEST))?;
    Ok(())
}

fn parse_manifest(text: &str) -> Option<Vec<Entry>> {
    let body = text.strip_suffix('\n')?.strip_suffix(COMPLETE)?;
    body.lines().map(parse_entry).collect()
}

fn parse_entry(line: &str) -> Option<Entry> {
    let mut words = line.splitn(4, ' ');
    let sha256 = words.next()?.to_owned();
    let size = words.next()?.parse().ok()?;
    let mtime = words.next()?.parse().ok()?;
    Some(Entry {
        name: words.next()?.to_owned(),
        size,
        mtime,
        sha256,
    })
}

#[cfg(test)]
mod tests {
    use super::super::cleanup::RunDir;
    use super::*;

    const NAMES: [&str; 2] = ["kernel", "root.img"];

    fn sealed() -> RunDir {
        let dir = RunDir::new().unwrap();
        for name in NAMES {
            fs::write(dir.path().join(name), format!("contents of {name}")).unwrap();
        }
        seal(dir.path(), &NAMES).unwrap();
        dir
    }

    #[test]
    fn a_sealed_directory_is_whole() {
        let dir = sealed();
        verify(dir.path(), &NAMES).unwrap();
    }

    #[test]
    fn a_directory_without_its_last_line_is_not_whole() {
        let dir = sealed();
        let manifest = dir.path().join(MANIFEST);
        let text = fs::read_to_string(&manifest).unwrap();
        fs::write(&manifest, text.replace("complete\n", "")).unwrap();
        assert!(verify(dir.path(), &NAMES).is_err());
    }

    #[test]
    fn a_truncated_missing_or_overwritten_file_is_noticed() {
        let truncated = sealed();
        fs::write(truncated.path().join("root.img"), "con").unwrap();
        assert!(
            verify(truncated.path(), &NAMES)
                .unwrap_err()
                .to_string()
                .contains("3 bytes instead of")
        );

        let missing = sealed();
        fs::remove_file(missing.path().join("kernel")).unwrap();
        assert!(verify(missing.path(), &NAMES).is_err());

        let overwritten = sealed();
        fs::write(overwritten.path().join("root.img"), "contents of Root.img").unwrap();
        assert_eq!(
            verify(overwritten.path(), &NAMES).unwrap_err().to_string(),
            "root.img has changed"
        );
    }

    #[test]
    fn a_file_with_a_new_time_and_the_same_contents_is_accepted() {
        let dir = sealed();
        fs::write(dir.path().join("root.img"), "contents of root.img").unwrap();
        verify(dir.path(), &NAMES).unwrap();
    }

    #[test]
    fn keys_depend_on_every_part_and_its_borders() {
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert!(is_key(&format!("-{}", key(&[]))));
        assert!(!is_key("-backports-0123456789abcdef"));
    }
}
