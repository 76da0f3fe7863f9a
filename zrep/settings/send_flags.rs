//! `ZREP_SEND_FLAGS` and `ZREP_RESUME_FLAGS`: what the user would say to `zfs send`.

use std::collections::BTreeSet;

use super::BadSetting;

/// A flag of `zfs send` that zrep takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// Blocks as they are on disk, encrypted where they are. zrep does that for encrypted sources anyway, and decides at init.
    Raw,
    /// Blocks compressed as they are on disk: always.
    Compressed,
    /// Blocks over 128 KiB as they are: always.
    LargeBlock,
    /// Small blocks inside their pointers.
    Embed,
    /// The properties: init carries them always.
    Props,
}

/// The flags of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendFlags {
    flags: BTreeSet<Flag>,
    /// What was left out, for people.
    pub notes: Vec<String>,
}

/// What becomes of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Taken(Flag),
    /// It says how `zfs send` talks, and nothing is asked of `zfs send`.
    Ignored,
    /// Why, and what to do instead.
    Refused(&'static str),
}

impl SendFlags {
    /// Reads the words of a variable.
    ///
    /// # Errors
    ///
    /// A flag that would make another stream than zrep's, or that `zfs send` does not have.
    pub fn parse(variable: &str, text: &str) -> Result<Self, BadSetting> {
        let mut flags = Self::default();
        for word in text.split_whitespace() {
            for flag in single_flags(word) {
                match verdict(&flag) {
                    Verdict::Taken(taken) => _ = flags.flags.insert(taken),
                    Verdict::Ignored => flags.notes.push(format!(
                        "{variable}: {flag} has no effect; `zrep sync --verbose` tells more"
                    )),
                    Verdict::Refused(hint) => return Err(refused(variable, text, &flag, hint)),
                }
            }
        }
        if flags.has(Flag::Props) {
            flags.notes.push(format!(
                "{variable}: -p has no effect: `zrep init` carries the properties always, and a sync leaves the target's as they are"
            ));
        }
        Ok(flags)
    }

    /// Whether the flag was given.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }
}

fn refused(variable: &str, text: &str, flag: &str, hint: &str) -> BadSetting {
    BadSetting::new(
        format!("{variable}: {flag} is not taken: {hint}"),
        "flags of `zfs send` among -w -c -L -e -p",
        format!("{variable}={text:?}"),
    )
}

/// `-cLe` is three flags, and `--raw` one.
fn single_flags(word: &str) -> Vec<String> {
    match word.strip_prefix('-') {
        Some(letters) if !letters.is_empty() && !letters.starts_with('-') => {
            letters.chars().map(|letter| format!("-{letter}")).collect()
        }
        Some(_) | None => vec![word.to_owned()],
    }
}

fn verdict(flag: &str) -> Verdict {
    match flag {
        "-w" | "--raw" => Verdict::Taken(Flag::Raw),
        "-c" | "--compressed" => Verdict::Taken(Flag::Compressed),
        "-L" | "--large-block" => Verdict::Taken(Flag::LargeBlock),
        "-e" | "--embed" => Verdict::Taken(Flag::Embed),
        "-p" | "--props" => Verdict::Taken(Flag::Props),
        "-v" | "--verbose" | "-P" | "--parsable" | "-V" | "--proctitle" => Verdict::Ignored,
        "-R" | "--replicate" => Verdict::Refused("a stream of one dataset is sent; for a tree there is `zrep -R`"),
        "-i" | "-I" => Verdict::Refused("zrep finds the base itself; ZREP_INC_FLAG says what travels between"),
        "-t" => Verdict::Refused("zrep finds interrupted streams itself"),
        "-D" | "--dedup" => Verdict::Refused("no OpenZFS of today receives such a stream"),
        "-n" | "--dryrun" => Verdict::Refused("nothing would be sent; `zrep sync --dry-run` shows the plan"),
        "-h" | "--holds" => Verdict::Refused("holds stay on their side"),
        "-b" | "--backup" => Verdict::Refused("what a target has received is not sent on as its source's"),
        "-s" | "--skip-missing" | "-X" | "--exclude" => Verdict::Refused("it is for the trees of `zfs send -R`"),
        "-S" | "--saved" => Verdict::Refused("half a snapshot cannot be the base of the next"),
        "-d" | "-r" | "-u" | "-F" => Verdict::Refused("it is a flag of `zfs receive` or `zfs snapshot`"),
        _ => Verdict::Refused("`zfs send` has no such flag that zrep knows"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<SendFlags, BadSetting> {
        SendFlags::parse("ZREP_SEND_FLAGS", text)
    }

    #[test]
    fn flags_may_be_long_short_and_together() {
        for (text, expected) in [
            ("", vec![]),
            ("-w", vec![Flag::Raw]),
            ("--raw  --compressed", vec![Flag::Raw, Flag::Compressed]),
            ("-cLe", vec![Flag::Compressed, Flag::LargeBlock, Flag::Embed]),
            ("-c --large-block -c", vec![Flag::Compressed, Flag::LargeBlock]),
        ] {
            let flags = parsed(text).unwrap();
            assert_eq!(flags.flags.into_iter().collect::<Vec<_>>(), expected, "{text}");
            assert!(flags.notes.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_makes_another_stream_is_refused_by_name() {
        for (text, named, hint) in [
            ("-R", "-R", "zrep -R"),
            ("-cR", "-R", "zrep -R"),
            ("--replicate", "--replicate", "zrep -R"),
            ("-D", "-D", "receives"),
            ("-I", "-I", "ZREP_INC_FLAG"),
            ("-n", "-n", "--dry-run"),
            ("--fast", "--fast", "no such flag"),
            ("-", "-", "no such flag"),
            ("fast", "fast", "no such flag"),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(
                error
                    .what
                    .starts_with(&format!("ZREP_SEND_FLAGS: {named} is not taken")),
                "{error}"
            );
            assert!(error.what.contains(hint), "{error}");
        }
    }

    #[test]
    fn what_has_no_effect_is_told() {
        for text in ["-v", "-P", "--parsable", "-p"] {
            assert_eq!(parsed(text).unwrap().notes.len(), 1, "{text}");
        }
        assert_eq!(parsed("-cvP").unwrap().notes.len(), 2);
    }
}
