//! Reading properties and lists without libzfs.

use std::fs::{File, OpenOptions};
use std::os::fd::AsFd;

use self::command::{Command, Number};
use crate::dataset::{DatasetType, Properties, SnapshotInfo};
use crate::error::{Error, Kind, Op, Result};
use crate::name::{DatasetName, SnapshotName};
use crate::nvlist::{NvList, NvRef};
use crate::os;

mod command;

/// Reads what there is, by the ioctls that libzfs itself uses: thread-safe, no shared library to load, one ioctl for each dataset or
/// snapshot with all its properties.
///
/// Linux on 64 bit machines only; elsewhere use a [`Handle`](crate::Handle).
#[derive(Debug)]
pub struct Reader {
    device: File,
}

/// A dataset as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetInfo {
    /// Its name.
    pub name: DatasetName,
    /// What it is.
    pub kind: DatasetType,
    /// A first receive was interrupted, or is under way: there is nothing in it yet. No list of properties tells this.
    pub inconsistent: bool,
    /// All properties that the kernel tells, as [`Dataset::properties`](crate::Dataset::properties).
    pub properties: Properties,
}

/// A snapshot's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotGuid {
    /// Its whole name.
    pub name: SnapshotName,
    /// The same on every machine that has this snapshot.
    pub guid: u64,
    /// When it was made, in the pool's own count. Orders snapshots.
    pub createtxg: u64,
}

impl Reader {
    /// Opens `/dev/zfs`.
    ///
    /// # Errors
    ///
    /// [`Kind::NoDevice`] as for [`Core::open`](crate::Core::open). [`Kind::Unsupported`] where the layout of the ioctls' argument is not
    /// known.
    pub fn open() -> Result<Self> {
        if !(cfg!(target_os = "linux") && cfg!(target_pointer_width = "64")) {
            return Err(Error::new(
                Op::Open,
                os::DEVICE,
                Kind::Unsupported,
                "its ioctls are known on 64 bit Linux only",
            ));
        }
        os::check_device()?;
        let opened = OpenOptions::new().read(true).write(true).open(os::DEVICE);
        Ok(Self {
            device: opened.map_err(|why| os::no_device(os::DEVICE, &why))?,
        })
    }

    /// Reads a filesystem or volume. Waits for nothing.
    ///
    /// # Errors
    ///
    /// [`Kind::NotFound`]: there is no such dataset. [`Kind::Unsupported`]: the kernel module answers in another layout than all releases so
    /// far; then nothing else that this reader tells can be trusted, either.
    pub fn dataset(&self, name: &DatasetName) -> Result<DatasetInfo> {
        let mut command = Command::new();
        self.give(&mut command, Number::ObjsetStats, name)?;
        info(name.clone(), &command)
    }

    /// The snapshots of a dataset that were made in transaction group `min_txg` or later, oldest first. One ioctl for each.
    ///
    /// N.B. a dataset that is not there has none: the kernel does not tell the difference.
    pub fn snapshots(&self, name: &DatasetName, min_txg: u64) -> Result<Vec<SnapshotInfo>> {
        let mut command = Command::new();
        if min_txg > 0 {
            let mut range = NvList::new();
            range.add("snap_iter_min_txg", min_txg)?;
            command.set_source(range.pack()?);
        }
        let mut snapshots = Vec::new();
        while self.next(&mut command, Number::SnapshotListNext, name)? {
            let list = NvList::unpack(command.answer())?;
            snapshots.push(snapshot(&command.name(), list.borrow())?);
        }
        snapshots.sort_by_key(|snapshot| snapshot.createtxg);
        Ok(snapshots)
    }

    /// The same snapshots without their properties: name, guid and transaction group. One ioctl for each, of which each is several
    /// times cheaper.
    ///
    /// # Errors
    ///
    /// [`Kind::Unsupported`]: OpenZFS 2.1 tells no more than the names in this way.
    pub fn snapshot_guids(&self, name: &DatasetName) -> Result<Vec<SnapshotGuid>> {
        let mut command = Command::new();
        command.set_simple();
        let mut snapshots = Vec::new();
        while self.next(&mut command, Number::SnapshotListNext, name)? {
            let (stats, name) = (command.stats(), SnapshotName::new(&command.name())?);
            if stats.guid == 0 {
                return Err(Error::new(
                    Op::List,
                    name.as_str(),
                    Kind::Unsupported,
                    "the kernel module tells no guid",
                ));
            }
            snapshots.push(SnapshotGuid {
                name,
                guid: stats.guid,
                createtxg: stats.createtxg,
            });
        }
        snapshots.sort_by_key(|snapshot| snapshot.createtxg);
        Ok(snapshots)
    }

    /// The filesystems and volumes directly below, by name. One ioctl for each.
    pub fn children(&self, name: &DatasetName) -> Result<Vec<DatasetInfo>> {
        let mut command = Command::new();
        let mut children = Vec::new();
        while self.next(&mut command, Number::DatasetListNext, name)? {
            let full_name = command.name();
            // `$ORIGIN`, `%recv` and their like are ZFS's own.
            if let Ok(name) = DatasetName::new(&full_name) {
                children.push(info(name, &command)?);
            }
        }
        children.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(children)
    }

    /// The imported pools' root datasets, by name.
    pub fn pools(&self) -> Result<Vec<DatasetName>> {
        let mut command = Command::new();
        let given = command.give(self.device.as_fd(), Number::PoolConfigs);
        given.map_err(|why| match why.raw_os_error() {
            Some(libc::ENOTTY) => no_zfs(&why),
            _ => Error::from_io(Op::List, "pools", &why),
        })?;
        let configs = NvList::unpack(command.answer())?;
        let mut pools: Vec<DatasetName> = configs
            .iter()
            .filter_map(|(name, _)| DatasetName::new(name).ok())
            .collect();
        pools.sort();
        Ok(pools)
    }

    fn give(&self, command: &mut Command, number: Number, name: &DatasetName) -> Result<()> {
        command.set_name(name.as_c());
        let given = command.give(self.device.as_fd(), number);
        given.map_err(|why| match why.raw_os_error() {
            // N.B. containers like to put another device in its place.
            Some(libc::ENOTTY) => no_zfs(&why),
            _ => Error::from_io(Op::ReadProperties, name.as_str(), &why),
        })
    }

    /// Goes to the next entry of a list, if there is one. The kernel puts its name where that of the parent stood.
    fn next(&self, command: &mut Command, number: Number, parent: &DatasetName) -> Result<bool> {
        match self.give(command, number, parent) {
            Ok(()) => Ok(true),
            Err(error) if error.errno() == Some(libc::ESRCH) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn no_zfs(why: &std::io::Error) -> Error {
    Error::new(Op::Open, os::DEVICE, Kind::NoDevice, "it is no device of ZFS").with_errno(why.raw_os_error())
}

/// Compares what stands in a field with what stands in the list: were the layout another, they would differ.
fn info(name: DatasetName, command: &Command) -> Result<DatasetInfo> {
    let list = NvList::unpack(command.answer())?;
    let properties = Properties::from_list(list.borrow(), name.as_str());
    let stats = command.stats();
    let kind = kind(stats.kind);
    if properties.u64("guid") != Some(stats.guid) || matches!(kind, DatasetType::Other(_)) {
        let text = "the kernel module answers in a layout that is not known";
        return Err(Error::new(Op::ReadProperties, name.as_str(), Kind::Unsupported, text));
    }
    Ok(DatasetInfo {
        name,
        kind,
        inconsistent: stats.inconsistent,
        properties,
    })
}

/// `DMU_OST_ZFS`
const FILESYSTEM: u32 = 2;
/// `DMU_OST_ZVOL`
const VOLUME: u32 = 3;

fn kind(number: u32) -> DatasetType {
    match number {
        FILESYSTEM => DatasetType::Filesystem,
        VOLUME => DatasetType::Volume,
        other => DatasetType::Other(other),
    }
}

fn snapshot(full_name: &str, list: NvRef<'_>) -> Result<SnapshotInfo> {
    let wanted = |name: &str| matches!(name, "guid" | "createtxg" | "creation") || name.contains(':');
    let properties = Properties::from_list_where(list, full_name, wanted);
    let number = |name: &str| {
        let missing = || Error::new(Op::ReadProperties, full_name, Kind::Other, format!("it has no {name}"));
        properties.u64(name).ok_or_else(missing)
    };
    let (guid, createtxg, creation) = (number("guid")?, number("createtxg")?, number("creation")?);
    let user = properties.iter().filter(|(name, _)| name.contains(':'));
    let user = user
        .map(|(name, property)| (name.to_owned(), property.clone()))
        .collect();
    Ok(SnapshotInfo {
        name: SnapshotName::new(full_name)?,
        guid,
        createtxg,
        creation,
        user,
    })
}
