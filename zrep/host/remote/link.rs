//! A session with a server: who is there, and one request after the other.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::line::{Carrier, Dial, Heard, Line};
use crate::host::{Carried, Error, ErrorKind};
use crate::wire::channel::{Broken, Channel};
use crate::wire::frame::{BadHeader, LONGEST_ANSWER};
use crate::wire::message::{Hello, Reply, Request, Welcome};

/// So many times the patience may pass without a byte of a stream, while the other side lives.
const STANDSTILL: u32 = 10;

/// Work that cannot be counted may take so many times that long: a busy pool takes its time, and no pool takes for ever.
const UNCOUNTED: u32 = 6;

/// An open session.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) welcome: Welcome,
    // N.B. dropped before the carrier, whose program ends with its input.
    pub(super) channel: Channel,
    pub(super) carrier: Box<dyn Carrier>,
    number: u32,
    pub(super) used: Instant,
}

/// Why there is no session.
#[derive(Debug)]
pub enum NoSession {
    /// The machine was reached, and has no zrep that serves.
    WithoutZrep(Error),
    /// It was not reached, or its zrep refused.
    Failed(Error),
}

impl From<NoSession> for Error {
    fn from(no: NoSession) -> Self {
        match no {
            NoSession::WithoutZrep(error) | NoSession::Failed(error) => error,
        }
    }
}

impl fmt::Display for NoSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithoutZrep(error) | Self::Failed(error) => error.fmt(f),
        }
    }
}

impl Link {
    /// Dials, and says hello.
    pub(super) fn open(dial: &dyn Dial, hello: &Hello) -> Result<Self, NoSession> {
        let host = dial.host();
        let failed = |text: String| NoSession::Failed(Error::new(ErrorKind::Unreachable, text));
        let Line { input, out, carrier } = dial
            .dial()
            .map_err(|error| failed(format!("host {host}: cannot start ssh: {error}")))?;
        let patience = Duration::from_secs(hello.patience.into());
        let mut channel = Channel::new(input, out, patience, LONGEST_ANSWER);
        match greet(&mut channel, hello) {
            Ok(Reply::Welcome(welcome)) => {
                let mut carrier = carrier;
                carrier.welcomed();
                Ok(Self {
                    welcome,
                    channel,
                    carrier,
                    number: 0,
                    used: Instant::now(),
                })
            }
            Ok(Reply::Failed(error)) => Err(NoSession::Failed(of_host(host, error))),
            Ok(other) => Err(failed(format!(
                "host {host}: an answer of type {:#04x} to a hello",
                other.kind()
            ))),
            Err(broken) => Err(unanswered(host, broken, channel, carrier)),
        }
    }

    /// Asks, and waits for the answer. After an error the session is of no more use.
    pub(super) fn ask(&mut self, request: &Request) -> Result<Reply, Broken> {
        let number = self.begin(request)?;
        // A question takes no stream's time.
        let limit = self.channel.patience() * STANDSTILL;
        let begun = Instant::now();
        loop {
            match self.channel.reply(number)? {
                Reply::Working(_) if begun.elapsed() > limit => return Err(Broken::Silent(limit)),
                Reply::Working(_) => {}
                reply => {
                    self.used = Instant::now();
                    return Ok(reply);
                }
            }
        }
    }

    /// Asks.
    pub(super) fn begin(&mut self, request: &Request) -> Result<u32, Broken> {
        self.number += 1;
        self.used = Instant::now();
        self.channel.ask(self.number, request)?;
        Ok(self.number)
    }

    /// Waits for the answer, as long as the other side says that it is at work on it and that something moves.
    pub(super) fn answer(&mut self, number: u32, working: &mut dyn FnMut(u64)) -> Result<Reply, Broken> {
        let limit = self.channel.patience() * STANDSTILL;
        let mut moved = (0, Instant::now());
        loop {
            match self.channel.reply(number)? {
                // Before and behind a stream, or where its bytes cannot be counted.
                Reply::Working(0) if moved.1.elapsed() > limit * UNCOUNTED => {
                    return Err(Broken::Silent(limit * UNCOUNTED));
                }
                Reply::Working(0) => {}
                Reply::Working(bytes) if bytes == moved.0 && moved.1.elapsed() > limit => {
                    return Err(Broken::Silent(limit));
                }
                Reply::Working(bytes) if bytes == moved.0 => {}
                Reply::Working(bytes) => {
                    moved = (bytes, Instant::now());
                    working(bytes);
                }
                reply => {
                    self.used = Instant::now();
                    return Ok(reply);
                }
            }
        }
    }

    /// Waits for what came of a stream.
    pub(super) fn carried(&mut self, number: u32) -> Result<Result<Carried, Error>, Broken> {
        match self.answer(number, &mut |_| {})? {
            Reply::Carried(carried) => Ok(Ok(carried)),
            Reply::Failed(error) => Ok(Err(error)),
            other => Err(out_of_turn(&other)),
        }
    }

    pub(super) fn heard(&self) -> Arc<Mutex<Heard>> {
        self.carrier.heard()
    }
}

pub(super) fn out_of_turn(reply: &Reply) -> Broken {
    Broken::OutOfTurn(format!("an answer of type {:#04x}", reply.kind()))
}

/// The other side's error, with its name.
pub(super) fn of_host(host: &str, error: Error) -> Error {
    Error {
        text: format!("{} (on host {host})", error.text),
        ..error
    }
}

fn greet(channel: &mut Channel, hello: &Hello) -> Result<Reply, Broken> {
    channel.ask(0, &Request::Hello(hello.clone()))?;
    channel.reply(0)
}

/// Nobody has said welcome: ssh, the shell there, or another program can tell why.
fn unanswered(host: &str, broken: Broken, channel: Channel, mut carrier: Box<dyn Carrier>) -> NoSession {
    let unreachable = |text: String, help: String| Error::new(ErrorKind::Unreachable, text).with_hint(help);
    match broken {
        Broken::Header(BadHeader::Magic(bytes)) => {
            let said = String::from_utf8_lossy(&bytes).into_owned();
            let text = format!("host {host}: expected zrep's answer, found the text {said:?}");
            let help =
                "its login scripts must print nothing for a command; or its zrep is one that cannot serve".into();
            NoSession::WithoutZrep(unreachable(text, help))
        }
        Broken::Closed => {
            drop(channel);
            let explained = carrier.explained();
            let error = unreachable(explained.what, explained.help);
            if explained.is_without_zrep {
                NoSession::WithoutZrep(error)
            } else {
                NoSession::Failed(error)
            }
        }
        other => {
            carrier.hang_up();
            let help =
                format!("look whether {host} is in reach, and whether ssh asks for something: `ssh {host} true`");
            NoSession::Failed(unreachable(format!("host {host}: {other}"), help))
        }
    }
}
