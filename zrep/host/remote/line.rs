//! The line to another machine: an `ssh` that runs `zrep serve` there, or whatever else has two ends and can be hung up.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::hostname::HostName;
use crate::os;
use crate::ssh::Ssh;

/// What a server writes to stderr while its stdout is busy with a stream: it lives, and has sent so many bytes.
pub const WORKING: &str = "zrep serve: working ";

/// A line of stderr is no longer than this.
const LONGEST: u64 = 4096;

/// So many lines of stderr are kept, for the explanation of an early end.
const KEPT: usize = 6;

/// So long a program may take to end after its input has ended.
const FAREWELL: Duration = Duration::from_millis(500);

/// Dials another machine.
pub trait Dial: Send + Sync + fmt::Debug {
    /// The machine, for messages.
    fn host(&self) -> &str;
    /// Begins a session.
    fn dial(&self) -> io::Result<Line>;
}

/// Hears the lines that the other side writes to stderr.
pub type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// An open line. Dropped, it is hung up.
#[derive(Debug)]
pub struct Line {
    /// What the other side says.
    pub input: PipeReader,
    /// What is said to it.
    pub out: PipeWriter,
    /// Who carries it.
    pub carrier: Box<dyn Carrier>,
}

/// Who carries a line.
pub trait Carrier: Send + fmt::Debug {
    /// Why it ended, and what helps, if it ended before the other side said a word.
    fn explained(&mut self) -> Explained;
    /// When the other side last gave a sign of life beside the line, and how many bytes it had sent by then.
    fn heard(&self) -> Arc<Mutex<Heard>>;
    /// Ends the session at once, whoever waits in it.
    fn hang_up(&mut self);
    /// Does the same from another thread, and nothing if the session has ended already.
    fn alarm(&self) -> Box<dyn FnOnce() + Send>;
    /// From now on the other side's words are passed on.
    fn welcomed(&mut self) {}
}

/// An early end in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What happened.
    pub what: String,
    /// What helps.
    pub help: String,
    /// The machine was reached, and there is no zrep on it.
    pub is_without_zrep: bool,
}

/// Signs of life.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// The last one.
    pub at: Instant,
    /// The bytes that the other side had sent.
    pub bytes: u64,
}

/// Dials by ssh.
pub struct SshDial {
    ssh: Ssh,
    host: HostName,
    /// The session is not to hear what the terminal's user types: ^C ends a loop after its step.
    apart: bool,
    listener: Listener,
}

impl fmt::Debug for SshDial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SshDial")
            .field("ssh", &self.ssh)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl SshDial {
    /// Dials `host` by `ssh`. What the other side writes to stderr goes to `listener`.
    pub fn new(ssh: Ssh, host: HostName, apart: bool, listener: Listener) -> Self {
        Self {
            ssh,
            host,
            apart,
            listener,
        }
    }
}

impl Dial for SshDial {
    fn host(&self) -> &str {
        self.host.as_str()
    }

    fn dial(&self) -> io::Result<Line> {
        let remote = self.ssh.serve_words();
        let mut command = if self.apart {
            self.ssh.command_apart(&self.host, &remote)
        } else {
            self.ssh.command(&self.host, &remote)
        };
        let mut child = command.spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("ssh without pipes"));
        };
        let out = PipeWriter::from(OwnedFd::from(stdin));
        os::enlarge(&out);
        let words = Arc::new(Words::new(Arc::clone(&self.listener)));
        let listening = Arc::clone(&words);
        let listener = thread::Builder::new()
            .name("stderr".into())
            .spawn(move || listening.listen(stderr))?;
        Ok(Line {
            input: PipeReader::from(OwnedFd::from(stdout)),
            out,
            carrier: Box::new(SshCarrier {
                child: Arc::new(Mutex::new(child)),
                words,
                listener: Some(listener),
                ssh: self.ssh.clone(),
                host: self.host.clone(),
            }),
        })
    }
}

/// What came on stderr.
struct Words {
    heard: Arc<Mutex<Heard>>,
    kept: Mutex<Kept>,
    listener: Listener,
}

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    passed_on: bool,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words")
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

impl Words {
    fn new(listener: Listener) -> Self {
        let heard = Heard {
            at: Instant::now(),
            bytes: 0,
        };
        Self {
            heard: Arc::new(Mutex::new(heard)),
            kept: Mutex::default(),
            listener,
        }
    }

    fn listen(&self, stderr: ChildStderr) {
        for line in short_lines(BufReader::new(stderr)) {
            let Ok(line) = line else { return };
            self.hear(String::from_utf8_lossy(&line).trim_end());
        }
    }

    fn hear(&self, line: &str) {
        if let Some(bytes) = line.strip_prefix(WORKING).and_then(|bytes| bytes.parse().ok()) {
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Heard {
                at: Instant::now(),
                bytes,
            };
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.passed_on {
            (self.listener)(line);
            return;
        }
        kept.lines.push_back(line.chars().take(500).collect());
        if kept.lines.len() > KEPT {
            kept.lines.pop_front();
        }
    }

    fn pass_on(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.passed_on = true;
        kept.lines.drain(..).for_each(|line| (self.listener)(&line));
    }

    fn joined(&self) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = kept
            .lines
            .iter()
            .map(String::as_str)
            .filter(|line| !line.is_empty())
            .collect();
        lines.join("; ")
    }
}

#[derive(Debug)]
struct SshCarrier {
    /// N.B. shared with alarms: a child that was waited for knows so, and its number is not used any more.
    child: Arc<Mutex<Child>>,
    words: Arc<Words>,
    listener: Option<thread::JoinHandle<()>>,
    ssh: Ssh,
    host: HostName,
}

impl SshCarrier {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its exit status, if it ends by itself in time.
    fn ended(&mut self) -> Option<Option<i32>> {
        let deadline = Instant::now() + FAREWELL;
        loop {
            match self.child().try_wait() {
                Ok(Some(status)) => return Some(status.code()),
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

impl Carrier for SshCarrier {
    fn explained(&mut self) -> Explained {
        let exit = self.ended();
        if exit.is_none() {
            self.hang_up();
        }
        // All of stderr is there once its last writer has ended.
        if let Some(listener) = self.listener.take().filter(|_| exit.is_some()) {
            let _ = listener.join();
        }
        let exit = exit.flatten();
        let (what, help) = self.ssh.explained(&self.host, exit);
        let said = self.words.joined();
        let what = if said.is_empty() {
            what
        } else {
            format!("{what}: {said}")
        };
        Explained {
            what,
            help,
            is_without_zrep: !matches!(exit, Some(255) | None),
        }
    }

    fn heard(&self) -> Arc<Mutex<Heard>> {
        Arc::clone(&self.words.heard)
    }

    fn hang_up(&mut self) {
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }

    fn alarm(&self) -> Box<dyn FnOnce() + Send> {
        let child = Arc::clone(&self.child);
        Box::new(move || {
            // N.B. not waited for here: who holds the carrier does that.
            let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
        })
    }

    fn welcomed(&mut self) {
        self.words.pass_on();
    }
}

impl Drop for SshCarrier {
    fn drop(&mut self) {
        // Its input has ended with the channel, which is dropped first: a server that is idle ends by itself.
        if self.ended().is_none() {
            self.hang_up();
        }
    }
}
/// The lines of a text that somebody else writes: what is longer comes in pieces.
fn short_lines(mut input: impl BufRead) -> impl Iterator<Item = io::Result<Vec<u8>>> {
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        match io::Read::take(&mut input, LONGEST).read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => {
                line.pop_if(|last| *last == b'\n');
                Some(Ok(line))
            }
            Err(error) => Some(Err(error)),
        }
    })
}
