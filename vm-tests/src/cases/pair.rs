//! A source and its target, as most cases begin with, and what is asked of them.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::fixture::output::Checked;
use crate::fixture::running::{Running, until};
use crate::fixture::state::differences;
use crate::fixture::{Lab, Snapshot};

pub const SOURCE: &str = "src/a b";
pub const TARGET: &str = "dst/copy of a b";

/// Longer than anything takes that is not stuck.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Two datasets that `zrep init` has made a pair of.
#[derive(Clone, Debug)]
pub struct Pair<'a> {
    pub lab: &'a Lab,
    pub source: String,
    pub target: String,
}

impl<'a> Pair<'a> {
    /// `src/a b`, with a file in it, and its target.
    pub fn new(lab: &'a Lab) -> Result<Self> {
        lab.create(SOURCE)?;
        lab.write(SOURCE, "dir one/file", "of the beginning")?;
        Self::init(lab, SOURCE, TARGET)
    }

    /// A source that is there already, and its target.
    pub fn init(lab: &'a Lab, source: &str, target: &str) -> Result<Self> {
        lab.zrep(&["init", source, "localhost", target]).ok()?;
        Ok(Self::known(lab, source, target))
    }

    /// Two datasets, whatever they are to each other.
    pub fn known(lab: &'a Lab, source: &str, target: &str) -> Self {
        Self {
            lab,
            source: source.to_owned(),
            target: target.to_owned(),
        }
    }

    /// The same two with the roles that a failover gives them.
    pub fn turned(&self) -> Self {
        Self::known(self.lab, &self.target, &self.source)
    }

    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> Result<()> {
        self.lab.write(&self.source, path, contents)
    }

    pub fn sync(&self) -> Result<Checked> {
        self.lab.zrep(&["sync", &self.source]).ok()
    }

    /// Starts the loop and waits until it has synced once.
    pub fn start_loop(&self, every: &str) -> Result<Running> {
        let before = short_of(&self.newest(&self.target)?);
        let running = self.lab.spawn_zrep(&["sync", &self.source, "--every", every])?;
        self.until_newer(&before)?;
        Ok(running)
    }

    /// Waits until the target has a newer snapshot than it had.
    pub fn until_newer(&self, than: &str) -> Result<()> {
        until(&format!("{} is behind @{than}", self.target), PATIENCE, || {
            Ok(short_of(&self.newest(&self.target)?).as_str() > than)
        })
    }

    /// Waits until all that is in the source now has arrived, with a loop running.
    pub fn until_arrived(&self) -> Result<()> {
        self.until_newer(&short_of(&self.newest(&self.source)?))
    }

    pub fn newest(&self, dataset: &str) -> Result<Snapshot> {
        let snapshots = self.lab.snapshots(dataset)?;
        snapshots
            .last()
            .cloned()
            .with_context(|| format!("{dataset} has no snapshot"))
    }

    /// The snapshots' names behind the @, oldest first.
    pub fn shorts(&self, dataset: &str) -> Result<Vec<String>> {
        Ok(self.lab.snapshots(dataset)?.iter().map(short_of).collect())
    }

    pub fn has(&self, dataset: &str, shorts: &[&str]) -> Result<()> {
        let found = self.shorts(dataset)?;
        ensure!(found == shorts, "{dataset}: expected {shorts:?}, found {found:?}");
        Ok(())
    }

    /// The newest snapshots are the same one, and it holds what the source holds now.
    pub fn same(&self) -> Result<()> {
        let [source, target] = [self.newest(&self.source)?, self.newest(&self.target)?];
        ensure!(
            source.guid == target.guid && short_of(&source) == short_of(&target),
            "different snapshots: {source:?}, {target:?}"
        );
        let live = self.lab.checksum(&self.lab.mountpoint(&self.source)?)?;
        live.same_as(&self.lab.snapshot_tree(&target.name)?)
    }

    /// The newest snapshot of both sides carries the mark that it has arrived.
    pub fn marked(&self) -> Result<()> {
        for dataset in [&self.source, &self.target] {
            let newest = self.newest(dataset)?;
            let sent = self.lab.property(&newest.name, "zrep:sent")?;
            ensure!(
                sent.source == "local" && sent.value.parse::<u64>().is_ok(),
                "{}: zrep:sent is {sent:?}",
                newest.name
            );
        }
        Ok(())
    }

    /// Nobody holds a lock on either side.
    pub fn unlocked(&self) -> Result<()> {
        for dataset in [&self.source, &self.target] {
            for name in ["zrep:lock-pid", "zrep:lock-time"] {
                let found = self.lab.property(dataset, name)?;
                ensure!(found.source == "-", "{dataset} has {name}={}", found.value);
            }
        }
        ensure!(
            !PathBuf::from("/run/zrep.lock").exists(),
            "the lock file is still there"
        );
        Ok(())
    }

    /// The source is the only master and can be written to; the target is a replica.
    pub fn has_roles(&self) -> Result<()> {
        expect_property(self.lab, &self.source, "zrep:master", "yes", "local")?;
        let other = self.lab.property(&self.target, "zrep:master")?;
        ensure!(other.source != "local", "{} is master, too", self.target);
        expect_property(self.lab, &self.target, "readonly", "on", "local")?;
        ensure!(
            self.lab.property(&self.source, "readonly")?.value == "off",
            "{} is read-only",
            self.source
        );
        if self.lab.property(&self.source, "type")?.value == "filesystem" {
            expect_property(self.lab, &self.source, "mounted", "yes", "-")?;
            self.write("written by the master", "now")?;
        }
        Ok(())
    }
}

/// The name behind the @.
pub fn short_of(snapshot: &Snapshot) -> String {
    let (_, short) = snapshot.name.split_once('@').unwrap_or_default();
    short.to_owned()
}

pub fn expect_property(lab: &Lab, dataset: &str, name: &str, value: &str, source: &str) -> Result<()> {
    let found = lab.property(dataset, name)?;
    ensure!(
        found.value == value && found.source == source,
        "{dataset}: expected {name}={value} ({source}), found {} ({})",
        found.value,
        found.source
    );
    Ok(())
}

/// All that is set on the dataset itself, of zrep's properties and `readonly`, must be
/// these lines: `name=value (source)`.
pub fn expect_marks(lab: &Lab, dataset: &str, expected: &[String]) -> Result<()> {
    let get = [
        "get",
        "-Hp",
        "-s",
        "local,received",
        "-o",
        "property,value,source",
        "all",
        dataset,
    ];
    let output = lab.zfs(&get).ok()?;
    let mut found: Vec<String> = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("zrep:") || line.starts_with("readonly\t"))
        .map(marked_line)
        .collect();
    let mut expected = expected.to_vec();
    found.sort();
    expected.sort();
    let lines = differences(&expected.join("\n"), &found.join("\n"));
    ensure!(
        lines.is_empty(),
        "{dataset}, expected (-) and found (+):\n{}",
        lines.join("\n")
    );
    Ok(())
}

fn marked_line(line: &str) -> String {
    match line.split('\t').collect::<Vec<_>>()[..] {
        [name, value, source] => format!("{name}={value} ({source})"),
        _ => line.to_owned(),
    }
}

/// The name that this machine has in pairings.
pub fn host() -> Result<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname")?;
    Ok(name.trim().split('.').next().unwrap_or_default().to_owned())
}

/// Waits until the pool holds at least so many bytes more than BEFORE.
pub fn until_filled(lab: &Lab, pool: &str, before: u64, bytes: u64) -> Result<()> {
    until(&format!("{pool} holds {bytes} bytes more"), PATIENCE, || {
        Ok(allocated(lab, pool)? >= before + bytes)
    })
}

pub fn allocated(lab: &Lab, pool: &str) -> Result<u64> {
    Ok(lab
        .zpool(&["list", "-Hp", "-o", "alloc", pool])
        .ok()?
        .stdout
        .trim()
        .parse()?)
}

/// What is in a volume or in its snapshot, as text that can be compared.
pub fn volume_digest(lab: &Lab, name: &str) -> Result<String> {
    let dataset = name.split('@').next().unwrap_or(name);
    lab.zfs(&["set", "snapdev=visible", dataset]).ok()?;
    let device = device_of(name);
    until(&format!("{device:?} is there"), PATIENCE, || Ok(device.exists()))?;
    let output = lab.sh(&format!("sha256sum <'{}'", device.display())).ok()?;
    Ok(output.stdout.clone())
}

/// N.B. udev's rule for volumes writes a plus where the name has a space.
pub fn device_of(volume: &str) -> PathBuf {
    PathBuf::from(format!("/dev/zvol/{}", volume.replace(' ', "+")))
}

/// Writes into a volume, at OFFSET.
pub fn write_volume(volume: &str, offset: u64, bytes: &[u8]) -> Result<()> {
    use std::os::unix::fs::FileExt;
    let device = device_of(volume);
    until(&format!("{device:?} is there"), PATIENCE, || Ok(device.exists()))?;
    // The device's node appears before its link is right.
    for _ in 0..100 {
        if let Ok(file) = fs::File::options().write(true).open(&device) {
            file.write_all_at(bytes, offset)?;
            return Ok(file.sync_all()?);
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("{} cannot be opened for writing", device.display())
}
