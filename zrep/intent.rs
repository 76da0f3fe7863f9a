//! A change of roles that is under way, as it stands on disk in `zrep:intent`.
//!
//! On the old master: `failover EPOCH READONLY NONCE`, set together with `readonly=on`. It says where the change leads to, and what
//! `readonly` was before (`on` or `off` set on the dataset itself, `-` inherited), so that an undo restores exactly that.
//!
//! On the new one: `prepared EPOCH NONCE`, set once everything has arrived. It becomes the master only while that stands there. Whoever
//! undoes the change on the old master first writes `aborted NONCE` over it, so that a commit that is still on its way fails.

use std::fmt;

/// What stands in `zrep:intent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// On the old master.
    Failover {
        /// The epoch that begins with the new master.
        epoch: u64,
        /// What was set locally in `readonly` before: `on`, `off`, or nothing.
        readonly: Option<bool>,
        /// Tells this attempt from every other.
        nonce: String,
    },
    /// On the new one, before it is that.
    Prepared {
        /// The epoch that begins with it.
        epoch: u64,
        /// The attempt.
        nonce: String,
    },
    /// On the new one, when it shall not become that.
    Aborted {
        /// The attempt.
        nonce: String,
    },
    /// `zrep gate` has made a master read-only, because its peer could not be asked.
    Gated {
        /// What was set locally in `readonly` before.
        readonly: Option<bool>,
    },
}

impl Intent {
    /// Reads a property's text. `None` is not an intent of this zrep.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let intent = match words.next()? {
            "failover" => Self::Failover {
                epoch: words.next()?.parse().ok()?,
                readonly: readonly(words.next()?)?,
                nonce: words.next()?.to_owned(),
            },
            "prepared" => Self::Prepared {
                epoch: words.next()?.parse().ok()?,
                nonce: words.next()?.to_owned(),
            },
            "aborted" => Self::Aborted {
                nonce: words.next()?.to_owned(),
            },
            "gated" => Self::Gated {
                readonly: readonly(words.next()?)?,
            },
            _ => return None,
        };
        words.next().is_none().then_some(intent)
    }
}

fn readonly(word: &str) -> Option<Option<bool>> {
    match word {
        "on" => Some(Some(true)),
        "off" => Some(Some(false)),
        "-" => Some(None),
        _ => None,
    }
}

fn word(readonly: Option<bool>) -> &'static str {
    match readonly {
        Some(true) => "on",
        Some(false) => "off",
        None => "-",
    }
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failover { epoch, readonly, nonce } => write!(f, "failover {epoch} {} {nonce}", word(*readonly)),
            Self::Prepared { epoch, nonce } => write!(f, "prepared {epoch} {nonce}"),
            Self::Aborted { nonce } => write!(f, "aborted {nonce}"),
            Self::Gated { readonly } => write!(f, "gated {}", word(*readonly)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "failover 3 on 42-1700000000",
            "failover 3 off x",
            "failover 3 - x",
            "prepared 7 x",
            "aborted x",
            "gated -",
        ] {
            assert_eq!(Intent::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_no_intent() {
        for text in [
            "",
            "failover",
            "failover 3 on",
            "failover -1 on x",
            "prepared x 1",
            "failover 3 on x y",
            "rejoin 1",
        ] {
            assert_eq!(Intent::parse(text), None, "{text}");
        }
    }
}
