//! What is wrong with a name.

use std::borrow::Cow;

use super::check::{MAX_DEPTH, MAX_LEN};

/// Why a name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{:?}: {}", self.name(), self.reason())]
#[non_exhaustive]
pub enum NameError {
    /// The name has no characters.
    Empty,
    /// The name is longer than 255 bytes.
    TooLong {
        /// The name, or its beginning.
        name: String,
        /// Its length in bytes.
        len: usize,
    },
    /// The dataset has more than 50 components.
    TooDeep {
        /// The whole name.
        name: String,
    },
    /// A slash at the beginning or end, two in a row, or nothing behind `@` or `#`.
    EmptyComponent {
        /// The whole name.
        name: String,
    },
    /// A component is `.` or `..`.
    Dots {
        /// The whole name.
        name: String,
    },
    /// A character that ZFS does not allow.
    Character {
        /// The whole name.
        name: String,
        /// The first offending character.
        character: char,
    },
    /// `%` and `$` mark names that ZFS keeps for itself.
    Internal {
        /// The whole name.
        name: String,
    },
    /// The pool's name does not begin with a letter.
    Pool {
        /// The whole name.
        name: String,
    },
    /// `@` or `#` is missing, is there although it must not be, or comes twice.
    Delimiter {
        /// The whole name.
        name: String,
        /// What would be right.
        expected: &'static str,
    },
}

impl NameError {
    /// The offending name.
    pub fn name(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::TooLong { name, .. }
            | Self::TooDeep { name }
            | Self::EmptyComponent { name }
            | Self::Dots { name }
            | Self::Character { name, .. }
            | Self::Internal { name }
            | Self::Pool { name }
            | Self::Delimiter { name, .. } => name,
        }
    }

    /// What is wrong and what is allowed.
    pub fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Empty => "a name has at least one character".into(),
            Self::TooLong { len, .. } => format!("{len} bytes, but a name has at most {}", MAX_LEN - 1).into(),
            Self::TooDeep { .. } => format!("a dataset has at most {MAX_DEPTH} components").into(),
            Self::EmptyComponent { .. } => {
                "empty component: no slash at the beginning or end and no two in a row".into()
            }
            Self::Dots { .. } => r#""." and ".." are no components"#.into(),
            Self::Character { character, .. } => {
                format!("character {character:?} is not allowed, only letters, digits, space and any of _ - : .").into()
            }
            Self::Internal { .. } => r#"names with "%" or "$" belong to ZFS itself"#.into(),
            Self::Pool { .. } => "a pool's name begins with a letter".into(),
            Self::Delimiter { expected, .. } => format!("expected {expected}").into(),
        }
    }
}
