//! `/etc/default/zrep`: what a shell would set there, read as data. Nothing of it is executed.
//!
//! A plain `V=x` beats the environment, `V=${V:-x}` lets it win. A line that only a shell could carry out is left out, and told. If it is
//! about a variable of zrep, that is an error: with half of its settings, zrep would do something else than was asked for.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::syntax::{Assignment, Says, Statement, mentions, names_set, statements};
use super::words::{Otherwise, Piece};
use super::{BadSetting, known};

/// Where an administrator writes settings for this machine.
pub const PATH: &str = "/etc/default/zrep";

/// How a line is to be written.
const EXPECTED: &str = "NAME=VALUE, in quotes or not, with $NAME and ${NAME:-VALUE}: the file is read, and not run";

/// The variables of one run: those of the file, and behind them those of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defaults {
    values: BTreeMap<String, Value>,
    /// What of the file was left out, for people.
    pub notes: Vec<String>,
}

/// What the file makes of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    Unset,
    /// Something that only a shell could tell.
    Unknown,
}

impl Defaults {
    /// Reads the file, if there is one. `is_root` is whether its settings will be root's: then nobody else may have written them.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, that others may write to, or that says of a variable of zrep what only a shell could tell.
    pub fn read(path: &Path, is_root: bool, environment: impl Fn(&str) -> Option<String>) -> Result<Self, BadSetting> {
        match text(path, is_root)? {
            Some(text) => Self::parse(&text, path, environment),
            None => Ok(Self::default()),
        }
    }

    /// What a text sets. `path` is where it stands, for messages.
    ///
    /// # Errors
    ///
    /// It says of a variable of zrep what only a shell could tell.
    pub fn parse(text: &str, path: &Path, environment: impl Fn(&str) -> Option<String>) -> Result<Self, BadSetting> {
        let mut defaults = Self::default();
        for statement in statements(text) {
            defaults.take(&statement, path, &environment)?;
        }
        Ok(defaults)
    }

    /// The value of a variable: the file's, or else the environment's.
    pub fn get(&self, name: &str, environment: impl Fn(&str) -> Option<String>) -> Option<String> {
        match self.values.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            Some(Value::Unset | Value::Unknown) => None,
            None => environment(name),
        }
    }

    fn take(
        &mut self,
        statement: &Statement,
        path: &Path,
        environment: &impl Fn(&str) -> Option<String>,
    ) -> Result<(), BadSetting> {
        match &statement.says {
            Says::Assign(assignments) => assignments.iter().try_for_each(|assignment| {
                let text = self.value(&assignment.value, environment);
                self.assign(assignment, text, statement, path, environment)
            }),
            Says::Export(assignments) => {
                let texts: Vec<Option<String>> = assignments
                    .iter()
                    .map(|assignment| self.value(&assignment.value, environment))
                    .collect();
                let mut found = assignments.iter().zip(texts);
                found.try_for_each(|(assignment, text)| self.assign(assignment, text, statement, path, environment))
            }
            Says::Unset(names) => {
                let unset = names.iter().map(|name| (name.clone(), Value::Unset));
                self.values.extend(unset);
                Ok(())
            }
            Says::Nothing(words) => words.iter().try_for_each(|word| match self.value(word, environment) {
                Some(_) => Ok(()),
                None => self.leave_out(statement, path),
            }),
            Says::Unknown => self.leave_out(statement, path),
        }
    }

    /// Carries out an assignment whose value is `text`; none if only a shell could tell.
    fn assign(
        &mut self,
        Assignment { name, appends, .. }: &Assignment,
        text: Option<String>,
        statement: &Statement,
        path: &Path,
        environment: &impl Fn(&str) -> Option<String>,
    ) -> Result<(), BadSetting> {
        let before = if *appends {
            self.of(name, environment)
        } else {
            Value::Unset
        };
        let value = match (before, text) {
            (Value::Text(before), Some(text)) => Value::Text(before + &text),
            (Value::Unset, Some(text)) => Value::Text(text),
            (Value::Unknown, _) | (_, None) => return self.leave_out(statement, path),
        };
        if known::WITHOUT_EFFECT_IN_FILE.contains(&name.as_str()) {
            self.notes.push(format!(
                "{}:{}: {name} has no effect here; set it where zrep is called",
                path.display(),
                statement.line
            ));
        }
        self.values.insert(name.clone(), value);
        Ok(())
    }

    fn of(&self, name: &str, environment: &impl Fn(&str) -> Option<String>) -> Value {
        match self.values.get(name) {
            Some(value) => value.clone(),
            None => environment(name).map_or(Value::Unset, Value::Text),
        }
    }

    /// The text of a word; none if only a shell could tell.
    fn value(&mut self, pieces: &[Piece], environment: &impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Variable { name, otherwise } => text.push_str(&self.variable(name, otherwise, environment)?),
                Piece::Unknown(_) => return None,
            }
        }
        Some(text)
    }

    fn variable(
        &mut self,
        name: &str,
        otherwise: &Otherwise,
        environment: &impl Fn(&str) -> Option<String>,
    ) -> Option<String> {
        let found = match self.of(name, environment) {
            Value::Text(text) => Some(text),
            Value::Unset => None,
            Value::Unknown => return None,
        };
        let given = |if_empty: bool| found.clone().filter(|text| !(if_empty && text.is_empty()));
        match otherwise {
            Otherwise::Nothing => Some(found.unwrap_or_default()),
            Otherwise::Use { if_empty, word } => match given(*if_empty) {
                Some(text) => Some(text),
                None => self.value(word, environment),
            },
            Otherwise::Assign { if_empty, word } => match given(*if_empty) {
                Some(text) => Some(text),
                None => {
                    let text = self.value(word, environment)?;
                    self.values.insert(name.to_owned(), Value::Text(text.clone()));
                    Some(text)
                }
            },
            Otherwise::Replace { if_empty, word } => match given(*if_empty) {
                Some(_) => self.value(word, environment),
                None => Some(String::new()),
            },
        }
    }

    /// A statement that only a shell could carry out. What it may have set is unknown from here on.
    fn leave_out(&mut self, statement: &Statement, path: &Path) -> Result<(), BadSetting> {
        let Statement { line, text, .. } = statement;
        let place = format!("{}:{line}", path.display());
        if let Some(name) = known::EFFECTIVE.iter().find(|name| mentions(text, name)) {
            let what = format!("{place}: what this says of {name} is not understood");
            return Err(BadSetting::new(what, EXPECTED, text));
        }
        let unknown = names_set(text).into_iter().map(|name| (name, Value::Unknown));
        self.values.extend(unknown);
        let first = text.lines().next().unwrap_or_default();
        let more = if text.lines().count() > 1 { " …" } else { "" };
        self.notes
            .push(format!("{place}: not understood, and left out: {first}{more}"));
        Ok(())
    }
}

fn text(path: &Path, is_root: bool) -> Result<Option<String>, BadSetting> {
    let of_path =
        |error: io::Error| BadSetting::new(format!("{}: {error}", path.display()), "settings in text", "none");
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(of_path)?,
    };
    if is_root && is_of_others(metadata.uid(), metadata.mode()) {
        return Err(BadSetting::new(
            format!(
                "{}: others than root may write to it, and it names commands that root runs",
                path.display()
            ),
            "a file that belongs to root, and that nobody else may write to (chmod 644)",
            format!("owner {}, mode {:o}", metadata.uid(), metadata.mode() & 0o7777),
        ));
    }
    fs::read_to_string(path).map(Some).map_err(of_path)
}

fn is_of_others(owner: u32, mode: u32) -> bool {
    owner != 0 || mode & 0o022 != 0
}

#[cfg(test)]
mod tests;
