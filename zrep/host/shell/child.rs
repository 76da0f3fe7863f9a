//! The `ssh` processes: their last words, and their end.

use std::io::Read;
use std::process::{Child, ChildStderr, ExitStatus};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::error::one_line;

/// So long a process may take to end after its output has ended.
pub(super) const FAREWELL: Duration = Duration::from_secs(10);

/// Its last words may come a little behind its end. N.B. an ssh that stays in the background for later connections holds them open.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// So many bytes of its words are kept.
const KEPT: usize = 64 << 10;

/// What a process writes to stderr.
#[derive(Debug)]
pub(super) struct Words {
    text: Arc<Mutex<Vec<u8>>>,
    /// Is disconnected at its end.
    ended: Receiver<()>,
}

impl Words {
    /// Listens until the process closes its stderr.
    pub(super) fn of(stderr: Option<ChildStderr>) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let (end, ended) = mpsc::channel();
        let heard = Arc::clone(&text);
        if let Some(stderr) = stderr {
            // Without a thread there are no words, and the exit status tells what there is to know.
            let _ = thread::Builder::new().name("stderr".into()).spawn(move || {
                listen(stderr, &heard);
                drop(end);
            });
        }
        Self { text, ended }
    }

    /// What it has written. To be called when the process has ended.
    pub(super) fn text(&self) -> String {
        let _ = self.ended.recv_timeout(LAST_WORDS);
        String::from_utf8_lossy(&self.text.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

fn listen(mut stderr: ChildStderr, heard: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(len @ 1..) = stderr.read(&mut buffer) {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let room = KEPT.saturating_sub(heard.len()).min(len);
        heard.extend_from_slice(&buffer[..room]);
    }
}

/// Waits for the process to end by itself, and kills it if it does not.
pub(super) fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) => thread::sleep(Duration::from_millis(2)),
            Err(_) => break,
        }
    }
    end(child);
    None
}

/// Kills the process, and leaves no zombie.
pub(super) fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// The end of a process in words.
pub(super) fn told(status: Option<ExitStatus>, words: &str) -> String {
    let end = match status.and_then(|status| status.code()) {
        Some(code) => format!("the connection ended with exit status {code}"),
        None => "the connection was killed".to_owned(),
    };
    if words.trim().is_empty() {
        end
    } else {
        format!("{end}: {}", one_line(words))
    }
}
