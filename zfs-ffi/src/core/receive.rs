//! Receiving.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::send::refuse_nonblocking;
use super::{Core, WrappingKey};
use crate::begin::{BeginRecord, RECORD_SIZE};
use crate::error::{ItemError, Op, Result, check, item_errors};
use crate::name::SnapshotName;
use crate::nvlist::{NvList, Out};
use crate::signals::BlockAll;
use crate::sys::{self, boolean_t, core as c};

/// How to receive.
#[derive(Clone, Debug, Default)]
pub struct ReceiveOptions<'a> {
    /// Keep what came if the stream ends early, and let a resume token appear.
    pub resumable: bool,
    /// Roll the target back first, destroying its changes and newer snapshots in the same
    /// transaction group as the end of the receive. An explicit
    /// [`rollback_to`](Core::rollback_to) is visible and usually better.
    pub force: bool,
    /// For the stream of a clone: the local snapshot that the new dataset is a clone of.
    pub origin: Option<SnapshotName>,
    /// Properties that become *received* ones, in the types of the kernel.
    ///
    /// N.B. the first time a dataset gets any (an empty list counts), all its local properties are
    /// wiped.
    pub received: Option<&'a NvList>,
    /// Properties that become local ones (`-o`), in the types of the kernel: text for user properties
    /// and those whose value is text, [`U64`](crate::Value::U64) for others. A
    /// [`Flag`](crate::Value::Flag) keeps a received property from having effect (`-x`).
    ///
    /// Applied before the data, in a transaction group of their own.
    pub overrides: NvList,
    /// For a stream that is to be encrypted on arrival: the key of the new encryption root.
    pub key: Option<WrappingKey>,
}

/// What a successful receive tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "properties can fail although the snapshot has been received"]
pub struct Received {
    /// Bytes read, the begin record included.
    pub bytes: u64,
    /// Properties that could not be set although the snapshot has been received.
    pub property_errors: Vec<ItemError>,
}

impl Core {
    /// Receives one stream into a snapshot and returns when it is on disk.
    ///
    /// The caller has read the begin record from `input` before, exactly 312 bytes, and hands it over
    /// as it came. Precisely the rest of the stream is read from `input`; what follows stays there for
    /// the next. After an error the position is undefined: drop the pipe.
    ///
    /// The new snapshot and the data become visible together, at the end. Waits for two transaction
    /// groups (begin and end), one more for a raw stream, and one for each kind of properties.
    /// Receives that run at the same time share these. The dataset is not mounted. All signals of this
    /// thread are blocked meanwhile.
    ///
    /// # Errors
    ///
    /// At the begin, with nothing changed: [`WrongBase`](crate::Kind::WrongBase),
    /// [`Modified`](crate::Kind::Modified), [`Exists`](crate::Kind::Exists),
    /// [`Busy`](crate::Kind::Busy) (another receive, or a partial one left behind),
    /// [`KeyUnavailable`](crate::Kind::KeyUnavailable), [`Unsupported`](crate::Kind::Unsupported).
    ///
    /// In the stream: [`Truncated`](crate::Kind::Truncated), [`BadStream`](crate::Kind::BadStream),
    /// [`NoSpace`](crate::Kind::NoSpace). If resumable, what came is kept and the dataset has a
    /// `receive_resume_token`; until that is used up or discarded, every other receive is refused.
    /// Otherwise the dataset is as before.
    ///
    /// Corresponds to `lzc_receive_with_cmdprops`.
    #[doc(alias = "lzc_receive")]
    #[doc(alias = "lzc_receive_with_cmdprops")]
    pub fn receive(
        &self,
        target: &SnapshotName,
        begin: &BeginRecord,
        options: &ReceiveOptions<'_>,
        input: BorrowedFd<'_>,
    ) -> Result<Received> {
        let ReceiveOptions {
            resumable,
            force,
            origin,
            received,
            overrides,
            key,
        } = options;
        refuse_nonblocking(Op::Receive, target, input)?;
        let null = ptr::null_mut();
        let overrides = if overrides.is_empty() { null } else { overrides.as_ptr() };
        let (key, key_len) = super::key::raw(key.as_ref().map_or(&[], WrappingKey::as_bytes));
        let mut bytes = 0;
        let mut error_flags = 0;
        let mut failed = Out::new();
        let _quiet = BlockAll::new();
        // SAFETY: the library is initialised; names are NUL terminated; lists and key are only read,
        // and may be null; `begin` is a whole record of 312 bytes, aligned as C wants it; the
        // descriptor is open, as the borrow shows; the numbers are stored in variables of ours and the
        // list of failures becomes ours. The cleanup descriptor and the action handle are unused by
        // all releases since 2.0.
        let rc = unsafe {
            c::lzc_receive_with_cmdprops(
                target.as_c().as_ptr(),
                received.map_or(null, NvList::as_ptr),
                overrides,
                key,
                key_len,
                origin.as_ref().map_or(ptr::null(), |origin| origin.as_c().as_ptr()),
                sys::boolean(*force),
                sys::boolean(*resumable),
                // "Raw" only selects the newer ioctl, which alone can carry a payload behind the begin
                // record. Whether the stream is raw, the stream says.
                boolean_t::B_TRUE,
                input.as_raw_fd(),
                begin.as_ptr().cast(),
                -1,
                &raw mut bytes,
                &raw mut error_flags,
                ptr::null_mut(),
                failed.as_mut(),
            )
        };
        check(Op::Receive, target, rc)?;
        let property_errors = failed.take().as_ref().map(item_errors).unwrap_or_default();
        // The kernel does not count what was read for it.
        let bytes = bytes + RECORD_SIZE as u64;
        Ok(Received { bytes, property_errors })
    }
}
