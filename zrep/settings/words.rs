//! The words of a shell's text: quotes, backslashes and variables are taken apart, and nothing is executed.

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it stands there, without its quotes.
    Text(String),
    /// The value of a variable.
    Variable {
        /// Its name.
        name: String,
        /// What if it has none.
        otherwise: Otherwise,
    },
    /// What only a shell could tell, as it stands there: the output of a command, a pattern, an argument.
    Unknown(String),
}

/// What becomes of a variable that is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// `$V`, `${V}`: nothing.
    Nothing,
    /// `${V-w}`, and with a colon also if it is empty: this.
    Use { if_empty: bool, word: Vec<Piece> },
    /// `${V=w}`, `${V:=w}`: this, and from now on it has that value.
    Assign { if_empty: bool, word: Vec<Piece> },
    /// `${V+w}`, `${V:+w}`: nothing, but this if it is set.
    Replace { if_empty: bool, word: Vec<Piece> },
}

/// What a text consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word; its text as it stands there is between the two places.
    Word { pieces: Vec<Piece>, from: usize, to: usize },
    /// One of `& | < > ( )`.
    Operator(char),
    /// A semicolon or the end of a line.
    End,
}

/// The text ended inside quotes, or inside braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unfinished;

/// Where a sequence of pieces ends, and what quotes mean in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// A word: up to a blank or an operator.
    Word,
    /// Double quotes.
    Quotes,
    /// `${V:-…}`, and whether that stands in double quotes.
    Braces { quoted: bool },
}

impl Within {
    fn is_quoted(self) -> bool {
        match self {
            Self::Word => false,
            Self::Quotes => true,
            Self::Braces { quoted } => quoted,
        }
    }
}

/// Reads tokens off a text.
#[derive(Debug)]
pub(super) struct Words {
    text: Vec<char>,
    at: usize,
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_operator(c: char) -> bool {
    matches!(c, '&' | '|' | '<' | '>' | '(' | ')')
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn ends_word(c: char) -> bool {
    is_blank(c) || matches!(c, '\n' | ';') || is_operator(c)
}

impl Words {
    pub(super) fn new(text: &str) -> Self {
        Self {
            // Lines that end as on other systems.
            text: text.replace("\r\n", "\n").chars().collect(),
            at: 0,
        }
    }

    /// Where the next token begins, or the blanks before it.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What stands between two places.
    pub(super) fn between(&self, from: usize, to: usize) -> String {
        self.text[from..to.min(self.text.len())].iter().collect()
    }

    /// The number of the line that a place is in, from 1 up.
    pub(super) fn line(&self, at: usize) -> usize {
        1 + self.text[..at.min(self.text.len())]
            .iter()
            .filter(|c| **c == '\n')
            .count()
    }

    /// Gives the rest up, and tells where it began.
    pub(super) fn skip_to_end(&mut self) {
        self.at = self.text.len();
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn peek_behind(&self) -> Option<char> {
        self.text.get(self.at + 1).copied()
    }

    fn next(&mut self) -> Option<char> {
        let found = self.peek();
        self.at += usize::from(found.is_some());
        found
    }

    fn skip_blanks(&mut self) {
        while let Some(c) = self.peek() {
            match (c, self.peek_behind()) {
                ('\\', Some('\n')) => self.at += 2,
                ('#', _) => self.at += self.text[self.at..].iter().take_while(|c| **c != '\n').count(),
                (blank, _) if is_blank(blank) => self.at += 1,
                _ => return,
            }
        }
    }

    /// The next token; none at the end of the text.
    pub(super) fn token(&mut self) -> Result<Option<Token>, Unfinished> {
        self.skip_blanks();
        match self.peek() {
            None => Ok(None),
            Some('\n' | ';') => {
                self.at += 1;
                Ok(Some(Token::End))
            }
            Some(c) if is_operator(c) => {
                self.at += 1;
                Ok(Some(Token::Operator(c)))
            }
            Some(_) => {
                let from = self.at;
                let pieces = self.pieces(Within::Word)?;
                let to = self.at;
                Ok(Some(Token::Word { pieces, from, to }))
            }
        }
    }

    fn pieces(&mut self, within: Within) -> Result<Vec<Piece>, Unfinished> {
        let mut pieces = Vec::new();
        loop {
            let Some(c) = self.peek() else {
                return if within == Within::Word {
                    Ok(pieces)
                } else {
                    Err(Unfinished)
                };
            };
            match (within, c) {
                (Within::Word, c) if ends_word(c) => return Ok(pieces),
                (Within::Quotes, '"') | (Within::Braces { .. }, '}') => {
                    self.at += 1;
                    return Ok(pieces);
                }
                _ => self.piece(within, c, &mut pieces)?,
            }
        }
    }

    fn piece(&mut self, within: Within, c: char, pieces: &mut Vec<Piece>) -> Result<(), Unfinished> {
        self.at += 1;
        match c {
            '\\' => self.escaped(within, pieces),
            '\'' if !within.is_quoted() => {
                let text = self.up_to('\'')?;
                push(pieces, &text);
            }
            '"' => {
                // N.B. quotes with nothing in them are a word, too.
                push(pieces, "");
                for piece in self.pieces(Within::Quotes)? {
                    add(pieces, piece);
                }
            }
            '`' => {
                let command = self.up_to('`')?;
                pieces.push(Piece::Unknown(format!("`{command}`")));
            }
            '$' => self.dollar(within.is_quoted(), pieces)?,
            // A home directory: whose, only a shell knows.
            '~' if self.may_be_home(within) => pieces.push(Piece::Unknown("~".into())),
            c => push(pieces, c.encode_utf8(&mut [0; 4])),
        }
        Ok(())
    }

    /// Whether the `~` before this place begins a value, or one of a row of paths.
    fn may_be_home(&self, within: Within) -> bool {
        let before = self.at.checked_sub(2).map(|at| self.text[at]);
        match within {
            // N.B. a line may have gone on before it.
            Within::Word => matches!(before, Some('=' | ':' | '\n')),
            Within::Quotes => false,
            Within::Braces { quoted } => !quoted,
        }
    }

    /// Behind a backslash. Inside double quotes it is one only before what it could protect.
    fn escaped(&mut self, within: Within, pieces: &mut Vec<Piece>) {
        match self.next() {
            None => push(pieces, "\\"),
            Some('\n') => {}
            Some(c) => {
                let protects = !within.is_quoted()
                    || matches!(c, '$' | '`' | '"' | '\\')
                    || (c == '}' && matches!(within, Within::Braces { .. }));
                if !protects {
                    push(pieces, "\\");
                }
                push(pieces, c.encode_utf8(&mut [0; 4]));
            }
        }
    }

    fn up_to(&mut self, end: char) -> Result<String, Unfinished> {
        let from = self.at;
        while let Some(c) = self.next() {
            if c == end {
                return Ok(self.between(from, self.at - 1));
            }
        }
        Err(Unfinished)
    }

    fn dollar(&mut self, quoted: bool, pieces: &mut Vec<Piece>) -> Result<(), Unfinished> {
        let from = self.at - 1;
        while (self.peek(), self.peek_behind()) == (Some('\\'), Some('\n')) {
            self.at += 2;
        }
        match self.peek() {
            Some('{') => {
                self.at += 1;
                let piece = self.braced(quoted, from)?;
                add(pieces, piece);
            }
            Some('(') => {
                self.at += 1;
                self.skip_nested('(', ')')?;
                pieces.push(Piece::Unknown(self.between(from, self.at)));
            }
            Some(c) if is_name_start(c) => {
                let name = self.name();
                let otherwise = Otherwise::Nothing;
                pieces.push(Piece::Variable { name, otherwise });
            }
            // What a script was called with, and what its commands gave.
            Some(c) if c.is_ascii_digit() || "?$!#*@-".contains(c) => {
                self.at += 1;
                pieces.push(Piece::Unknown(self.between(from, self.at)));
            }
            // Strings with a grammar of their own.
            Some('\'') if !quoted => {
                self.at += 1;
                self.skip_escapes()?;
                pieces.push(Piece::Unknown(self.between(from, self.at)));
            }
            Some('"') if !quoted => pieces.push(Piece::Unknown("$".into())),
            Some(_) | None => push(pieces, "$"),
        }
        Ok(())
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        loop {
            match (self.peek(), self.peek_behind()) {
                (Some('\\'), Some('\n')) => self.at += 2,
                (Some(c), _) if is_name(c) => {
                    name.push(c);
                    self.at += 1;
                }
                _ => return name,
            }
        }
    }

    /// Behind `${`.
    fn braced(&mut self, quoted: bool, from: usize) -> Result<Piece, Unfinished> {
        let name = if self.peek().is_some_and(is_name_start) {
            self.name()
        } else {
            String::new()
        };
        let if_empty = self.peek() == Some(':');
        let sign = if if_empty { self.peek_behind() } else { self.peek() };
        if name.is_empty() || !matches!(sign, Some('-' | '=' | '+' | '}')) || (if_empty && sign == Some('}')) {
            self.skip_nested('{', '}')?;
            return Ok(Piece::Unknown(self.between(from, self.at)));
        }
        self.at += 1 + usize::from(if_empty);
        if sign == Some('}') {
            let otherwise = Otherwise::Nothing;
            return Ok(Piece::Variable { name, otherwise });
        }
        let word = self.pieces(Within::Braces { quoted })?;
        let otherwise = match sign {
            Some('-') => Otherwise::Use { if_empty, word },
            Some('=') => Otherwise::Assign { if_empty, word },
            Some(_) | None => Otherwise::Replace { if_empty, word },
        };
        Ok(Piece::Variable { name, otherwise })
    }

    /// Up to the end of `$'…'`, in which a quote may stand behind a backslash.
    fn skip_escapes(&mut self) -> Result<(), Unfinished> {
        loop {
            match self.next().ok_or(Unfinished)? {
                '\\' => self.at += 1,
                '\'' => return Ok(()),
                _ => {}
            }
        }
    }

    /// Up to the end of something of which only the end matters.
    fn skip_nested(&mut self, open: char, close: char) -> Result<(), Unfinished> {
        let mut depth = 1;
        while depth > 0 {
            match self.next().ok_or(Unfinished)? {
                '\\' => self.at += 1,
                '\'' => drop(self.up_to('\'')?),
                c if c == open => depth += 1,
                c if c == close => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }
}

fn push(pieces: &mut Vec<Piece>, text: &str) {
    if let Some(Piece::Text(last)) = pieces.last_mut() {
        last.push_str(text);
    } else {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

fn add(pieces: &mut Vec<Piece>, piece: Piece) {
    match piece {
        Piece::Text(text) => push(pieces, &text),
        Piece::Variable { .. } | Piece::Unknown(_) => pieces.push(piece),
    }
}
