//! A machine for the tests of this folder: its ssh is a local shell, and its `zfs` a script.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::Shell;
use crate::hostname::HostName;
use crate::ssh::Ssh;

/// Enough for a busy machine.
pub(super) fn patience() -> Duration {
    Duration::from_secs(30)
}

/// Dropped, it is removed.
#[derive(Debug)]
pub(super) struct Scene {
    dir: PathBuf,
}

impl Scene {
    pub(super) fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("zrep-shell-test-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        Self { dir }.with_ssh("")
    }

    /// An ssh that does this before it is a shell. `$2` is the remote command.
    pub(super) fn with_ssh(self, first: &str) -> Self {
        let path = self.dir.display();
        fs::write(
            self.dir.join("ssh"),
            format!("{first}\nPATH={path}:$PATH here={path} exec sh -c \"$2\"\n"),
        )
        .unwrap();
        self
    }

    /// A `zfs` that writes down how it was called, and then does this. `$here` is the scene's directory.
    pub(super) fn with_zfs(self, body: &str) -> Self {
        let path = self.dir.join("zfs");
        let log = r#"(for word; do printf '<%s>' "$word"; done; echo) >> "$here/log""#;
        fs::write(
            &path,
            format!("#!/bin/sh\nexport here={}\n{log}\n{body}\n", self.dir.display()),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    pub(super) fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.dir.join(file)).unwrap_or_default()
    }

    /// How `zfs` was called.
    pub(super) fn log(&self) -> Vec<String> {
        String::from_utf8(self.read("log"))
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn ssh(&self) -> Ssh {
        Ssh::new(Some(&format!("sh {}/ssh", self.dir.display())), None)
    }

    pub(super) fn command(&self, remote: &str) -> Command {
        self.ssh().command(&HostName::new("beta").unwrap(), remote)
    }

    pub(super) fn shell(&self, patience: Duration) -> Shell {
        Shell::new(self.ssh(), HostName::new("beta").unwrap(), patience)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}
