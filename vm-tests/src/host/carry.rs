//! The drive with a run's files: what is carried into a guest.
//!
//! A drive and not a shared folder, because the distribution's cloud kernels have no 9p.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// Files being collected, in a directory of their own. In the guest they are in
/// /run/lab, read-only; what is under `bin` is in PATH, what is under `root` is copied
/// to /root, what is under `etc` to /etc.
#[derive(Debug)]
pub struct Files(PathBuf);

impl Files {
    pub fn new(dir: PathBuf) -> Result<Self> {
        for part in ["bin", "root", "tests"] {
            fs::create_dir_all(dir.join(part))?;
        }
        Ok(Self(dir))
    }

    /// Adds a file or a directory under a name of the guest's.
    pub fn add(&self, from: &Path, name: &str) -> Result<()> {
        let to = self.0.join(name);
        ensure!(
            fs::symlink_metadata(&to).is_err(),
            "two files would be {name} in the guest"
        );
        copy(from, &to).with_context(|| format!("{}", from.display()))
    }

    /// Adds a file that is run in the guest.
    pub fn program(&self, name: &str, text: &str) -> Result<()> {
        self.text(name, text)?;
        self.make_executable(name)
    }

    pub fn text(&self, name: &str, text: &str) -> Result<()> {
        let file = self.0.join(name);
        fs::create_dir_all(file.parent().unwrap_or(&self.0))?;
        Ok(fs::write(file, text)?)
    }

    pub fn make_executable(&self, name: &str) -> Result<()> {
        Ok(fs::set_permissions(
            self.0.join(name),
            fs::Permissions::from_mode(0o755),
        )?)
    }

    /// Makes the drive's image.
    pub fn into_image(self, image: &Path) -> Result<()> {
        let kib = usage_kib(&self.0)?;
        let output = Command::new("mke2fs")
            .args(["-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d"])
            .arg(&self.0)
            .arg(image)
            .arg(format!("{}K", image_kib(kib)))
            .env("PATH", PATH_WITH_SBIN)
            .output()
            .context("mke2fs")?;
        if !output.status.success() {
            bail!("mke2fs: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        fs::remove_dir_all(&self.0)?;
        Ok(())
    }
}

/// Users other than root often have no /usr/sbin in their PATH.
pub const PATH_WITH_SBIN: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Contents, an eighth for the file system's own, and room for its tables.
fn image_kib(contents: u64) -> u64 {
    contents + contents / 8 + 8 * 1024
}

/// Each file counts in whole blocks, and one for its inode.
fn usage_kib(dir: &Path) -> Result<u64> {
    let mut kib = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        kib += if meta.is_dir() {
            4 + usage_kib(&entry.path())?
        } else {
            meta.len().div_ceil(4096) * 4 + 1
        };
    }
    Ok(kib)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let meta = fs::metadata(from)?;
    if meta.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let target = to.join(entry.file_name());
            if entry.file_type()?.is_symlink() {
                symlink(fs::read_link(entry.path())?, target)?;
            } else {
                copy(&entry.path(), &target)?;
            }
        }
    } else {
        fs::copy(from, to)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::cleanup::RunDir;
    use super::*;

    #[test]
    fn two_files_of_one_name_are_refused() {
        let dir = RunDir::new().unwrap();
        let files = Files::new(dir.path().join("files")).unwrap();
        files.text("root/a", "1").unwrap();
        let error = files.add(Path::new("/etc/os-release"), "root/a").unwrap_err();
        assert_eq!(error.to_string(), "two files would be root/a in the guest");
    }

    #[test]
    fn a_directory_is_carried_with_all_that_is_in_it() {
        let dir = RunDir::new().unwrap();
        let tree = dir.path().join("tree/sub");
        fs::create_dir_all(&tree).unwrap();
        fs::write(tree.join("file"), "x").unwrap();
        symlink("file", tree.join("link")).unwrap();
        let files = Files::new(dir.path().join("files")).unwrap();
        files.add(&dir.path().join("tree"), "root/tree").unwrap();
        let to = dir.path().join("files/root/tree/sub");
        assert_eq!(fs::read_to_string(to.join("file")).unwrap(), "x");
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("file"));
    }

    #[test]
    fn the_image_is_larger_than_its_contents() {
        assert!(image_kib(0) >= 8 * 1024);
        assert!(image_kib(1 << 20) > (1 << 20) + (1 << 16));
    }
}
