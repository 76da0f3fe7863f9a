//! The program `agent`: the lab's hand in a guest. It reads orders from the guest's
//! terminal port and runs commands, as many at a time as it is told to; what they say
//! goes to its standard output, line by line. What has left the guest on that way has
//! left it for good: a guest that is killed in the next moment cannot take it back.

pub mod words;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use words::{How, Order, Report, Word};

/// The terminal port, as the guest sees it.
const TERMINAL: &str = "/dev/hvc0";

/// The program `agent`.
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The process groups that run now, by the numbers of their orders.
type Running = Arc<Mutex<BTreeMap<u64, Pid>>>;

fn serve() -> Result<()> {
    let orders = raw_terminal().context(TERMINAL)?;
    let running = Running::default();
    report(&Report::up());
    for line in BufReader::new(orders).lines() {
        match Order::parse(&line?) {
            Some(Order::Run { number, command }) => run(number, &command, &running),
            Some(Order::End { number, how }) => end(number, how, &running),
            // What is not understood cannot be answered: it has no number.
            None => {}
        }
    }
    Ok(())
}

/// Nothing is echoed, no line is too long, and no character means anything.
fn raw_terminal() -> Result<File> {
    let terminal = File::options().read(true).write(true).open(TERMINAL)?;
    let mut settings = tcgetattr(&terminal)?;
    settings.make_raw();
    tcsetattr(&terminal, OptionalActions::Now, &settings)?;
    Ok(terminal)
}

fn run(number: u64, command: &str, running: &Running) {
    let started = Command::new("bash")
        .args(["-c", command])
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    match started {
        Ok(child) => {
            lock(running).insert(number, Pid::from_child(&child));
            let running = Arc::clone(running);
            thread::spawn(move || attend(number, child, &running));
        }
        Err(error) => {
            report(&Report::new(number, Word::Err(format!("bash: {error}"))));
            report(&Report::new(number, Word::Exit(127)));
        }
    }
}

/// Says what the child says, and then how it ended.
fn attend(number: u64, mut child: Child, running: &Running) {
    let relays = [
        child.stdout.take().map(|pipe| relay(number, pipe, Word::Out)),
        child.stderr.take().map(|pipe| relay(number, pipe, Word::Err)),
    ];
    for relay in relays.into_iter().flatten() {
        let _ = relay.join();
    }
    let status = child.wait().map_or(127, |status| {
        status.code().unwrap_or(128 + status.signal().unwrap_or(0))
    });
    lock(running).remove(&number);
    report(&Report::new(number, Word::Exit(status)));
}

fn relay(number: u64, pipe: impl Read + Send + 'static, word: fn(String) -> Word) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(io::Result::ok) {
            report(&Report::new(number, word(String::from_utf8_lossy(&line).into_owned())));
        }
    })
}

fn end(number: u64, how: How, running: &Running) {
    let signal = match how {
        How::Term => Signal::TERM,
        How::Kill => Signal::KILL,
    };
    if let Some(group) = lock(running).get(&number) {
        let _ = kill_process_group(*group, signal);
    }
}

/// One write per line, so that lines of several commands do not mix.
fn report(report: &Report) {
    let mut out = io::stdout().lock();
    let _ = out
        .write_all(format!("{report}\n").as_bytes())
        .and_then(|()| out.flush());
}

fn lock(running: &Running) -> MutexGuard<'_, BTreeMap<u64, Pid>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
