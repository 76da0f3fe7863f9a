//! The only module that prints. People get sentences on stdout and stderr; scripts get JSON on stdout (`--json`).

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::execute::Watch;
use crate::host::Received;
use crate::host::remote::line::WORKING;
use crate::plan::Transfer;
use crate::problem::{Problem, Told};

/// The number of the JSON's schema. It changes when a field goes or gets another meaning, not when one is added.
const SCHEMA: u32 = 1;

/// Where the words go.
#[derive(Debug)]
pub struct Ui {
    json: bool,
    silent: bool,
}

impl Progress {
    /// For so many streams at the same time: several would take one line from each other.
    pub fn of(streams: usize) -> Self {
        match streams {
            0 | 1 => Self::IfTerminal,
            _ => Self::Never,
        }
    }
}

impl Ui {
    /// Speaks JSON, or to people.
    pub fn new(json: bool) -> Self {
        Self { json, silent: false }
    }

    /// Says nothing to anybody.
    pub fn silent() -> Self {
        Self {
            json: false,
            silent: true,
        }
    }

    /// Whether a script listens.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line of the command's result. Not for scripts.
    pub fn say(&self, line: &str) {
        if !self.json && !self.silent {
            print(&mut io::stdout(), line);
        }
    }

    /// A line of the command's result in columns that a tab divides. Not for scripts that ask for JSON.
    pub fn columns(&self, columns: &[&str]) {
        if !self.json && !self.silent {
            let harmless: Vec<String> = columns.iter().map(|column| harmless(column)).collect();
            print_raw(&mut io::stdout(), &harmless.join("\t"));
        }
    }

    /// A line about what is going on, on stderr.
    pub fn note(&self, line: &str) {
        if self.silent {
            return;
        }
        print(&mut io::stderr(), &format!("zrep: {line}"));
    }

    /// The command's result for a script: one line of JSON. Not for people.
    pub fn json(&self, verb: &str, ok: bool, mut fields: Value) {
        if !self.json {
            return;
        }
        if let Value::Object(map) = &mut fields {
            map.insert("schema".into(), json!(SCHEMA));
            map.insert("verb".into(), json!(verb));
            map.insert("ok".into(), json!(ok));
        }
        print(&mut io::stdout(), &fields.to_string());
    }

    /// Tells what would be done, and asks whether it shall. Only the word yes is one.
    pub fn ask(&self, would: &[String]) -> Answer {
        let is_somebody_there = io::stdin().is_terminal() && io::stderr().is_terminal();
        if self.json || self.silent || !is_somebody_there {
            return Answer::Nobody;
        }
        would.iter().for_each(|line| self.note(&format!("this would {line}.")));
        self.note("Type yes to go on:");
        let mut answer = String::new();
        match io::stdin().read_line(&mut answer) {
            Ok(_) if answer.trim() == "yes" => Answer::Yes,
            Ok(_) => Answer::No,
            Err(_) => Answer::Nobody,
        }
    }

    /// A problem, in full, on stderr.
    pub fn problem(&self, problem: &Problem) {
        if self.silent {
            return;
        }
        let told = problem.told();
        let Told { telling, left, .. } = &told;
        let mut lines = vec![format!("zrep: {}", told.headline())];
        let parts = [
            ("expected", &telling.expected),
            ("found", &telling.found),
            ("help", &telling.help),
        ];
        lines.extend(
            parts
                .iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(label, text)| format!("  {label:>8}: {text}")),
        );
        lines.extend(left.iter().map(|left| format!("  {left}")));
        lines.iter().for_each(|line| print(&mut io::stderr(), line));
    }

    /// Someone who watches a plan being carried out.
    pub fn watcher(&self, progress: Progress) -> Watcher<'_> {
        let wanted = match progress {
            Progress::IfTerminal => io::stderr().is_terminal(),
            Progress::Never => false,
        };
        Watcher {
            ui: self,
            bar: Mutex::new(None),
            wanted,
        }
    }
}

/// Whether somebody looks at stdout.
pub fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A line of `-D`, on stderr.
pub fn debug(line: &str) {
    print(&mut io::stderr(), &format!("zrep: debug: {line}"));
}

/// A line of a server's stderr, which the client shows to its user.
pub fn server_note(line: &str) {
    print(&mut io::stderr(), &format!("zrep serve: {line}"));
}

/// A server's sign of life beside its stream. See [`WORKING`].
pub fn server_working(bytes: u64) {
    print(&mut io::stderr(), &format!("{WORKING}{bytes}"));
}

/// A problem as JSON.
pub fn problem_json(problem: &Problem) -> Value {
    let Told {
        side,
        dataset,
        telling,
        left,
    } = problem.told();
    json!({
        "side": side.map(|side| side.to_string()),
        "dataset": dataset,
        "what": telling.what,
        "expected": telling.expected,
        "found": telling.found,
        "help": telling.help,
        "left": left,
    })
}

/// A closed pipe is the reader's wish to hear no more, and no reason to stop replicating.
///
/// Values of properties are anybody's text: what would move the cursor or begin a line of its own is shown, not done.
fn print(out: &mut dyn Write, line: &str) {
    print_raw(out, &harmless(line));
}

fn print_raw(out: &mut dyn Write, line: &str) {
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn harmless(line: &str) -> String {
    let shown = |c: char| {
        if c.is_control() {
            c.escape_default().collect::<String>()
        } else {
            c.to_string()
        }
    };
    line.chars().map(shown).collect()
}

/// What somebody has said to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "what was asked about must not be done without a yes"]
pub enum Answer {
    /// Go on.
    Yes,
    /// Anything else.
    No,
    /// There is no terminal to ask on.
    Nobody,
}

/// Whether a bar is drawn for a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// If stderr is a terminal.
    IfTerminal,
    /// In no case.
    Never,
}

/// Draws a bar for each stream.
#[derive(Debug)]
pub struct Watcher<'a> {
    ui: &'a Ui,
    bar: Mutex<Option<ProgressBar>>,
    wanted: bool,
}

impl Watcher<'_> {
    fn with_bar(&self, work: impl FnOnce(&mut Option<ProgressBar>)) {
        work(&mut self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Watch for Watcher<'_> {
    fn sending(&self, transfer: &Transfer, estimate: Option<u64>) {
        if !self.wanted {
            return;
        }
        let bar = ProgressBar::with_draw_target(estimate, ProgressDrawTarget::stderr());
        let template = "{msg} {bytes}/{total_bytes} {wide_bar} {bytes_per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(transfer.snapshot.to_string());
        self.with_bar(|slot| *slot = Some(bar));
    }

    fn sent(&self, _transfer: &Transfer, bytes: u64) {
        self.with_bar(|slot| {
            if let Some(bar) = slot {
                bar.set_length(bar.length().unwrap_or(0).max(bytes));
                bar.set_position(bytes);
            }
        });
    }

    fn arrived(&self, _transfer: &Transfer, received: &Received) {
        self.with_bar(|slot| {
            if let Some(bar) = slot.take() {
                bar.finish_and_clear();
            }
        });
        received.warnings.iter().for_each(|warning| self.ui.note(warning));
    }

    fn wants_bytes(&self) -> bool {
        self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(
            harmless("a\x1b[2Jb\nzrep: c\u{9b}d ü"),
            "a\\u{1b}[2Jb\\nzrep: c\\u{9b}d ü"
        );
    }
}
