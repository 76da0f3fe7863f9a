//! The ssh of a stream, and the thread that stands between its pipe and ours.
//!
//! The thread lets the kernel move the bytes from pipe to pipe where the system can do that (`splice` on Linux, which [`io::copy`] uses).
//! So it is known how many bytes have passed, and when none passes any more: an ssh at a dead connection would wait for hours.

use std::fs::File;
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdout, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::Shell;
use super::child::{self, Words};
use super::script::alone;
use crate::host::{Error, ErrorKind};
use crate::os;

/// So many bytes are moved between two looks at the count.
const CHUNK: u64 = 64 << 10;

/// How often the count is looked at.
const TICK: Duration = Duration::from_millis(100);

/// So many times the patience may pass without a byte, while the other machine answers: it may have much to write, or to look for.
const STANDSTILL: u32 = 10;

/// How far a stream has come.
#[derive(Debug, Default)]
pub(super) struct Flow {
    moved: AtomicU64,
    /// All that there was has been handed on.
    over: AtomicBool,
}

impl Flow {
    pub(super) fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits a moment for the sender to close its end: only then the last bytes are counted.
    pub(super) fn await_end(&self) {
        let deadline = Instant::now() + child::FAREWELL;
        while !self.is_over() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Hands everything on, until one of the ends is closed.
    fn carry(&self, mut from: File, mut to: File) -> io::Result<()> {
        loop {
            match io::copy(&mut Read::by_ref(&mut from).take(CHUNK), &mut to)? {
                0 => break,
                bytes => self.moved.fetch_add(bytes, Ordering::Relaxed),
            };
        }
        self.over.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// The ssh of a stream. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    words: Words,
    pub(super) flow: Arc<Flow>,
    /// Is disconnected when the other side has nothing more to say.
    ended: Receiver<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        child::end(&mut self.child);
    }
}

impl Running {
    /// Waits for the end by itself.
    pub(super) fn finish(&mut self) -> End {
        let status = child::wait(&mut self.child, child::FAREWELL);
        let words = self.words.text();
        End { status, words }
    }
}

/// How it ended.
#[derive(Debug)]
pub(super) struct End {
    /// `None` if it was killed, or had to be.
    pub(super) status: Option<ExitStatus>,
    /// What it wrote to stderr.
    pub(super) words: String,
}

/// What a stream's silence may mean.
pub(super) enum Silence {
    /// It is not the other machine's turn.
    NotTheirs,
    /// They should have moved something.
    Theirs,
    /// They may be at work without moving anything.
    Perhaps,
}

impl Shell {
    /// Runs the command there, with the stream's thread at one of its ends.
    pub(super) fn run(
        &self,
        command: &str,
        connect: impl FnOnce(&mut Child, &Arc<Flow>) -> io::Result<Receiver<()>>,
    ) -> Result<Running, Error> {
        let failed = |error: io::Error| {
            Error::new(
                ErrorKind::Unreachable,
                format!("host {}: cannot start ssh: {error}", self.host),
            )
        };
        let mut child = self.command(&alone(command)).spawn().map_err(failed)?;
        let words = Words::of(child.stderr.take());
        let flow = Arc::new(Flow::default());
        match connect(&mut child, &flow) {
            Ok(ended) => Ok(Running {
                child,
                words,
                flow,
                ended,
            }),
            Err(error) => {
                child::end(&mut child);
                Err(failed(error))
            }
        }
    }

    /// Waits for the other side's last word, or gives up: then it tells how long nothing has moved.
    ///
    /// `answers` is asked where that may have a good reason, and `tick` is called often.
    pub(super) fn attend(
        &self,
        running: &Running,
        silence: impl Fn() -> Silence,
        answers: impl Fn() -> Result<bool, Error>,
        tick: impl Fn(u64),
    ) -> Result<(), Duration> {
        let mut last = (0, Instant::now());
        let mut standstill = 0;
        while running.ended.recv_timeout(TICK.min(self.patience)) == Err(RecvTimeoutError::Timeout) {
            let moved = running.flow.moved();
            tick(moved);
            let silence = silence();
            if moved != last.0 || matches!(silence, Silence::NotTheirs) {
                last = (moved, Instant::now());
                standstill = 0;
            }
            if last.1.elapsed() < self.patience {
                continue;
            }
            standstill += 1;
            let goes_on = matches!(silence, Silence::Perhaps) && standstill < STANDSTILL && answers() == Ok(true);
            if !goes_on {
                return Err(self.patience * standstill);
            }
            last.1 = Instant::now();
        }
        Ok(())
    }
}

/// The stream's thread in front of the ssh, and one for the few words that `zfs receive` may have to say.
pub(super) fn feed(child: &mut Child, flow: &Arc<Flow>, first: Vec<u8>, input: File) -> io::Result<Receiver<()>> {
    let stdin = child.stdin.take().ok_or_else(no_pipe)?;
    os::enlarge(&stdin);
    let (mut stdin, flow) = (File::from(OwnedFd::from(stdin)), Arc::clone(flow));
    thread::Builder::new().name("stream".into()).spawn(move || {
        // N.B. a receiver that goes away has said why. The sender hears of it when this end of its pipe is closed.
        let _ = stdin.write_all(&first).and_then(|()| flow.carry(input, stdin));
    })?;
    let stdout = child.stdout.take().ok_or_else(no_pipe)?;
    let (end, ended) = mpsc::channel();
    thread::Builder::new().name("stdout".into()).spawn(move || {
        discard(stdout);
        drop(end);
    })?;
    Ok(ended)
}

/// The stream's thread behind the ssh.
pub(super) fn drain(child: &mut Child, flow: &Arc<Flow>, out: PipeWriter) -> io::Result<Receiver<()>> {
    drop(child.stdin.take());
    let stdout = child.stdout.take().ok_or_else(no_pipe)?;
    let (end, ended) = mpsc::channel();
    let flow = Arc::clone(flow);
    thread::Builder::new().name("stream".into()).spawn(move || {
        let _ = flow.carry(File::from(OwnedFd::from(stdout)), File::from(OwnedFd::from(out)));
        drop(end);
    })?;
    Ok(ended)
}

fn no_pipe() -> io::Error {
    io::Error::other("no pipe to it")
}

fn discard(stdout: ChildStdout) {
    let _ = io::copy(&mut { stdout }, &mut io::sink());
}
