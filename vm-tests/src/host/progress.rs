//! What the harness says about itself, on stderr: standard output belongs to the guest.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Says one line.
pub fn say(text: impl AsRef<str>) {
    eprintln!("lab: {}", text.as_ref());
}

/// A step that takes time. While it lives, it shows what it does and since when: on a
/// terminal in one line that is written over, elsewhere (a CI log) in a line now and then.
#[derive(Debug)]
pub struct Phase {
    what: String,
    started: Instant,
    notes: Option<Sender<String>>,
    ticker: Option<JoinHandle<()>>,
}

impl Phase {
    pub fn start(what: impl Into<String>) -> Self {
        let what = what.into();
        let started = Instant::now();
        let (notes, receiver) = mpsc::channel();
        if !io::stderr().is_terminal() {
            say(format!("{what} …"));
        }
        let ticker = thread::spawn({
            let what = what.clone();
            move || tick(&what, started, &receiver)
        });
        Self {
            what,
            started,
            notes: Some(notes),
            ticker: Some(ticker),
        }
    }

    /// Says what is being done just now; shown with the next tick.
    pub fn note(&self, text: impl Into<String>) {
        if let Some(notes) = &self.notes {
            let _ = notes.send(text.into());
        }
    }

    /// Ends the step with a line that says how long it took.
    pub fn done(mut self) {
        self.stop();
        say(format!("{}: done in {}", self.what, elapsed(self.started.elapsed())));
    }

    fn stop(&mut self) {
        self.notes = None;
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        self.stop();
    }
}

fn tick(what: &str, started: Instant, notes: &mpsc::Receiver<String>) {
    let terminal = io::stderr().is_terminal();
    let every = if terminal {
        Duration::from_millis(500)
    } else {
        Duration::from_secs(15)
    };
    let mut note = String::new();
    let mut next = started + every;
    loop {
        match notes.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(text) => note = text,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let line = status_line(what, started.elapsed(), &note);
                if terminal {
                    over(&line)
                } else {
                    eprintln!("{line}")
                }
                next += every;
            }
        }
    }
    if terminal {
        over("");
    }
}

fn status_line(what: &str, time: Duration, note: &str) -> String {
    let separator = if note.is_empty() { "" } else { ": " };
    format!("lab: {what} ({}){separator}{note}", elapsed(time))
}

/// Writes over the line that the cursor is in.
fn over(line: &str) {
    let short: String = line
        .chars()
        .take(usize::from(super::terminal::size().1).saturating_sub(1))
        .collect();
    eprint!("\r\x1b[K{short}");
    let _ = io::stderr().flush();
}

/// A time for people: `7.3 s`, `2 min 05 s`.
pub fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(elapsed(Duration::from_millis(7349)), "7.3 s");
        assert_eq!(elapsed(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn a_status_line_has_its_note_last() {
        let time = Duration::from_secs(65);
        assert_eq!(status_line("image", time, ""), "lab: image (1 min 05 s)");
        assert_eq!(
            status_line("image", time, "zfs-dkms"),
            "lab: image (1 min 05 s): zfs-dkms"
        );
    }
}
