//! A directory with files of every kind there is, made and changed at random.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType, Mode, XattrFlags, lremovexattr, lsetxattr, makedev, mknodat};

use super::chance::Chance;

/// The largest file.
const BIG: usize = 64 << 20;

/// An ACL as the kernel's interface has it: owner, user 1000, group, mask, others.
const ACL: [u8; 44] = acl();

#[derive(Debug)]
pub struct Forest {
    root: PathBuf,
    chance: Chance,
    directories: Vec<PathBuf>,
    /// Regular files.
    files: Vec<PathBuf>,
    /// Links, pipes, devices.
    others: Vec<PathBuf>,
    made: u64,
}

impl Forest {
    /// Fills ROOT with COUNT files, and a big one.
    pub fn plant(root: &Path, count: usize, chance: Chance) -> Result<Self> {
        let mut forest = Self {
            root: root.to_owned(),
            chance,
            directories: vec![root.to_owned()],
            files: Vec::new(),
            others: Vec::new(),
            made: 0,
        };
        let big = forest.root.join("big");
        fs::write(&big, forest.chance.bytes(BIG))?;
        forest.files.push(big);
        for _ in 0..count {
            forest.grow()?;
        }
        Ok(forest)
    }

    /// Changes this many things.
    pub fn change(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            match self.chance.below(10) {
                0 | 1 => self.grow()?,
                2 => self.delete()?,
                3 => self.rename()?,
                4 => self.rename_directory()?,
                5 => self.on_a_file(Self::truncate)?,
                6 => self.on_a_file(Self::append)?,
                7 => self.on_a_file(Self::overwrite)?,
                8 => self.on_a_file(Self::protect)?,
                _ => self.on_a_file(Self::attribute)?,
            }
        }
        Ok(())
    }

    // --- growing ---------------------------------------------------------------------

    fn grow(&mut self) -> Result<()> {
        let path = self.new_path();
        self.grow_at(&path).with_context(|| format!("{path:?}"))
    }

    fn grow_at(&mut self, path: &Path) -> Result<()> {
        match self.chance.below(20) {
            0 => self.directory(path),
            1 => self.hard_link(path),
            2 => self.symlink(path),
            3 => self.special(path),
            4 if self.chance.below(4) == 0 => self.sparse(path),
            5 => self.file(path, 0),
            6 => self.of_size(path, 128 << 10),
            _ => self.of_size(path, 4096),
        }
    }

    fn of_size(&mut self, path: &Path, at_most: usize) -> Result<()> {
        let size = self.chance.index(at_most) + 1;
        self.file(path, size)
    }

    fn file(&mut self, path: &Path, size: usize) -> Result<()> {
        fs::write(path, self.chance.bytes(size))?;
        self.adorn(path)?;
        self.files.push(path.to_owned());
        Ok(())
    }

    /// Some files get an owner, a mode, attributes, an ACL, an age.
    fn adorn(&mut self, path: &Path) -> Result<()> {
        match self.chance.below(8) {
            0 => {
                let [user, group] = [self.id(), self.id()];
                chown(path, Some(user), Some(group))?;
                self.protect(path)
            }
            1 => self.attribute(path),
            2 => Ok(lsetxattr(path, "system.posix_acl_access", &ACL, XattrFlags::empty())?),
            3 => self.age(path),
            _ => Ok(()),
        }
    }

    fn id(&mut self) -> u32 {
        *self.chance.pick(&[0, 1, 1000, 65_534, 100_000, 2_000_000_000])
    }

    /// Times before 1970 and after 2038 among them.
    fn age(&mut self, path: &Path) -> Result<()> {
        let away = Duration::new(self.chance.below(6_000_000_000), 123_456_789);
        let epoch = SystemTime::UNIX_EPOCH;
        let time = if self.chance.below(4) == 0 {
            epoch - away / 4
        } else {
            epoch + away
        };
        Ok(File::options().write(true).open(path)?.set_modified(time)?)
    }

    fn sparse(&mut self, path: &Path) -> Result<()> {
        let file = File::create_new(path)?;
        // All of it is read when it is compared.
        let size = self.chance.below(2 << 20);
        for _ in 0..self.chance.below(4) {
            file.write_all_at(b"an island", self.chance.below(size))?;
        }
        file.set_len(size)?;
        self.files.push(path.to_owned());
        Ok(())
    }

    fn directory(&mut self, path: &Path) -> Result<()> {
        fs::create_dir(path)?;
        if self.chance.below(4) == 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o3711))?;
            self.attribute(path)?;
        }
        // Deep enough, and the longest path stays below what a system call takes.
        if path.components().count() < 8 && path.as_os_str().len() < 1500 {
            self.directories.push(path.to_owned());
        }
        Ok(())
    }

    fn hard_link(&mut self, path: &Path) -> Result<()> {
        fs::hard_link(self.chance.pick(&self.files), path)?;
        self.files.push(path.to_owned());
        Ok(())
    }

    fn symlink(&mut self, path: &Path) -> Result<()> {
        let length = self.chance.index(1000) + 1;
        symlink("../x y/".repeat(length.div_ceil(7)), path)?;
        lchown(path, Some(self.id()), None)?;
        self.others.push(path.to_owned());
        Ok(())
    }

    fn special(&mut self, path: &Path) -> Result<()> {
        let kinds = [
            FileType::Fifo,
            FileType::CharacterDevice,
            FileType::BlockDevice,
            FileType::Socket,
        ];
        let kind = *self.chance.pick(&kinds);
        mknodat(CWD, path, kind, Mode::from_raw_mode(0o640), makedev(1, 3))?;
        self.others.push(path.to_owned());
        Ok(())
    }

    fn new_path(&mut self) -> PathBuf {
        let name = self.new_name();
        self.chance.pick(&self.directories).join(OsStr::from_bytes(&name))
    }

    fn new_name(&mut self) -> Vec<u8> {
        self.made += 1;
        let number = self.made.to_string();
        let odd: &[&[u8]] = &[
            b"plain",
            b"plain",
            b"two words ",
            b" ",
            b"line\nbreak",
            b"\t\r\x01\x7f",
            b"-rf",
            b"*?[$(x)]`'\"\\",
            b"not utf-8 \xff\xfe",
            "Ä\u{308}ß 漢字 🌲".as_bytes(),
            b"@%#:~",
        ];
        if self.chance.below(30) == 0 {
            return format!("{number:x>255}").into_bytes();
        }
        [self.chance.pick(odd), number.as_bytes()].concat()
    }

    // --- changing ---------------------------------------------------------------------

    fn on_a_file(&mut self, change: impl Fn(&mut Self, &Path) -> Result<()>) -> Result<()> {
        let path = self.chance.pick(&self.files).clone();
        change(self, &path).with_context(|| format!("{path:?}"))
    }

    fn delete(&mut self) -> Result<()> {
        let list = if self.chance.below(5) == 0 {
            &mut self.others
        } else {
            &mut self.files
        };
        // The big one stays, so that there is always a file.
        if list.len() < 2 {
            return Ok(());
        }
        let path = list.swap_remove(1 + self.chance.index(list.len() - 1));
        fs::remove_file(&path).with_context(|| format!("{path:?}"))
    }

    fn rename(&mut self) -> Result<()> {
        let to = self.new_path();
        let index = self.chance.index(self.files.len());
        fs::rename(&self.files[index], &to).with_context(|| format!("{to:?}"))?;
        self.files[index] = to;
        Ok(())
    }

    /// All paths below it change with it.
    fn rename_directory(&mut self) -> Result<()> {
        if self.directories.len() < 2 {
            return Ok(());
        }
        let index = 1 + self.chance.index(self.directories.len() - 1);
        let from = self.directories[index].clone();
        let number = self.made;
        self.made += 1;
        let to = from.with_file_name(format!("renamed {number}"));
        fs::rename(&from, &to).with_context(|| format!("{from:?}"))?;
        let lists = [&mut self.directories, &mut self.files, &mut self.others];
        for path in lists.into_iter().flatten() {
            if let Ok(rest) = path.strip_prefix(&from) {
                // N.B. joining an empty rest would add a slash.
                *path = if rest.as_os_str().is_empty() {
                    to.clone()
                } else {
                    to.join(rest)
                };
            }
        }
        Ok(())
    }

    fn truncate(&mut self, path: &Path) -> Result<()> {
        let file = File::options().write(true).open(path)?;
        let size = file.metadata()?.len();
        Ok(file.set_len(self.chance.below(size + 10_000))?)
    }

    fn append(&mut self, path: &Path) -> Result<()> {
        let file = File::options().write(true).open(path)?;
        let size = file.metadata()?.len();
        let length = self.chance.index(20_000);
        Ok(file.write_all_at(&self.chance.bytes(length), size)?)
    }

    fn overwrite(&mut self, path: &Path) -> Result<()> {
        let file = File::options().write(true).open(path)?;
        let at = self.chance.below(file.metadata()?.len() + 1);
        let length = self.chance.index(5000);
        Ok(file.write_all_at(&self.chance.bytes(length), at)?)
    }

    fn protect(&mut self, path: &Path) -> Result<()> {
        let mode = *self
            .chance
            .pick(&[0o000, 0o400, 0o644, 0o777, 0o4755, 0o2755, 0o1777, 0o7777]);
        Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
    }

    fn attribute(&mut self, path: &Path) -> Result<()> {
        let name = *self
            .chance
            .pick(&["user.one", "user.two words", "trusted.zrep", "user.ümlaut"]);
        let has = rustix::fs::lgetxattr(path, name, &mut [0_u8; 4096][..]).is_ok();
        if has && self.chance.below(2) == 0 {
            return Ok(lremovexattr(path, name)?);
        }
        let length = self.chance.index(1500);
        Ok(lsetxattr(path, name, &self.chance.bytes(length), XattrFlags::empty())?)
    }
}

/// Which names belong to one file: the paths of each file that has several.
pub fn links(root: &Path) -> Result<BTreeSet<Vec<PathBuf>>> {
    let mut found: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(root.join(&directory))? {
            let path = directory.join(entry?.file_name());
            let meta = fs::symlink_metadata(root.join(&path))?;
            if meta.is_dir() {
                open.push(path);
            } else if meta.nlink() > 1 {
                found.entry(meta.ino()).or_default().push(path);
            }
        }
    }
    let groups = found.into_values().map(|mut paths| {
        paths.sort();
        paths
    });
    Ok(groups.collect())
}

const fn acl() -> [u8; 44] {
    const UNSET: u32 = u32::MAX;
    let entries: [(u16, u16, u32); 5] = [
        (0x01, 6, UNSET),
        (0x02, 4, 1000),
        (0x04, 4, UNSET),
        (0x10, 6, UNSET),
        (0x20, 0, UNSET),
    ];
    let mut bytes = [0; 44];
    bytes[0] = 2;
    let mut at = 0;
    while at < entries.len() {
        let (tag, permissions, id) = entries[at];
        let (tag, permissions, id) = (tag.to_le_bytes(), permissions.to_le_bytes(), id.to_le_bytes());
        let entry = [
            tag[0],
            tag[1],
            permissions[0],
            permissions[1],
            id[0],
            id[1],
            id[2],
            id[3],
        ];
        let mut byte = 0;
        while byte < 8 {
            bytes[4 + at * 8 + byte] = entry[byte];
            byte += 1;
        }
        at += 1;
    }
    bytes
}
