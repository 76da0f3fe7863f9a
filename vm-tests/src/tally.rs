//! How a test run ended: the line `N passed, N failed, N skipped`.

use std::fmt;
use std::ops::AddAssign;

/// Counts of a test run. `Display` is the closing line, [`Tally::parse`] its inverse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a failed run must reach the exit status"]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Tally {
    /// Reads a closing line; `None` for any other line.
    pub fn parse(line: &str) -> Option<Self> {
        let mut parts = line.trim_end().split(", ");
        let mut count = |word| parts.next()?.strip_suffix(word)?.parse().ok();
        let tally = Self {
            passed: count(" passed")?,
            failed: count(" failed")?,
            skipped: count(" skipped")?,
        };
        parts.next().is_none().then_some(tally)
    }

    /// Reads the `test result:` line of Rust's own test harness, where a test that
    /// was left out is called ignored.
    pub fn parse_libtest(line: &str) -> Option<Self> {
        let counts = line.trim().strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |word: &str| {
            let part = counts.split(';').find(|part| part.ends_with(word))?;
            part.trim().split(' ').next()?.parse().ok()
        };
        Some(Self {
            passed: count(" passed")?,
            failed: count(" failed")?,
            skipped: count(" ignored")?,
        })
    }

    pub fn success(&self) -> bool {
        self.failed == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        let Self {
            passed,
            failed,
            skipped,
        } = other;
        self.passed += passed;
        self.failed += failed;
        self.skipped += skipped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALLY: Tally = Tally {
        passed: 12,
        failed: 0,
        skipped: 3,
    };

    #[test]
    fn the_closing_line_is_read_as_it_is_written() {
        assert_eq!(TALLY.to_string(), "12 passed, 0 failed, 3 skipped");
        assert_eq!(Tally::parse(&TALLY.to_string()), Some(TALLY));
    }

    #[test]
    fn other_lines_are_no_closing_line() {
        for line in [
            "",
            "12 passed",
            "x passed, 0 failed, 3 skipped",
            "1 passed, 2 failed, 3 skipped, 4 lost",
        ] {
            assert_eq!(Tally::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn libtest_calls_skipped_ignored() {
        let line = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 7 filtered out; finished in 0.00s";
        assert_eq!(Tally::parse_libtest(line), Some(TALLY));
        assert_eq!(Tally::parse_libtest("running 3 tests"), None);
    }
}
