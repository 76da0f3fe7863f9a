//! The fake, the fake at the far end of a session, and real pools.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::sync::Arc;

use zrep::host::Host;
use zrep::host::fake::Fake;
use zrep::host::local::Local;
use zrep::host::remote::Remote;
use zrep::model::Kind;

/// A machine with two pools, and a hand that writes to its datasets.
pub(crate) trait World: Sync {
    fn host(&self) -> &dyn Host;
    /// Where streams go to. Another session than the one that they come from, where there are sessions.
    fn receiver(&self) -> &dyn Host {
        self.host()
    }
    fn create(&self, name: &str);
    fn write(&self, name: &str, data: &[u8]);
    fn hold(&self, snapshot: &str);
    fn pools(&self) -> (&str, &str);
}

pub(crate) struct FakeWorld(pub Fake);

impl World for FakeWorld {
    fn host(&self) -> &dyn Host {
        &self.0
    }

    fn create(&self, name: &str) {
        self.0.create(name, Kind::Filesystem);
    }

    fn write(&self, name: &str, data: &[u8]) {
        self.0.write(name, data);
    }

    fn hold(&self, snapshot: &str) {
        self.0.hold(snapshot);
    }

    fn pools(&self) -> (&str, &str) {
        ("src", "dst")
    }
}

/// The fake at the other end of two sessions.
pub(crate) struct FarWorld {
    pub fake: Arc<Fake>,
    pub remote: Remote,
    pub receiver: Remote,
}

impl World for FarWorld {
    fn host(&self) -> &dyn Host {
        &self.remote
    }

    fn receiver(&self) -> &dyn Host {
        &self.receiver
    }

    fn create(&self, name: &str) {
        self.fake.create(name, Kind::Filesystem);
    }

    fn write(&self, name: &str, data: &[u8]) {
        self.fake.write(name, data);
    }

    fn hold(&self, snapshot: &str) {
        self.fake.hold(snapshot);
    }

    fn pools(&self) -> (&str, &str) {
        ("src", "dst")
    }
}

pub(crate) struct RealWorld {
    local: Local,
    source: String,
    target: String,
}

impl RealWorld {
    pub(crate) fn from_environment() -> Option<Self> {
        let pools = std::env::var("ZREP_TEST_POOLS").ok()?;
        let (source, target) = pools.split_once(':').expect("SOURCE:TARGET");
        Some(Self {
            local: Local::open().expect("ZFS"),
            source: source.to_owned(),
            target: target.to_owned(),
        })
    }
}

fn zfs(args: &[&str]) -> String {
    let output = Command::new("zfs").args(args).output().expect("zfs");
    assert!(
        output.status.success(),
        "zfs {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

impl World for RealWorld {
    fn host(&self) -> &dyn Host {
        &self.local
    }

    fn create(&self, name: &str) {
        zfs(&["create", name]);
    }

    fn write(&self, name: &str, data: &[u8]) {
        zfs(&["set", "readonly=off", name]);
        if zfs(&["get", "-H", "-o", "value", "mounted", name]) == "no" {
            zfs(&["mount", name]);
        }
        let path = format!("{}/data", zfs(&["get", "-H", "-o", "value", "mountpoint", name]));
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .expect("a mounted filesystem");
        file.write_all(data).expect("room");
        file.sync_all().expect("fsync");
    }

    fn hold(&self, snapshot: &str) {
        zfs(&["hold", "contract", snapshot]);
    }

    fn pools(&self) -> (&str, &str) {
        (&self.source, &self.target)
    }
}
