//! Names of other machines, as they are typed and as they stand in properties.
//!
//! Anybody who may set a property may have written them, and they become an argument of `ssh`: one that begins with `-` would be an
//! option there, and an option can run any command.

use std::fmt;

/// A host's name or address, perhaps with a user before it: `beta`, `root@beta.example.com`, `[fe80::1%eth0]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

/// Why a text is no host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadHostName(String);

impl fmt::Display for BadHostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no host name: expected HOST or USER@HOST of letters, digits and . - _ : [ ] %, beginning with a letter or digit",
            self.0
        )
    }
}

impl std::error::Error for BadHostName {}

impl HostName {
    /// The longest name of the domain name system, and room for a user.
    const LONGEST: usize = 300;

    /// Checks `text`.
    pub fn new(text: &str) -> Result<Self, BadHostName> {
        let (user, host) = match text.split_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, text),
        };
        let good = is_word(host, "[") && user.is_none_or(|user| is_word(user, "_"));
        if good && text.len() <= Self::LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadHostName(text.chars().take(Self::LONGEST).collect()))
        }
    }

    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_word(text: &str, also_first: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|c| c.is_ascii_alphanumeric() || also_first.contains(c))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]%".contains(c))
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_accepted() {
        for good in [
            "beta",
            "localhost",
            "root@beta.example.com",
            "192.0.2.7",
            "[fe80::1%eth0]",
            "_zrep@b-1",
        ] {
            assert_eq!(HostName::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn what_ssh_or_a_shell_would_take_for_something_else_is_not() {
        let long = "a".repeat(301);
        for bad in [
            "",
            "-oProxyCommand=reboot",
            "root@-oProxyCommand=x",
            "a b",
            "a;b",
            "$(reboot)",
            "'a'",
            "a\nb",
            "a@b@c",
            "bäta",
            "@b",
            "a@",
            "a/b",
            long.as_str(),
        ] {
            assert!(HostName::new(bad).is_err(), "{bad}");
        }
    }
}
