//! A running guest: QEMU and the ports to it. The guest's half is `guest/init`.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::cleanup::{self, KillOnExit, RunDir};
use super::qemu::{self, Port, Spec};

/// A line on the control port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Kernel and init work; with the kernel's version.
    Hello(String),
    /// The pools are made and main starts; with the version of OpenZFS.
    Ready(String),
    /// Main has ended with this status, and all it wrote is delivered.
    Status(i32),
    /// A shell has started on the guest's terminal.
    Shell,
}

/// How a guest ends that should not have ended.
#[derive(Debug)]
pub enum Failure {
    /// No sign of life in time.
    NeverBooted { console: String },
    /// Its init could not do a step.
    Broken { step: String, console: String },
    /// It ended by itself: a panic, a crash of QEMU.
    Died { console: String },
    /// It lives, but did not come to an end in time.
    TimedOut { seconds: u64, console: String },
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let console = match self {
            Self::NeverBooted { console } => {
                write!(f, "the guest did not boot")?;
                console
            }
            Self::Broken { step, console } => {
                write!(f, "the guest could not be set up: {step}")?;
                console
            }
            Self::Died { console } => {
                write!(f, "the guest died")?;
                console
            }
            Self::TimedOut { seconds, console } => {
                write!(f, "the guest was not done after {seconds} s (--timeout)")?;
                console
            }
        };
        write!(f, "; the end of its console:\n{console}")
    }
}

/// Where a guest's output goes.
pub struct Sinks {
    pub stdout: Box<dyn Write + Send>,
    pub stderr: Box<dyn Write + Send>,
}

impl fmt::Debug for Sinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sinks").finish_non_exhaustive()
    }
}

impl Sinks {
    /// The harness' own standard output and standard error.
    pub fn inherit() -> Self {
        Self {
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
        }
    }

    pub fn discard() -> Self {
        Self {
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
        }
    }
}

/// A running guest. Drop kills it.
#[derive(Debug)]
pub struct Machine {
    qemu: Child,
    kill: Option<KillOnExit>,
    events: Receiver<std::result::Result<Event, String>>,
    relays: Vec<JoinHandle<()>>,
    pub tty: UnixStream,
    dir: RunDir,
}

impl Machine {
    /// Starts QEMU in DIR and connects its ports. To be called from the main thread
    /// (see [`cleanup::dies_with_us`]).
    pub fn start(spec: &Spec, dir: RunDir, sinks: Sinks) -> Result<Self> {
        let listeners = listen(dir.path())?;
        let log = File::create(dir.path().join("qemu.log"))?;
        let mut qemu = cleanup::dies_with_us("qemu-system-x86_64")
            .args(spec.args())
            .current_dir(dir.path())
            .env("TMPDIR", dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("setpriv and qemu-system-x86_64")?;
        let kill = KillOnExit::new(&qemu);
        let [control, stdout, stderr, tty] = match connect(&listeners, &mut qemu) {
            Ok(streams) => streams,
            Err(error) => {
                let _ = qemu.kill();
                let said = fs::read_to_string(dir.path().join("qemu.log")).unwrap_or_default();
                return Err(error.context(format!("QEMU did not start: {}", said.trim())));
            }
        };
        let (send, events) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(control).lines().map_while(io::Result::ok) {
                let _ = send.send(parse(&line));
            }
        });
        let relays = vec![relay(stdout, sinks.stdout), relay(stderr, sinks.stderr)];
        Ok(Self {
            qemu,
            kill: Some(kill),
            events,
            relays,
            tty,
            dir,
        })
    }

    /// Waits for the guest's next event.
    pub fn next(&mut self, limit: Duration) -> std::result::Result<Event, Failure> {
        match self.events.recv_timeout(limit) {
            Ok(Ok(event)) => Ok(event),
            Ok(Err(step)) => Err(Failure::Broken {
                step,
                console: self.console(),
            }),
            Err(RecvTimeoutError::Timeout) => Err(Failure::TimedOut {
                seconds: limit.as_secs(),
                console: self.console(),
            }),
            Err(RecvTimeoutError::Disconnected) => Err(Failure::Died {
                console: self.console(),
            }),
        }
    }

    /// Waits for the first event. KVM that cannot run a normal kernel stops the guest
    /// and leaves QEMU alive, so this looks at what QEMU says, too.
    pub fn hello(&mut self, limit: Duration) -> std::result::Result<Event, Failure> {
        let deadline = Instant::now() + limit;
        loop {
            match self.next(Duration::from_millis(200)) {
                Err(Failure::TimedOut { .. }) if Instant::now() < deadline && !self.stopped() => {}
                Err(Failure::TimedOut { console, .. } | Failure::Died { console }) => {
                    return Err(Failure::NeverBooted { console });
                }
                event => return event,
            }
        }
    }

    fn stopped(&self) -> bool {
        let said = fs::read_to_string(self.dir.path().join("qemu.log")).unwrap_or_default();
        said.contains("KVM internal error") || said.contains("error: kvm run failed")
    }

    /// Waits until the guest is off and all its output is passed on. A guest that
    /// does not find its way off is killed after a few seconds.
    pub fn end(mut self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline && matches!(self.qemu.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        self.kill();
        for relay in self.relays.drain(..) {
            let _ = relay.join();
        }
    }

    /// Cuts the guest's power: it gets no chance to do anything. What it had said up to
    /// then is passed on.
    pub fn cut(mut self) {
        self.kill();
        for relay in self.relays.drain(..) {
            let _ = relay.join();
        }
    }

    fn kill(&mut self) {
        self.kill = None;
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }

    /// The end of what the guest's kernel and QEMU said.
    fn console(&self) -> String {
        let read = |name| fs::read(self.dir.path().join(name)).unwrap_or_default();
        let mut text = tail(&String::from_utf8_lossy(&read(qemu::CONSOLE_LOG)), 30);
        text.push_str(&tail(&String::from_utf8_lossy(&read("qemu.log")), 5));
        if text.is_empty() {
            "(it said nothing)\n".to_owned()
        } else {
            text
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
    }
}

fn listen(dir: &Path) -> Result<[UnixListener; 4]> {
    let mut listeners = Vec::new();
    for port in Port::ALL {
        let path = dir.join(port.name());
        let listener = UnixListener::bind(&path).with_context(|| format!("socket {}", path.display()))?;
        listener.set_nonblocking(true)?;
        listeners.push(listener);
    }
    listeners.try_into().ok().context("one socket per port")
}

fn connect(listeners: &[UnixListener; 4], qemu: &mut Child) -> Result<[UnixStream; 4]> {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut streams = Vec::new();
    while streams.len() < listeners.len() {
        match listeners[streams.len()].accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                streams.push(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if let Some(status) = qemu.try_wait()? {
                    bail!("{status}");
                }
                if Instant::now() > deadline {
                    bail!("it does not connect its ports");
                }
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error.into()),
        }
    }
    streams.try_into().ok().context("one stream per port")
}

/// Passes output on as it comes. If nobody reads ours any more (`lab exec … | head`),
/// there is nothing left to run for.
fn relay(mut from: UnixStream, mut to: Box<dyn Write + Send>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..n]).and_then(|()| to.flush()).is_err() {
                cleanup::exit(141);
            }
        }
    })
}

/// Reads a control line; `Err` is what the guest could not do.
fn parse(line: &str) -> std::result::Result<Event, String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "hello" => Ok(Event::Hello(rest.to_owned())),
        "ready" => Ok(Event::Ready(rest.to_owned())),
        "status" => rest.parse().map(Event::Status).map_err(|_| format!("status {rest:?}")),
        "shell" => Ok(Event::Shell),
        "broken" => Err(rest.to_owned()),
        _ => Err(format!("it says {line:?}")),
    }
}

/// The last lines of a text, each with its line end.
fn tail(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(|line| format!("  {line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_lines() {
        assert_eq!(parse("hello 6.12.1"), Ok(Event::Hello("6.12.1".into())));
        assert_eq!(parse("ready 2.3.9-0"), Ok(Event::Ready("2.3.9-0".into())));
        assert_eq!(parse("status 137"), Ok(Event::Status(137)));
        assert_eq!(parse("shell"), Ok(Event::Shell));
        assert_eq!(parse("broken no pool"), Err("no pool".into()));
    }

    #[test]
    fn an_unknown_line_is_not_taken_for_an_event() {
        assert!(parse("status").is_err());
        assert!(parse("statu").is_err());
        assert!(parse("").is_err());
    }

    #[test]
    fn the_tail_is_short() {
        assert_eq!(tail("a\nb\nc\n", 2), "  b\n  c\n");
        assert_eq!(tail("", 2), "");
    }
}
