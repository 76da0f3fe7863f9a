//! Sending.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::Core;
use crate::error::{Error, Kind, Op, Result, check};
use crate::flags::flags;
use crate::name::{HistoryPoint, SnapshotName};
use crate::signals::BlockAll;
use crate::sys::core as c;

flags! {
    /// What a stream may contain. The receiver needs the matching pool features.
    SendFlags: u32 {
        /// Tiny blocks inside their pointers. A receiver with encryption refuses them.
        EMBED = 1 << 0,
        /// Blocks larger than 128 KiB. All increments must agree with the first stream on it.
        LARGE_BLOCK = 1 << 1,
        /// Compressed blocks as they are on disk.
        COMPRESS = 1 << 2,
        /// Encrypted blocks as they are on disk; no key is needed.
        RAW = 1 << 3,
        /// Send what a partial receive has got so far.
        SAVED = 1 << 4,
    }
}

/// Where an increment starts.
pub type SendFrom = HistoryPoint;

/// Where an interrupted stream goes on, as a resume token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResumePoint {
    /// The object.
    pub object: u64,
    /// The offset in it.
    pub offset: u64,
}

/// How to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// The start of an increment; a full stream without it.
    pub from: Option<SendFrom>,
    /// What the stream may contain.
    pub flags: SendFlags,
    /// Where to go on, if a stream was interrupted. `from` and `flags` must be those of that stream.
    pub resume: Option<ResumePoint>,
}

impl Core {
    /// Sends a snapshot and returns when the whole stream has been written.
    ///
    /// `out` must block, and should be the writing end of a pipe: only that goes to the kernel directly
    /// in all releases. It is not closed; close it afterwards, or its reader waits for ever. To cancel,
    /// close the reading end.
    ///
    /// Changes nothing and waits for no transaction group. The snapshot cannot be destroyed meanwhile.
    /// All signals of this thread are blocked meanwhile.
    ///
    /// # Errors
    ///
    /// [`ReaderGone`](Kind::ReaderGone): look for the cause at the reader.
    /// [`NotAncestor`](Kind::NotAncestor), [`NotFound`](Kind::NotFound),
    /// [`KeyUnavailable`](Kind::KeyUnavailable). Part of the stream may have been written.
    ///
    /// Corresponds to `lzc_send` and `lzc_send_resume`.
    #[doc(alias = "lzc_send")]
    #[doc(alias = "lzc_send_resume")]
    pub fn send(&self, snapshot: &SnapshotName, options: &SendOptions, out: BorrowedFd<'_>) -> Result<()> {
        refuse_nonblocking(Op::Send, snapshot, out)?;
        let name = snapshot.as_c().as_ptr();
        let from = options.from.as_ref().map_or(ptr::null(), |from| from.as_c().as_ptr());
        let (fd, flags) = (out.as_raw_fd(), options.flags.bits());
        let _quiet = BlockAll::new();
        let rc = match options.resume {
            // SAFETY: the library is initialised; the names are NUL terminated, the second may be
            // null; the descriptor is open, as the borrow shows.
            None => unsafe { c::lzc_send(name, from, fd, flags) },
            Some(ResumePoint { object, offset }) => {
                // SAFETY: as above.
                unsafe { c::lzc_send_resume(name, from, fd, flags, object, offset) }
            }
        };
        check(Op::Send, snapshot, rc)
    }

    /// Estimates the size of a stream in bytes. [`SendOptions::resume`] does not count: the estimate is
    /// that of the whole stream.
    ///
    /// Waits for nothing. Fast from a snapshot, slower from a bookmark.
    ///
    /// Corresponds to `lzc_send_space`.
    #[doc(alias = "lzc_send_space")]
    pub fn send_space(&self, snapshot: &SnapshotName, options: &SendOptions) -> Result<u64> {
        let from = options.from.as_ref().map_or(ptr::null(), |from| from.as_c().as_ptr());
        let (name, flags) = (snapshot.as_c().as_ptr(), options.flags.bits());
        let mut space = 0;
        // SAFETY: the library is initialised; the names are NUL terminated, the second may be null;
        // one number is stored.
        let rc = unsafe { c::lzc_send_space(name, from, flags, &raw mut space) };
        check(Op::EstimateSend, snapshot, rc)?;
        Ok(space)
    }
}

/// The kernel neither polls nor retries: a descriptor that does not block gives a broken stream.
pub(super) fn refuse_nonblocking(op: Op, on: &SnapshotName, fd: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: the descriptor is open, as the borrow shows; F_GETFL takes no further argument.
    let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) };
    if flags == -1 {
        return Err(Error::from_io(op, on.as_str(), &std::io::Error::last_os_error()));
    }
    if flags & libc::O_NONBLOCK != 0 {
        let text = "the descriptor does not block";
        return Err(Error::new(op, on.as_str(), Kind::Invalid, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn flags_are_those_of_the_headers() {
        assert_eq!(SendFlags::EMBED.bits(), c::LZC_SEND_FLAG_EMBED_DATA);
        assert_eq!(SendFlags::LARGE_BLOCK.bits(), c::LZC_SEND_FLAG_LARGE_BLOCK);
        assert_eq!(SendFlags::COMPRESS.bits(), c::LZC_SEND_FLAG_COMPRESS);
        assert_eq!(SendFlags::RAW.bits(), c::LZC_SEND_FLAG_RAW);
        assert_eq!(SendFlags::SAVED.bits(), c::LZC_SEND_FLAG_SAVED);
    }

    #[test]
    fn flags_show_their_names() {
        let flags = SendFlags::LARGE_BLOCK | SendFlags::COMPRESS;
        assert_eq!(format!("{flags:?}"), "SendFlags(LARGE_BLOCK | COMPRESS)");
        assert_eq!(format!("{:?}", SendFlags::from_bits(0x101)), "SendFlags(EMBED | 0x100)");
        assert_eq!(format!("{:?}", SendFlags::empty()), "SendFlags()");
        assert!(flags.contains(SendFlags::COMPRESS));
        assert!(!flags.contains(SendFlags::COMPRESS | SendFlags::RAW));
        assert_eq!(flags.without(SendFlags::COMPRESS), SendFlags::LARGE_BLOCK);
    }

    #[test]
    fn a_descriptor_that_does_not_block_is_refused() {
        let name = SnapshotName::new("tank/a@1").expect("a valid name");
        let (end, _other) = UnixStream::pair().expect("a pair of sockets");
        refuse_nonblocking(Op::Send, &name, end.as_fd()).expect("sockets block at first");
        end.set_nonblocking(true).expect("a socket need not block");
        let error = refuse_nonblocking(Op::Send, &name, end.as_fd()).expect_err("does not block");
        assert_eq!(error.kind(), Kind::Invalid);
    }
}
