//! Streams, each through an ssh of its own.

use std::fmt::Display;
use std::fs::File;
use std::io::{PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use super::command::{receive_command, send_command};
use super::flow::{End, Silence, drain, feed};
use super::{Shell, child, error};
use crate::host::{Error, ErrorKind, Received};
use crate::model::Guid;
use crate::plan::Transfer;
use crate::ssh::quoted;
use rustix::io::ioctl_fionread;
use zfs_ffi::{BeginRecord, SnapshotName};

/// What ssh itself exits with.
const SSH_FAILED: i32 = 255;

impl Shell {
    pub(super) fn receive_stream(&self, transfer: &Transfer, input: PipeReader) -> Result<Received, Error> {
        let what = format!("receive {}", transfer.into);
        let mut input = File::from(OwnedFd::from(input));
        // N.B. a sender that fails before its first byte closes the pipe: the cause is on its side, and nobody needs to be called.
        let begin = BeginRecord::read(&mut input).map_err(|error| interrupted(&what, &error))?;
        require_promised(transfer, &begin)?;
        let peek = input.try_clone().map_err(|error| interrupted(&what, &error))?;
        let (command, mut warnings) = receive_command(transfer);
        let first = begin.as_bytes().to_vec();
        let mut running = self.run(&command, |child, flow| feed(child, flow, first, input))?;
        let (flow, guid) = (Arc::clone(&running.flow), Guid(begin.to_guid()));
        let silence = || match (flow.is_over(), ioctl_fionread(&peek)) {
            (true, _) => Silence::Perhaps,
            (false, Ok(0)) => Silence::NotTheirs,
            (false, Ok(1..) | Err(_)) => Silence::Theirs,
        };
        // As long as the snapshot is not there, `zfs` may be at work on it.
        let attended = self.attend(&running, silence, || Ok(!self.has(&transfer.into, guid)?), |_| {});
        let judged = match attended {
            Ok(()) => self.judged(&what, running.finish()),
            Err(time) => Err(interrupted(&what, &self.silent(time))),
        };
        let said = match judged {
            Err(error) if error.kind == ErrorKind::Interrupted && flow.is_over() => {
                // N.B. perhaps only the last word was lost.
                let arrived = self.has(&transfer.into, guid) == Ok(true);
                if arrived { String::new() } else { return Err(error) }
            }
            judged => judged?,
        };
        flow.await_end();
        warnings.extend(complaints(&transfer.into, &said));
        let bytes = flow.moved() + begin.as_bytes().len() as u64;
        Ok(Received { guid, bytes, warnings })
    }

    pub(super) fn send_stream(
        &self,
        transfer: &Transfer,
        out: PipeWriter,
        watch: Option<&(dyn Fn(u64) + Sync)>,
    ) -> Result<(), Error> {
        let what = format!("send {}", transfer.snapshot);
        if transfer.resume.is_some() {
            // N.B. so the target drops the part that it has, and the next stream begins anew.
            let why = "has no zrep, and zfs goes on with a stream only for its receiver's token";
            return Err(Error::new(
                ErrorKind::BadStream,
                format!("{what}: host {} {why}", self.host),
            ));
        }
        let peek = out.try_clone().map_err(|error| interrupted(&what, &error))?;
        let mut running = self.run(&send_command("", transfer), |child, flow| drain(child, flow, out))?;
        // What waits in the pipe waits for the receiver here.
        let silence = || match ioctl_fionread(&peek) {
            Ok(1..) => Silence::NotTheirs,
            Ok(0) | Err(_) => Silence::Perhaps,
        };
        let tick = |moved| watch.into_iter().for_each(|watch| watch(moved));
        self.attend(&running, silence, || self.is_there(), tick)
            .map_err(|time| interrupted(&what, &self.silent(time)))?;
        if !running.flow.is_over() {
            return Err(interrupted(&what, &"its reader went away"));
        }
        self.judged(&what, running.finish()).map(drop)
    }

    /// How many bytes the stream will have, as `zfs send -nvP` says.
    pub(super) fn stream_size(&self, transfer: &Transfer) -> Result<u64, Error> {
        let answers = self.look_all(&[send_command("-nvP", transfer)])?;
        let rows = answers
            .iter()
            .flat_map(|answer| answer.out.lines().chain(answer.err.lines()));
        let mut sizes = rows.filter_map(|row| row.strip_prefix("size\t")?.trim().parse().ok());
        let untold = || format!("{}: zfs on host {} tells no size", transfer.snapshot, self.host);
        sizes.next_back().ok_or_else(|| Error::new(ErrorKind::Other, untold()))
    }

    /// Whether the snapshot is there.
    fn has(&self, name: &SnapshotName, guid: Guid) -> Result<bool, Error> {
        let get = format!("zfs get -Hp -o value guid {} || :", quoted(name.as_str()));
        let answers = self.look(&[get])?;
        Ok(answers.iter().any(|answer| answer.out.trim().parse() == Ok(guid.0)))
    }

    fn is_there(&self) -> Result<bool, Error> {
        self.look(&[":".to_owned()]).map(|_| true)
    }

    fn silent(&self, time: Duration) -> String {
        let seconds = time.as_secs_f32();
        format!("no byte has moved between here and host {} for {seconds} s", self.host)
    }

    /// What was said on the way to a good end.
    fn judged(&self, what: &str, end: End) -> Result<String, Error> {
        match end.status.and_then(|status| status.code()) {
            Some(0) => Ok(end.words),
            Some(SSH_FAILED) | None => {
                let why = child::told(end.status, &end.words);
                Err(interrupted(what, &format!("host {}: {why}", self.host)))
            }
            Some(_) => Err(error::of_zfs(self.host.as_str(), &end.words)),
        }
    }
}

fn interrupted(what: &str, why: &dyn Display) -> Error {
    Error::new(ErrorKind::Interrupted, format!("{what}: {why}"))
}

/// Looks whether the stream is the one that was promised, before anybody is called.
fn require_promised(transfer: &Transfer, begin: &BeginRecord) -> Result<(), Error> {
    let base = transfer.base.as_ref().map(|base| base.guid.0);
    let guid = transfer.guid.map(|guid| guid.0);
    let (from, to) = (begin.from_guid(), begin.to_guid());
    if !begin.is_compound() && from == base && guid.is_none_or(|guid| guid == to) {
        return Ok(());
    }
    let text = format!(
        "receive {}: expected a stream from guid {base:?} to {guid:?}, found one from {from:?} to {to}",
        transfer.into
    );
    Err(Error::new(ErrorKind::WrongBase, text))
}

/// What a `zfs receive` that succeeded complains about.
fn complaints(target: &SnapshotName, said: &str) -> Option<String> {
    let said = error::one_line(said);
    (!said.is_empty()).then(|| format!("{target}: {said}"))
}
