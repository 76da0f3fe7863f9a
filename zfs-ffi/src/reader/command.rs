//! `zfs_cmd_t`, the argument of the older ioctls, as bytes.
//!
//! No header that is installed declares it. On Linux its size and the places of its fields are the same in all releases from 2.1 to 2.4
//! and on the main branch; upstream keeps them so, because the kernel module and the library are upgraded apart.
//! [`Reader::dataset`] looks whether they still are.
//!
//! [`Reader::dataset`]: super::Reader::dataset

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The ioctls that are used, by their numbers. OpenZFS only appends to the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    PoolConfigs = 0x5a04,
    ObjsetStats = 0x5a12,
    DatasetListNext = 0x5a14,
    SnapshotListNext = 0x5a15,
}

const SIZE: usize = 13744;
const NAME: usize = 0;
const NAME_SIZE: usize = 4096;
const SOURCE: usize = 4096;
const SOURCE_SIZE: usize = 4104;
const DESTINATION: usize = 4112;
const DESTINATION_SIZE: usize = 4120;
const COOKIE: usize = 12616;
const SIMPLE: usize = 13668;
const STATS: usize = 12704;

/// The first room for an answer. The kernel says how much it needs if that is too little.
const ROOM: usize = 128 << 10;

/// One command, which can be given again and again: cookies go on where the last answer ended.
#[derive(Debug)]
pub(super) struct Command {
    bytes: Box<Bytes>,
    source: Vec<u8>,
    answer: Vec<u8>,
}

#[repr(C, align(8))]
#[derive(Debug)]
struct Bytes([u8; SIZE]);

/// `dmu_objset_stats_t`, as far as it is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stats {
    pub(super) guid: u64,
    /// The transaction group that made it.
    pub(super) createtxg: u64,
    /// `dmu_objset_type_t`: 2 is a filesystem, 3 a volume.
    pub(super) kind: u32,
    /// A first receive has not come to its end.
    pub(super) inconsistent: bool,
}

impl Command {
    pub(super) fn new() -> Self {
        Self {
            bytes: Box::new(Bytes([0; SIZE])),
            source: Vec::new(),
            answer: vec![0; ROOM],
        }
    }

    /// Asks for an entry's name, and for what the kernel has at hand, without its properties.
    pub(super) fn set_simple(&mut self) {
        self.bytes.0[SIMPLE] = 1;
    }

    /// The arguments that are a packed list.
    pub(super) fn set_source(&mut self, packed: Vec<u8>) {
        self.source = packed;
    }

    pub(super) fn set_name(&mut self, name: &CStr) {
        let field = &mut self.bytes.0[NAME..NAME + NAME_SIZE];
        field.fill(0);
        let bytes = name.to_bytes();
        let len = bytes.len().min(NAME_SIZE - 1);
        field[..len].copy_from_slice(&bytes[..len]);
    }

    /// The name that the kernel has answered with.
    pub(super) fn name(&self) -> String {
        let field = &self.bytes.0[NAME..NAME + NAME_SIZE];
        CStr::from_bytes_until_nul(field)
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }

    pub(super) fn stats(&self) -> Stats {
        let kind = self.bytes.0[STATS + 24..STATS + 28]
            .try_into()
            .map_or(0, u32::from_ne_bytes);
        Stats {
            guid: self.get(STATS + 16),
            createtxg: self.get(STATS + 8),
            kind,
            inconsistent: self.bytes.0[STATS + 29] != 0,
        }
    }

    /// The packed list that the kernel has answered with.
    pub(super) fn answer(&self) -> &[u8] {
        let len = usize::try_from(self.get(DESTINATION_SIZE)).unwrap_or(0);
        &self.answer[..len.min(self.answer.len())]
    }

    /// Gives the command. An answer that is too long for its buffer is asked for again with room enough.
    pub(super) fn give(&mut self, device: BorrowedFd<'_>, number: Number) -> io::Result<()> {
        let (name, cookie) = (self.bytes.0[NAME..NAME + NAME_SIZE].to_vec(), self.get(COOKIE));
        loop {
            self.put(SOURCE, self.source.as_ptr().addr() as u64);
            self.put(SOURCE_SIZE, self.source.len() as u64);
            let answer = self.answer.as_mut_ptr().expose_provenance() as u64;
            self.put(DESTINATION, answer);
            self.put(DESTINATION_SIZE, self.answer.len() as u64);
            // SAFETY: the kernel reads and writes SIZE bytes at the pointer, which `bytes` has, aligned for 64 bit fields; it reads
            // `source` and writes `answer` within the lengths above, and both live and are not touched meanwhile.
            let rc = unsafe { libc::ioctl(device.as_raw_fd(), number as libc::Ioctl, &raw mut self.bytes.0) };
            let error = io::Error::last_os_error();
            match (rc, error.raw_os_error()) {
                (0, _) => return Ok(()),
                (_, Some(libc::ENOMEM)) => self.make_room(),
                // A signal came while it waited for a lock. It only reads, so it can be asked again.
                (_, Some(libc::EINTR)) => {}
                _ => return Err(error),
            }
            self.bytes.0[NAME..NAME + NAME_SIZE].copy_from_slice(&name);
            self.put(COOKIE, cookie);
        }
    }

    fn make_room(&mut self) {
        let wanted = usize::try_from(self.get(DESTINATION_SIZE)).unwrap_or(0);
        self.answer = vec![0; wanted.max(2 * self.answer.len())];
    }

    fn get(&self, at: usize) -> u64 {
        self.bytes.0[at..at + 8].try_into().map_or(0, u64::from_ne_bytes)
    }

    fn put(&mut self, at: usize, value: u64) {
        self.bytes.0[at..at + 8].copy_from_slice(&value.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back_as_it_was_set_and_a_shorter_one_leaves_nothing_of_it() {
        let mut command = Command::new();
        command.set_name(c"tank/a long name");
        command.set_name(c"tank/b");
        assert_eq!(command.name(), "tank/b");
    }

    #[test]
    fn numbers_stand_where_they_were_put() {
        let mut command = Command::new();
        command.put(COOKIE, u64::MAX - 1);
        assert_eq!(command.get(COOKIE), u64::MAX - 1);
        command.put(STATS + 16, 42);
        assert_eq!(
            command.stats(),
            Stats {
                guid: 42,
                createtxg: 0,
                kind: 0,
                inconsistent: false
            }
        );
    }

    #[test]
    fn a_device_that_is_none_of_zfs_refuses() {
        let file = std::fs::File::open("/dev/null").expect("anybody may open /dev/null");
        let error = Command::new().give(std::os::fd::AsFd::as_fd(&file), Number::ObjsetStats);
        assert!(error.is_err());
    }
}
