//! Safe access to ZFS through its own C libraries, for OpenZFS 2.1 to 2.4 with one binary.
//!
//! ```text
//!   Core                                   Handle
//!   libzfs_core, linked                    libzfs, loaded at run time
//!   Clone + Send + Sync                    Send, not Sync: one per thread
//!   one call = one atomic ioctl            remembers its last error, caches what it has read
//!   errors by number                       errors by number and text
//!     │                                      │
//!     ├─ snapshot, destroy, rollback         ├─ roots, resume_token
//!     ├─ create, clone, promote, rename      ├─ dataset(name) ──► Dataset<'_>
//!     ├─ hold, release, bookmark             └─ snapshot(name) ─►   ├─ properties, set, inherit
//!     ├─ send, receive                                              ├─ children, snapshots
//!     ├─ program, wait_synced                                       ├─ mount, unmount
//!     └─ load_key, unload_key                                       └─ send_progress, written_since
//! ```
//!
//! Prefer [`Core`]; use [`Handle`] for what `libzfs_core` cannot do: listing and properties.
//!
//! # Names, lists, errors
//!
//! [`DatasetName`], [`SnapshotName`] and [`BookmarkName`] are checked once, when they are made.
//! [`NvList`] is the format of arguments and results. Every [`Error`] knows the operation, the dataset,
//! the number that the kernel gave, and a [`Kind`] to branch on:
//!
//! ```
//! use zfs_ffi::{Core, Kind, SnapshotName};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let snapshot = SnapshotName::new("tank/home@monday")?;
//! # if !std::path::Path::new("/dev/zfs").exists() { return Ok(()) }
//! match Core::open()?.snapshot(&[snapshot], &[("backup:job", "nightly")]) {
//!     Err(error) if error.kind() == Kind::Exists => println!("it is there already"),
//!     // "snapshot tank/home@monday: no such dataset (ENOENT)"
//!     Err(error) => println!("{error}"),
//!     Ok(()) => println!("done"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Streams
//!
//! [`Core::send`] and [`Core::receive`] block until the stream is through, so each end wants a thread
//! of its own, and a pipe between them:
//!
//! ```no_run
//! use std::os::fd::AsFd;
//! use zfs_ffi::{BeginRecord, Core, ReceiveOptions, SendFlags, SendOptions, SnapshotName};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let core = Core::open()?;
//! let (from, to) = (SnapshotName::new("tank/a@1")?, SnapshotName::new("backup/a@1")?);
//! let options = SendOptions {
//!     flags: SendFlags::LARGE_BLOCK | SendFlags::COMPRESS,
//!     ..SendOptions::default()
//! };
//! let (reader, writer) = std::io::pipe()?;
//! let sender = core.clone();
//! // The writing end moves into the thread and is closed at its end.
//! let sender = std::thread::spawn(move || sender.send(&from, &options, writer.as_fd()));
//! let begin = BeginRecord::read_fd(reader.as_fd())?;
//! let resumable = ReceiveOptions { resumable: true, ..ReceiveOptions::default() };
//! let received = core.receive(&to, &begin, &resumable, reader.as_fd());
//! drop(reader);
//! // If the receiver failed, the sender only knows that its reader is gone.
//! let received = received?;
//! sender.join().expect("the sender does not panic")?;
//! println!("{} bytes", received.bytes);
//! # Ok(())
//! # }
//! ```
//!
//! Signals would break a stream off, so they are blocked in the calling thread meanwhile; see
//! [`signals`].
//!
//! # What the library never does
//!
//! It runs no other program: where `libzfs` would call `modprobe`, [`Handle::open`] says that the module
//! is not loaded. It prints nothing. No C error number, old or new, makes it panic.

#![deny(missing_docs)]

mod begin;
mod core;
mod dataset;
mod error;
mod flags;
mod handle;
mod library;
mod name;
mod nvlist;
mod os;
mod own_files;
mod reader;
pub mod signals;
mod sys;
mod token;
mod version;

pub use self::begin::{BeginFields, BeginFlags, BeginRecord, RECORD_SIZE, StreamFeatures};
pub use self::core::{
    Bookmark, CleanupFd, Core, DatasetKind, Defer, Program, ReceiveOptions, Received, ResumePoint, SendFlags, SendFrom,
    SendOptions, WrappingKey,
};
pub use self::dataset::{Dataset, DatasetType, Progress, Properties, Property, PropertyValue, SnapshotInfo, Source};
pub use self::error::{Error, ItemError, Kind, Result};
pub use self::handle::Handle;
pub use self::name::{BookmarkName, DatasetName, HistoryPoint, NameError, SnapshotName};
pub use self::nvlist::{Iter as NvIter, NvList, NvRef, Value};
pub use self::own_files::with_own_files;
pub use self::reader::{DatasetInfo, Reader, SnapshotGuid};
pub use self::token::ResumeToken;
pub use self::version::Versions;
