//! The lab's half of [`crate::agent`]: gives orders to a guest, and keeps apart what
//! comes back.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::agent::words::{How, Order, Report, Word};

/// Who waits for the words of which order. The agent's own number is 0.
#[derive(Debug, Default)]
struct Waiting(HashMap<u64, Sender<Word>>);

/// Takes orders to one life of a guest.
#[derive(Debug)]
pub struct Orders {
    to: Arc<Mutex<UnixStream>>,
    waiting: Arc<Mutex<Waiting>>,
    next: Mutex<u64>,
}

/// What a guest says, on its way to who waits for it. Drop means that the guest is dead.
#[derive(Debug)]
pub struct Reports {
    waiting: Arc<Mutex<Waiting>>,
    rest: Vec<u8>,
}

/// A path for a guest's words, made before the guest is.
#[derive(Debug)]
pub struct Post {
    waiting: Arc<Mutex<Waiting>>,
    up: Receiver<Word>,
}

impl Post {
    pub fn open() -> (Self, Reports) {
        let waiting = Arc::new(Mutex::new(Waiting::default()));
        let (send, up) = mpsc::channel();
        lock(&waiting).0.insert(0, send);
        let reports = Reports {
            waiting: Arc::clone(&waiting),
            rest: Vec::new(),
        };
        (Self { waiting, up }, reports)
    }

    /// Waits for the agent, which takes orders on TERMINAL.
    pub fn meet(self, terminal: &UnixStream, limit: Duration) -> Result<Orders> {
        self.up
            .recv_timeout(limit)
            .context("the guest's agent does not start")?;
        Ok(Orders {
            to: Arc::new(Mutex::new(terminal.try_clone()?)),
            waiting: self.waiting,
            next: Mutex::new(1),
        })
    }
}

impl Orders {
    /// Starts COMMAND, for bash.
    pub fn start(&self, command: &str) -> Result<Job> {
        let number = {
            let mut next = lock(&self.next);
            *next += 1;
            *next
        };
        let (send, words) = mpsc::channel();
        lock(&self.waiting).0.insert(number, send);
        let job = Job {
            number,
            to: Arc::clone(&self.to),
            words,
            said: Said {
                command: command.to_owned(),
                ..Said::default()
            },
            since: Instant::now(),
        };
        let command = command.to_owned();
        job.order(&Order::Run { number, command })?;
        Ok(job)
    }
}

/// A command that was started.
#[derive(Debug)]
pub struct Job {
    number: u64,
    to: Arc<Mutex<UnixStream>>,
    words: Receiver<Word>,
    said: Said,
    since: Instant,
}

/// What a command has said up to now.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub command: String,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
    pub end: Option<End>,
    /// From its order to its end.
    pub took: Duration,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this status.
    Exit(i32),
    /// With its guest.
    PowerCut,
}

impl Job {
    /// Takes in all that has come up to now.
    pub fn look(&mut self) -> &Said {
        while self.said.end.is_none() && self.hear(Duration::ZERO) {}
        &self.said
    }

    /// Waits until it has ended or has said a line more.
    pub fn until(&mut self, limit: Duration, enough: impl Fn(&Said) -> bool) -> Result<&Said> {
        let deadline = Instant::now() + limit;
        while !enough(&self.said) && self.said.end.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if !self.hear(left) {
                bail!("not so far within {} s: {}", limit.as_secs(), self.said);
            }
        }
        Ok(&self.said)
    }

    /// Waits for its end.
    pub fn wait(&mut self, limit: Duration) -> Result<&Said> {
        self.until(limit, |_| false)
    }

    pub fn end(&self, how: How) -> Result<()> {
        let number = self.number;
        self.order(&Order::End { number, how })
    }

    /// Since its order.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    fn order(&self, order: &Order) -> Result<()> {
        let line = format!("{order}\n");
        lock(&self.to)
            .write_all(line.as_bytes())
            .context("an order to the guest")
    }

    /// Hears one word more; false if none comes within the limit.
    fn hear(&mut self, limit: Duration) -> bool {
        let word = match self.words.recv_timeout(limit) {
            Ok(word) => word,
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => {
                self.ended(End::PowerCut);
                return true;
            }
        };
        match word {
            Word::Up => {}
            Word::Out(line) => self.said.stdout.push(line),
            Word::Err(line) => self.said.stderr.push(line),
            Word::Exit(status) => self.ended(End::Exit(status)),
        }
        true
    }

    fn ended(&mut self, end: End) {
        self.said.end = Some(end);
        self.said.took = self.since.elapsed();
    }
}

impl Said {
    pub fn ok(&self) -> bool {
        self.end == Some(End::Exit(0))
    }

    /// The command must have ended well; else what it said is the error.
    pub fn expect_ok(&self, what: &str) -> Result<&Self> {
        ensure!(self.ok(), "{what}: {self}");
        Ok(self)
    }

    /// How it ended, in a word or two.
    pub fn status(&self) -> String {
        match self.end {
            None => "no end".to_owned(),
            Some(End::Exit(0)) => "done".to_owned(),
            Some(End::Exit(status)) => format!("status {status}"),
            Some(End::PowerCut) => "cut off".to_owned(),
        }
    }

    /// Whether the text is in what it said, on either output.
    pub fn says(&self, text: &str) -> bool {
        self.stdout.iter().chain(&self.stderr).any(|line| line.contains(text))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            command,
            stdout,
            stderr,
            end: _,
            took: _,
        } = self;
        write!(f, "{command}: {}", self.status())?;
        stdout
            .iter()
            .chain(stderr)
            .try_for_each(|line| write!(f, "\n    {line}"))
    }
}

impl Write for Reports {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            if let Some(report) = Report::parse(String::from_utf8_lossy(&line).trim_end_matches('\n')) {
                lock(&self.waiting).pass_on(report);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        lock(&self.waiting).0.clear();
    }
}

impl Waiting {
    fn pass_on(&mut self, report: Report) {
        let Report { number, word } = report;
        let last = matches!(word, Word::Exit(_));
        if let Some(who) = self.0.get(&number) {
            // Nobody may wait any more.
            let _ = who.send(word);
        }
        if last {
            self.0.remove(&number);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn guest() -> (Orders, Reports, BufReader<UnixStream>) {
        let (here, there) = UnixStream::pair().unwrap();
        let (post, mut reports) = Post::open();
        reports.write_all(b"up\n").unwrap();
        (post.meet(&here, SOON).unwrap(), reports, BufReader::new(there))
    }

    #[test]
    fn each_command_gets_its_own_words() {
        let (orders, mut reports, mut terminal) = guest();
        let (mut one, mut two) = (orders.start("one").unwrap(), orders.start("two").unwrap());
        let mut line = String::new();
        terminal.read_line(&mut line).unwrap();
        assert_eq!(line, format!("run {} one\n", one.number));
        let text = format!(
            "{0} out a\n{1} out b\n{0} err c\n{1} exit 3\n{0} exit 0\n",
            one.number, two.number
        );
        // In pieces, as a stream may bring it.
        for byte in text.bytes() {
            reports.write_all(&[byte]).unwrap();
        }
        let said = one.wait(SOON).unwrap();
        assert!(said.ok() && said.stdout == ["a"] && said.stderr == ["c"], "{said}");
        let said = two.wait(SOON).unwrap();
        assert_eq!(
            (said.end, &said.stdout[..]),
            (Some(End::Exit(3)), &["b".to_owned()][..])
        );
    }

    #[test]
    fn what_was_said_before_a_power_cut_stays_said() {
        let (orders, mut reports, _terminal) = guest();
        let mut job = orders.start("one").unwrap();
        reports
            .write_all(format!("{} out 17\n{} out 1", job.number, job.number).as_bytes())
            .unwrap();
        drop(reports);
        let said = job.wait(SOON).unwrap();
        assert_eq!(
            (said.end, &said.stdout[..]),
            (Some(End::PowerCut), &["17".to_owned()][..])
        );
    }
}
