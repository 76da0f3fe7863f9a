//! Signs of life while a request is at work: the client waits as long as it gets them.

use std::io::{self, PipeWriter};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::os;
use crate::ui;
use crate::wire::channel::{has_room, write_frame};
use crate::wire::message::Reply;

/// So many signs are given within a client's patience.
const SIGNS: u32 = 6;

/// A client that does not write, or not read, for so many times its patience in the middle of a stream is given up. It may be at work
/// itself: a sender that looks for changes in a large dataset writes nothing for minutes, and a receiver waits for its disks.
pub(super) const STANDSTILL: u32 = 10;

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Idle,
    /// In frames, as the answer to a request.
    Request(u32),
    /// On stderr, because a stream is on stdout.
    Beside,
}

/// The thread that tells it.
#[derive(Debug)]
pub(super) struct Pulse {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    work: Mutex<Work>,
    changed: Condvar,
    ended: AtomicBool,
    /// A stream is being read or written.
    streams: AtomicBool,
}

/// As long as it lives, signs are given.
#[derive(Debug)]
#[must_use = "the signs end when it is dropped"]
pub(super) struct Beat(Arc<Shared>);

impl Pulse {
    pub(super) fn new(out: PipeWriter, patience: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            work: Mutex::new(Work::Idle),
            changed: Condvar::new(),
            ended: AtomicBool::new(false),
            streams: AtomicBool::new(false),
        });
        let telling = Arc::clone(&shared);
        thread::Builder::new()
            .name("pulse".into())
            .spawn(move || telling.run(out, patience))?;
        Ok(Self { shared })
    }

    /// Tells that request `number` is at work.
    pub(super) fn beat(&self, number: u32) -> Beat {
        self.shared.set(Work::Request(number));
        Beat(Arc::clone(&self.shared))
    }

    /// Tells it on stderr.
    pub(super) fn beat_beside(&self) -> Beat {
        self.shared.set(Work::Beside);
        Beat(Arc::clone(&self.shared))
    }

    /// Does `work`, which reads or writes a stream, and sees to it that the stream moves.
    pub(super) fn counting<T>(&self, work: impl FnOnce() -> T) -> T {
        self.shared.streams.store(true, Ordering::Relaxed);
        let result = work();
        self.shared.streams.store(false, Ordering::Relaxed);
        result
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        // N.B. takes the lock that a sign is written under: behind this, nobody else writes to stdout.
        self.0.set(Work::Idle);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, work: Work) {
        *self.lock() = work;
        self.changed.notify_all();
    }

    fn run(&self, mut out: PipeWriter, patience: Duration) {
        let _undisturbed = zfs_ffi::signals::BlockAll::new();
        let mut stream = Standstill::new(patience * STANDSTILL);
        let mut work = self.lock();
        while !self.ended.load(Ordering::Relaxed) {
            if *work == Work::Idle {
                stream.forget();
                work = self.changed.wait(work).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let told = *work;
            let waited = self
                .changed
                .wait_timeout(work, patience / SIGNS)
                .unwrap_or_else(PoisonError::into_inner);
            work = waited.0;
            if waited.1.timed_out() && *work == told {
                self.tell(&work, &mut out, patience, &mut stream);
            }
        }
    }

    fn tell(&self, work: &Work, out: &mut PipeWriter, patience: Duration, stream: &mut Standstill) {
        let streams = self.streams.load(Ordering::Relaxed);
        let bytes = streams.then(os::bytes_moved_by_others).flatten();
        // Who has room left to write into is looking for what to send, and not waiting for its reader.
        if *work == Work::Beside && has_room(out) {
            stream.forget();
        }
        if bytes.is_some_and(|bytes| stream.stands(bytes)) {
            // N.B. the thread that waits for the stream sits in the kernel; only the end of the process gets it out of there.
            let done = if *work == Work::Beside { "read" } else { "sent" };
            ui::server_note(&format!("the client has {done} nothing for too long; giving it up"));
            std::process::exit(1);
        }
        match work {
            Work::Idle => {}
            Work::Beside => ui::server_working(0),
            Work::Request(number) => {
                let reply = Reply::Working(bytes.unwrap_or(0));
                // A client that is gone is noticed by whoever answers.
                let _ = write_frame(out, patience, reply.kind(), *number, &reply.encode());
            }
        }
    }
}

/// How long a stream has been at the same byte.
#[derive(Debug)]
struct Standstill {
    limit: Duration,
    bytes: u64,
    since: Option<Instant>,
}

impl Standstill {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            bytes: 0,
            since: None,
        }
    }

    fn forget(&mut self) {
        self.since = None;
    }

    fn stands(&mut self, bytes: u64) -> bool {
        match self.since {
            Some(since) if bytes == self.bytes => since.elapsed() > self.limit,
            Some(_) | None => {
                (self.bytes, self.since) = (bytes, Some(Instant::now()));
                false
            }
        }
    }
}
