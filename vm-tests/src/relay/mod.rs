//! `relay OPTION… COMMAND…` runs COMMAND, which is ssh most of the time, and stands
//! between it and its caller: bytes take their time, or stop coming in the middle.
//!
//! ```text
//!                 up: from the caller's side to the other
//!   caller ══ stdin ══► relay ══ pipe ══► ssh ──► peer
//!   caller ◄══ stdout ══ relay ◄══ pipe ══ ssh ◄── peer
//!          ◄══ stderr ══       ◄══ pipe ══
//!                 down
//! ```

pub mod lane;

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use rustix::stdio::{dup2_stdin, dup2_stdout};

use lane::{Accident, Event, Lane, Limit};

/// Run a command, ssh for instance, with its input and its output relayed
#[derive(Debug, Default, Parser)]
#[command(name = "relay")]
pub struct Args {
    /// Deliver every byte, and the end, so much later; in both directions
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub delay_ms: u64,
    /// Kill the command and exit with 255 when so many bytes have gone up to it
    #[arg(long, value_name = "BYTES")]
    pub cut_after: Option<u64>,
    /// The same for bytes that have come down from it on standard output
    #[arg(long, value_name = "BYTES")]
    pub cut_after_down: Option<u64>,
    /// Deliver nothing more in either direction when so many bytes have gone up, but
    /// leave all open
    #[arg(long, value_name = "BYTES", conflicts_with = "cut_after")]
    pub freeze_after: Option<u64>,
    /// The same for bytes that have come down
    #[arg(long, value_name = "BYTES", conflicts_with = "cut_after_down")]
    pub freeze_after_down: Option<u64>,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    pub command: Vec<String>,
}

/// What ssh exits with when its connection is lost.
const LOST: u8 = 255;

/// The program `relay`.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let started = start(&args).context(args.command.join(" "));
    match started.and_then(|(child, events)| attend(child, &events)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("relay: {error:#}");
            ExitCode::from(LOST)
        }
    }
}

fn start(args: &Args) -> Result<(Child, Receiver<Event>)> {
    let (program, words) = args.command.split_first().context("no command")?;
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (events, received) = mpsc::channel();
    let delay = Duration::from_millis(args.delay_ms);
    let up = Lane::new(delay, limit(args.cut_after, args.freeze_after), &events);
    let down = Lane::new(delay, limit(args.cut_after_down, args.freeze_after_down), &events).beside(&up);
    let messages = Lane::new(delay, None, &events).beside(&up);
    up.start(take_stdin()?, child.stdin.take().context("no pipe")?, Event::UpEnded);
    down.start(
        child.stdout.take().context("no pipe")?,
        take_stdout()?,
        Event::DownEnded,
    );
    messages.start(child.stderr.take().context("no pipe")?, io::stderr(), Event::DownEnded);
    Ok((child, received))
}

fn limit(cut: Option<u64>, freeze: Option<u64>) -> Option<Limit> {
    let after = |bytes: Option<u64>, then| bytes.map(|bytes| Limit { bytes, then });
    after(cut, Accident::Cut).or_else(|| after(freeze, Accident::Freeze))
}

/// Stays until all has come down that the command has written, and returns its status.
fn attend(mut child: Child, events: &Receiver<Event>) -> Result<u8> {
    let mut open = 2;
    while open > 0 {
        match events.recv()? {
            Event::UpEnded => {}
            Event::DownEnded => open -= 1,
            Event::Accident(Accident::Cut) => {
                child.kill()?;
                child.wait()?;
                return Ok(LOST);
            }
            Event::Accident(Accident::Freeze) => loop {
                thread::park();
            },
        }
    }
    let code = child.wait()?.code();
    Ok(code.and_then(|code| code.try_into().ok()).unwrap_or(LOST))
}

/// Standard input as the only owner of it: closed by drop, so that a caller learns of
/// it who still writes.
fn take_stdin() -> Result<File> {
    let taken = io::stdin().as_fd().try_clone_to_owned()?;
    dup2_stdin(File::open("/dev/null")?)?;
    Ok(taken.into())
}

fn take_stdout() -> Result<File> {
    let taken = io::stdout().as_fd().try_clone_to_owned()?;
    dup2_stdout(File::options().write(true).open("/dev/null")?)?;
    Ok(taken.into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn options_of_the_command_are_the_commands() {
        let args = Args::parse_from(["relay", "--delay-ms", "5", "ssh", "-o", "X=y", "beta", "cat --delay-ms"]);
        assert_eq!(args.delay_ms, 5);
        assert_eq!(args.command, ["ssh", "-o", "X=y", "beta", "cat --delay-ms"]);
    }
}
