//! What a guest prints, passed on and counted.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::runner::unusable_after;
use crate::tally::Tally;

/// What the guest's output told.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) tally: Option<Tally>,
    pub(super) unusable_after: Option<String>,
    /// Counted line by line, for a guest that dies before it can say its own count.
    pub(super) so_far: Tally,
}

impl Seen {
    /// Takes a line in; true if people should see it, too. The guest's closing line
    /// is not for them: only one such line may end our own output.
    fn line(&mut self, line: &str) -> bool {
        if let Some(tally) = Tally::parse(line) {
            self.tally = Some(tally);
            return false;
        }
        let count = |prefix| usize::from(line.starts_with(prefix));
        self.so_far += Tally {
            passed: count("ok   "),
            failed: count("FAIL "),
            skipped: count("skip "),
        };
        if let Some(name) = unusable_after(line) {
            self.unusable_after = Some(name.to_owned());
        }
        true
    }
}

/// Standard output of the guest, passed on line by line. What belongs to a failure stays together, although other guests print, too.
#[derive(Debug)]
pub(super) struct Lines {
    seen: Arc<Mutex<Seen>>,
    rest: Vec<u8>,
    failure: Vec<u8>,
}

impl Lines {
    pub(super) fn new(seen: Arc<Mutex<Seen>>) -> Self {
        Self {
            seen,
            rest: Vec::new(),
            failure: Vec::new(),
        }
    }

    fn pass_on(&mut self, line: &[u8]) -> io::Result<()> {
        let belongs = !self.failure.is_empty() && line.starts_with(INDENT);
        if !belongs {
            self.end_failure()?;
        }
        if belongs || line.starts_with(b"FAIL ") {
            self.failure.extend_from_slice(line);
            return Ok(());
        }
        io::stdout().write_all(line)
    }

    fn end_failure(&mut self) -> io::Result<()> {
        io::stdout().write_all(&std::mem::take(&mut self.failure))
    }
}

/// What a runner begins each line with that tells of a failure.
const INDENT: &[u8] = b"     ";

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.end_failure();
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let shown = self.seen.lock().unwrap_or_else(PoisonError::into_inner).line(&text);
            if shown {
                self.pass_on(&line)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guests_closing_line_is_kept_for_the_sum() {
        let mut seen = Seen::default();
        assert!(seen.line("ok   sync::a (1.0 s)"));
        assert!(seen.line("skip sync::b: no terminal"));
        assert!(!seen.line("1 passed, 0 failed, 1 skipped"));
        assert_eq!(
            seen.tally,
            Some(Tally {
                passed: 1,
                failed: 0,
                skipped: 1
            })
        );
        assert_eq!(
            seen.so_far,
            Tally {
                passed: 1,
                failed: 0,
                skipped: 1
            }
        );
    }
}
