//! What the lab and its agent in a guest say to each other, a line each.
//!
//! ```text
//!   run 7 zrep sync 'src/a b'      the lab: a command, and the number that it has from now on
//!   end 7 term                     the lab: a signal to it, and to all that it started
//!   up                             the agent: it listens
//!   7 out …   7 err …   7 exit 0   the agent: what the command says, and how it ends
//! ```

use std::fmt;

/// What the agent is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Run { number: u64, command: String },
    End { number: u64, how: How },
}

/// How a command is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Term,
    Kill,
}

impl Order {
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        let verb = words.next()?;
        let number = words.next()?.parse().ok()?;
        let rest = words.next()?;
        match (verb, rest) {
            ("run", command) => Some(Self::Run {
                number,
                command: command.to_owned(),
            }),
            ("end", "term") => Some(Self::End { number, how: How::Term }),
            ("end", "kill") => Some(Self::End { number, how: How::Kill }),
            _ => None,
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { number, command } => write!(f, "run {number} {}", command.replace('\n', " ")),
            Self::End { number, how: How::Term } => write!(f, "end {number} term"),
            Self::End { number, how: How::Kill } => write!(f, "end {number} kill"),
        }
    }
}

/// What the agent says: a word of the command with this number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub number: u64,
    pub word: Word,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// The agent listens. It is of no command.
    Up,
    Out(String),
    Err(String),
    /// All is said; 128 + the signal for one that was killed.
    Exit(i32),
}

impl Report {
    pub fn new(number: u64, word: Word) -> Self {
        Self { number, word }
    }

    pub fn up() -> Self {
        Self::new(0, Word::Up)
    }

    pub fn parse(line: &str) -> Option<Self> {
        if line == "up" {
            return Some(Self::up());
        }
        let mut words = line.splitn(3, ' ');
        let number = words.next()?.parse().ok()?;
        let kind = words.next()?;
        let rest = words.next()?;
        let word = match kind {
            "out" => Word::Out(rest.to_owned()),
            "err" => Word::Err(rest.to_owned()),
            "exit" => Word::Exit(rest.parse().ok()?),
            _ => return None,
        };
        Some(Self { number, word })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, word } = self;
        match word {
            Word::Up => write!(f, "up"),
            Word::Out(text) => write!(f, "{number} out {text}"),
            Word::Err(text) => write!(f, "{number} err {text}"),
            Word::Exit(status) => write!(f, "{number} exit {status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_they_are_written() {
        let run = Order::Run {
            number: 7,
            command: "zrep sync 'src/a b'".into(),
        };
        assert_eq!(Order::parse(&run.to_string()), Some(run));
        for how in [How::Term, How::Kill] {
            let end = Order::End { number: 7, how };
            assert_eq!(Order::parse(&end.to_string()), Some(end));
        }
        assert_eq!(Order::parse("run x y"), None);
        assert_eq!(Order::parse("end 7 now"), None);
    }

    #[test]
    fn reports_are_read_as_they_are_written() {
        for word in [Word::Out("a  b".into()), Word::Err(String::new()), Word::Exit(137)] {
            let report = Report::new(7, word);
            assert_eq!(Report::parse(&report.to_string()), Some(report));
        }
        assert_eq!(Report::parse("up"), Some(Report::up()));
        assert_eq!(Report::parse("7 exit"), None);
    }
}
