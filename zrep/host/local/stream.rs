//! Streams: the kernel writes into one end of a pipe and reads from the other. What passes through here is the begin record alone.

use std::fmt;
use std::io::{PipeReader, PipeWriter};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::Local;
use super::error::from_ffi;
use crate::host::{Error, ErrorKind, Received};
use crate::model::{Guid, Native};
use crate::plan::{BaseName, Creation, Transfer};
use crate::wire::channel::{Broken, read_within};
use zfs_ffi::{
    BeginRecord, Handle, HistoryPoint, NvList, RECORD_SIZE, ReceiveOptions, ResumePoint, SendFlags, SendOptions,
    SnapshotName,
};

/// How often a watcher hears of the progress.
const TICK: Duration = Duration::from_millis(100);

/// How the library is to send the transfer.
pub(super) fn options(transfer: &Transfer) -> SendOptions {
    let from = transfer.base.as_ref().map(|base| match &base.name {
        BaseName::Snapshot(name) => HistoryPoint::Snapshot(name.clone()),
        BaseName::Bookmark(name) => HistoryPoint::Bookmark(name.clone()),
    });
    let wanted = [
        (transfer.flags.large_blocks, SendFlags::LARGE_BLOCK),
        (transfer.flags.compressed, SendFlags::COMPRESS),
        (transfer.flags.embedded, SendFlags::EMBED),
        (transfer.flags.raw, SendFlags::RAW),
    ];
    let flags = wanted
        .iter()
        .filter(|(wanted, _)| *wanted)
        .fold(SendFlags::empty(), |flags, (_, flag)| flags.union(*flag));
    let resume = transfer.resume.map(|point| ResumePoint {
        object: point.object,
        offset: point.offset,
    });
    SendOptions { from, flags, resume }
}

impl Local {
    pub(super) fn send_stream(
        &self,
        transfer: &Transfer,
        out: PipeWriter,
        watch: Option<&(dyn Fn(u64) + Sync)>,
    ) -> Result<(), Error> {
        let number = out.as_raw_fd();
        let send = || {
            zfs_ffi::with_own_files(out.into(), |out| {
                self.core
                    .send(&transfer.snapshot, &options(transfer), out)
                    .map_err(from_ffi)
            })
        };
        let Some(watch) = watch else { return send() };
        let sent = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Progress is decoration: without it the stream goes on.
                let _ = self.with_handle(|handle| report(handle, transfer, number, &sent, watch));
            });
            let result = send();
            sent.store(true, Ordering::Relaxed);
            result
        })
    }

    pub(super) fn receive_stream(
        &self,
        transfer: &Transfer,
        input: PipeReader,
        within: Option<Duration>,
        begun: &dyn Fn() -> Result<(), Error>,
    ) -> Result<Received, Error> {
        let begin = read_begin(&transfer.into, &input, within)?;
        require_promised(transfer, &begin)?;
        begun()?;
        // N.B. all that opens a file of its own is done by now: the thread below has a table of descriptors of its own.
        let creation = self.creation_of(transfer)?;
        zfs_ffi::with_own_files(input.into(), |input| {
            self.receive_from(transfer, &begin, creation, input)
        })
    }

    fn receive_from(
        &self,
        transfer: &Transfer,
        begin: &BeginRecord,
        creation: Option<&Creation>,
        input: BorrowedFd<'_>,
    ) -> Result<Received, Error> {
        let target = &transfer.into;
        let received = creation.map(received_list).transpose().map_err(from_ffi)?;
        let overrides = creation
            .map(overrides)
            .transpose()
            .map_err(from_ffi)?
            .unwrap_or_default();
        let options = ReceiveOptions {
            resumable: true,
            received: received.as_ref(),
            overrides,
            ..ReceiveOptions::default()
        };
        let done = self.core.receive(target, begin, &options, input).map_err(from_ffi)?;
        let warnings = done.property_errors.iter().map(|item| {
            format!(
                "{target}: property {} was not taken over (error {})",
                item.name, item.errno
            )
        });
        Ok(Received {
            guid: Guid(begin.to_guid()),
            bytes: done.bytes,
            warnings: warnings.collect(),
        })
    }

    /// The properties of a new dataset. To one that is there they would be the end of those that it has.
    fn creation_of<'a>(&self, transfer: &'a Transfer) -> Result<Option<&'a Creation>, Error> {
        let Some(creation) = &transfer.creation else {
            return Ok(None);
        };
        let state = self.state_alone(&transfer.into.dataset())?;
        Ok(state.is_none_or(|state| state.inconsistent).then_some(creation))
    }
}

/// Reads the begin record, which must be there as a whole `within` that time.
fn read_begin(target: &SnapshotName, input: &PipeReader, within: Option<Duration>) -> Result<BeginRecord, Error> {
    // N.B. a sender that fails before its first byte closes the pipe: the cause is on its side.
    let early = |error: &dyn fmt::Display| Error::new(ErrorKind::Interrupted, format!("receive {target}: {error}"));
    let Some(within) = within else {
        return BeginRecord::read_fd(input.as_fd()).map_err(|error| early(&error));
    };
    let mut bytes = [0; RECORD_SIZE];
    read_within(input, &mut bytes, within).map_err(|broken| match broken {
        Broken::Silent(limit) => early(&format!("the stream had not begun after {} s", limit.as_secs())),
        Broken::Closed => early(&"the stream ended early"),
        other => early(&other),
    })?;
    BeginRecord::parse(bytes).map_err(|error| early(&error))
}

/// What may stand behind a begin record. The kernel takes memory of the announced length before it looks at anything; the keys of an encrypted
/// dataset are a few kilobytes.
const LONGEST_PAYLOAD: u32 = 1 << 20;

/// Looks whether the stream is the one that was promised, before the kernel sees it.
fn require_promised(transfer: &Transfer, begin: &BeginRecord) -> Result<(), Error> {
    if begin.payload_len() > LONGEST_PAYLOAD {
        let text = format!(
            "receive {}: the begin record announces {} bytes behind it, and {LONGEST_PAYLOAD} are allowed",
            transfer.into,
            begin.payload_len()
        );
        return Err(Error::new(ErrorKind::BadStream, text));
    }
    let base = transfer.base.as_ref().map(|base| base.guid.0);
    let guid = transfer.guid.map(|guid| guid.0);
    let as_promised =
        !begin.is_compound() && begin.from_guid() == base && guid.is_none_or(|guid| guid == begin.to_guid());
    if as_promised {
        return Ok(());
    }
    let text = format!(
        "receive {}: expected a stream from guid {base:?} to {guid:?}, found one from {:?} to {}",
        transfer.into,
        begin.from_guid(),
        begin.to_guid()
    );
    Err(Error::new(ErrorKind::WrongBase, text))
}

fn received_list(creation: &Creation) -> zfs_ffi::Result<NvList> {
    list(&creation.received)
}

fn overrides(creation: &Creation) -> zfs_ffi::Result<NvList> {
    list(&creation.local)
}

fn list(properties: &[(String, Native)]) -> zfs_ffi::Result<NvList> {
    let mut list = NvList::new();
    for (name, value) in properties {
        match value {
            Native::Text(text) => list.add(name, text.as_str())?,
            Native::Number(number) => list.add(name, *number)?,
        }
    }
    Ok(list)
}

/// Tells the watcher how far the kernel has come, until the stream is sent.
fn report(
    handle: &Handle,
    transfer: &Transfer,
    out: RawFd,
    sent: &AtomicBool,
    watch: &(dyn Fn(u64) + Sync),
) -> Result<(), Error> {
    let snapshot = handle.snapshot(&transfer.snapshot).map_err(from_ffi)?;
    while !sent.load(Ordering::Relaxed) {
        if let Some(progress) = snapshot.send_progress(out).map_err(from_ffi)? {
            watch(progress.bytes);
        }
        thread::sleep(TICK);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
