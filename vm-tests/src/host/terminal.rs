//! The user's terminal, lent to a shell in the guest.

use std::io::{self, IsTerminal, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

/// Whether a person can talk to a shell.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Rows and columns; a guess without a terminal.
pub fn size() -> (u16, u16) {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_row > 0 => (size.ws_row, size.ws_col),
        Ok(_) | Err(_) => (24, 80),
    }
}

/// Joins the terminal to the guest's until the guest closes its end. Every key goes
/// to the guest, Ctrl-C too.
pub fn relay(guest: &UnixStream) -> Result<()> {
    let raw = RawMode::enter()?;
    let (mut from, mut to) = (guest.try_clone()?, guest.try_clone()?);
    // This thread stays in its read when the guest is gone; it ends with the program.
    thread::spawn(move || {
        let _ = copy(&mut io::stdin(), &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let result = copy(&mut from, &mut io::stdout()).context("the guest's terminal");
    drop(raw);
    result
}

/// Copies without the buffering of `io::stdout`, since a prompt has no line end.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            n => {
                to.write_all(&buffer[..n])?;
                to.flush()?;
            }
        }
    }
}

/// The terminal passes on every byte as it is, until drop.
#[derive(Debug)]
struct RawMode;

impl RawMode {
    fn enter() -> Result<Self> {
        let saved = tcgetattr(io::stdin()).context("no terminal")?;
        let mut raw = saved.clone();
        raw.make_raw();
        *SAVED.lock().unwrap_or_else(PoisonError::into_inner) = Some(saved);
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back as it was.
pub fn restore() {
    if let Some(saved) = SAVED.lock().unwrap_or_else(PoisonError::into_inner).take() {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &saved);
    }
}
