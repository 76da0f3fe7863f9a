//! The part of the shell's language that `/etc/default/zrep` is written in: text in, statements out. Nothing is executed.

use super::words::{Piece, Token, Words, is_name};

/// One statement, or a whole `if … fi`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// The line that it begins in.
    pub(super) line: usize,
    /// As it stands there.
    pub(super) text: String,
    /// What it says.
    pub(super) says: Says,
}

/// What a statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Says {
    /// `V=x W=y`: one after the other.
    Assign(Vec<Assignment>),
    /// `export V=x W=y`: all values are looked up before the first is set.
    Export(Vec<Assignment>),
    /// `unset V W`.
    Unset(Vec<String>),
    /// `: ${V:=x}`: nothing but what its words do.
    Nothing(Vec<Vec<Piece>>),
    /// What only a shell could carry out.
    Unknown,
}

/// `V=x`, or `V+=x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: String,
    /// The value comes behind the one that is there.
    pub(super) appends: bool,
    pub(super) value: Vec<Piece>,
}

/// What ends a statement of several lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closer {
    Word(&'static str),
    Parenthesis,
    /// A here-document: where it ends is not looked for.
    Never,
}

/// All statements of a text.
pub(super) fn statements(text: &str) -> Vec<Statement> {
    let mut words = Words::new(text);
    let mut statements = Vec::new();
    while let Some(statement) = statement(&mut words) {
        statements.extend(statement);
    }
    statements
}

/// The next statement, `Some(None)` for an empty one, and `None` at the end.
///
/// N.B. what stands inside a condition or a loop belongs to it: taken alone, an assignment in it would hold always.
fn statement(words: &mut Words) -> Option<Option<Statement>> {
    let mut tokens = Vec::new();
    let mut open = Nesting::default();
    let (mut from, mut to) = (None, 0);
    loop {
        let before = words.at();
        match words.token() {
            Ok(Some(Token::End)) if open.stack.is_empty() && !goes_on(&tokens) => break,
            Ok(Some(Token::End)) if open.stack.is_empty() => {}
            Ok(None) if tokens.is_empty() => return None,
            Ok(None) => break,
            Ok(Some(token)) => {
                from.get_or_insert(start_of(&token, before));
                open.see(&token, words);
                tokens.push(token);
                to = words.at();
            }
            Err(_) => {
                from.get_or_insert(before);
                words.skip_to_end();
                to = words.at();
                open.was_open = true;
                break;
            }
        }
    }
    let Some(from) = from else { return Some(None) };
    let text = words.between(from, to);
    let says = if open.was_open {
        Says::Unknown
    } else {
        said(&tokens, words)
    };
    Some(Some(Statement {
        line: words.line(from + text.chars().take_while(|c| c.is_whitespace()).count()),
        text: text.trim().to_owned(),
        says,
    }))
}

fn start_of(token: &Token, before: usize) -> usize {
    match token {
        Token::Word { from, .. } => *from,
        Token::Operator(_) | Token::End => before,
    }
}

/// Behind `&&`, `||` and `|` the line that follows belongs to the statement.
fn goes_on(tokens: &[Token]) -> bool {
    matches!(
        tokens,
        [.., Token::Operator('|')] | [.., Token::Operator('&'), Token::Operator('&')]
    )
}

/// Which conditions, loops, functions and lists are open.
#[derive(Debug)]
struct Nesting {
    stack: Vec<Closer>,
    was_open: bool,
    /// A command may begin here, and with it one of the shell's own words.
    at_command: bool,
    last: Option<char>,
}

impl Default for Nesting {
    fn default() -> Self {
        Self {
            stack: Vec::new(),
            was_open: false,
            at_command: true,
            last: None,
        }
    }
}

impl Nesting {
    fn see(&mut self, token: &Token, words: &Words) {
        let last = self.last.take();
        match token {
            Token::End => self.at_command = true,
            Token::Operator(sign) => {
                match (sign, last) {
                    ('(', _) => self.open(Closer::Parenthesis),
                    (')', _) => self.close(Closer::Parenthesis),
                    ('<', Some('<')) => self.open(Closer::Never),
                    _ => {}
                }
                self.last = Some(*sign);
                self.at_command = true;
            }
            Token::Word { from, to, .. } => {
                let word = words.between(*from, *to);
                if self.at_command {
                    self.word(&word);
                }
                self.at_command &= matches!(
                    word.as_str(),
                    "then" | "do" | "else" | "elif" | "!" | "{" | "if" | "while"
                );
            }
        }
    }

    fn word(&mut self, word: &str) {
        match word {
            "if" => self.open(Closer::Word("fi")),
            "for" | "while" | "until" | "select" => self.open(Closer::Word("done")),
            "case" => self.open(Closer::Word("esac")),
            "{" => self.open(Closer::Word("}")),
            "fi" => self.close(Closer::Word("fi")),
            "done" => self.close(Closer::Word("done")),
            "esac" => self.close(Closer::Word("esac")),
            "}" => self.close(Closer::Word("}")),
            _ => {}
        }
    }

    fn open(&mut self, closer: Closer) {
        self.was_open = true;
        self.stack.push(closer);
    }

    fn close(&mut self, closer: Closer) {
        self.stack.pop_if(|open| *open == closer);
    }
}

/// What a statement of one line says.
fn said(tokens: &[Token], words: &Words) -> Says {
    let mut found = Vec::new();
    for token in tokens {
        let Token::Word { pieces, from, to } = token else {
            return Says::Unknown;
        };
        found.push((words.between(*from, *to), pieces));
    }
    let (exported, rest) = match found.split_first() {
        Some(((first, _), rest)) if first == "export" => (true, rest),
        Some(((first, _), rest)) if first == "unset" => return unset(rest),
        Some(((first, _), rest)) if first == ":" => {
            return Says::Nothing(rest.iter().map(|(_, pieces)| (*pieces).clone()).collect());
        }
        Some(_) | None => (false, found.as_slice()),
    };
    // N.B. the words of a command are multiplied by braces, those of a plain assignment are not.
    if exported && rest.iter().any(|(text, _)| has_braces(text)) {
        return Says::Unknown;
    }
    let mut assignments = Vec::new();
    for (text, pieces) in rest {
        match assignment(text, pieces) {
            Some(assignment) => assignments.push(assignment),
            None if exported && is_a_name(text) => {}
            None => return Says::Unknown,
        }
    }
    if exported {
        Says::Export(assignments)
    } else {
        Says::Assign(assignments)
    }
}

fn has_braces(text: &str) -> bool {
    text.replace("${", "").contains('{')
}

fn unset(rest: &[(String, &Vec<Piece>)]) -> Says {
    let names: Vec<String> = rest.iter().map(|(text, _)| text.clone()).collect();
    if names.iter().all(|name| is_a_name(name)) {
        Says::Unset(names)
    } else {
        Says::Unknown
    }
}

fn is_a_name(text: &str) -> bool {
    text.chars().all(is_name) && !text.starts_with(|c: char| c.is_ascii_digit()) && !text.is_empty()
}

fn assignment(text: &str, pieces: &[Piece]) -> Option<Assignment> {
    let (before, _) = text.split_once('=')?;
    let name = before.strip_suffix('+').unwrap_or(before);
    if !is_a_name(name) {
        return None;
    }
    let (first, rest) = pieces.split_first()?;
    let Piece::Text(first) = first else { return None };
    let first = first.strip_prefix(before)?.strip_prefix('=')?;
    let value = [Piece::Text(first.to_owned())].into_iter();
    Some(Assignment {
        name: name.to_owned(),
        appends: before.ends_with('+'),
        value: value.chain(rest.iter().cloned()).collect(),
    })
}

/// The variables that a text seems to set, wherever in it: `V=` and `V+=`.
pub(super) fn names_set(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, _) in text.match_indices('=') {
        let before = text[..at].trim_end_matches(['+', ':']);
        let start = before.rfind(|c| !is_name(c)).map_or(0, |last| last + 1);
        if let Some(name) = before.get(start..).filter(|name| is_a_name(name)) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Whether a text names a variable other than to read it.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let behind = &text[at + name.len()..];
        let is_read = matches!(before, Some('$' | '{')) && !behind.starts_with(":=") && !behind.starts_with('=');
        let is_whole = !before.is_some_and(is_name) && !behind.starts_with(is_name);
        is_whole && !is_read
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(usize, String, bool)> {
        statements(text)
            .into_iter()
            .map(|one| (one.line, one.text, one.says == Says::Unknown))
            .collect()
    }

    fn line(number: usize, text: &str, is_unknown: bool) -> (usize, String, bool) {
        (number, text.to_owned(), is_unknown)
    }

    #[test]
    fn statements_end_with_lines_and_semicolons() {
        assert_eq!(
            texts("# a comment\nA=1; B=2 # another\n\n  export C='x;#y' D\nE=a\\\nb\nunset A\n: ${F:=x}"),
            [
                line(2, "A=1", false),
                line(2, "B=2", false),
                line(4, "export C='x;#y' D", false),
                line(5, "E=a\\\nb", false),
                line(7, "unset A", false),
                line(8, ": ${F:=x}", false),
            ]
        );
    }

    #[test]
    fn what_stands_in_a_condition_belongs_to_it() {
        for whole in [
            "if [ -f x ]; then\n  A=1\nfi",
            "if a; then if b; then A=1; fi; A=2; fi",
            "while read a; do A=1; done",
            "case $1 in\n(a) A=1;;\nb) A=2\nesac",
            "f() {\n A=1\n}",
            "( A=1\n A=2 )",
            "A=(1\n2)",
            "[ -f x ] && A=1",
            "[ -f x ] &&\n\n A=1",
            "true |\nA=1",
            "A=1 || B=1",
            "[[ a < b ]]",
        ] {
            let text = format!("B=1\n{whole}\nC=1");
            let lines = 2 + whole.lines().count();
            assert_eq!(
                texts(&text),
                [line(1, "B=1", false), line(2, whole, true), line(lines, "C=1", false)]
            );
        }
    }

    #[test]
    fn what_has_no_end_takes_the_rest_with_it() {
        for text in [
            "cat <<E\nA=1\nE\nA=2",
            "A='x\nB=1",
            "A=\"x\nB=1",
            "A=${x\nB=1",
            "if true\nA=1",
        ] {
            assert_eq!(texts(text), [line(1, text, true)]);
        }
    }

    #[test]
    fn commands_are_no_assignments() {
        for text in [
            "A=1 zrep sync",
            "echo A=1",
            ". /etc/x",
            "A =1",
            "1A=2",
            "'A'=1",
            "export -n A",
            "A=1 &",
        ] {
            assert_eq!(texts(text), [line(1, text, true)], "{text}");
        }
    }

    #[test]
    fn names_are_found_where_they_are_set() {
        assert_eq!(
            names_set("if x; then A=1; BC+=2; : ${D:=3}; fi; [ $E = 4 ]"),
            ["A", "BC", "D"]
        );
        for (text, found) in [
            ("A=1", true),
            ("read A", true),
            ("x ${A:=1}", true),
            ("echo $A", false),
            ("echo \"${A}\"", false),
            ("echo AB", false),
            ("_A=1", false),
        ] {
            assert_eq!(mentions(text, "A"), found, "{text}");
        }
    }
}
