//! Names of zrep's own snapshots: `TAG_` and at least six lower-case hex digits.
//!
//! `zrep_00000b` is number 11 of the default tag. Shell zrep renames a snapshot whose transfer broke to
//! `zrep_00000b_unsent`, and once more on a second failure; those are zrep's, too. Anything else behind the digits
//! (`zrep_00000b.keep`) was named by a person: it keeps its number reserved, and is never expired.

use crate::props::Tag;

/// The suffix that shell zrep gives to a snapshot whose transfer broke.
const UNSENT: &str = "_unsent";

/// What the short name of a snapshot says about who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// zrep made it, as number `n` of the tag.
    Own(u64),
    /// It begins like one of zrep's, but a person gave it its name.
    Reserved(u64),
    /// Not a name of this tag.
    Foreign,
}

impl Naming {
    /// Reads the short name (the part behind `@`) of a snapshot.
    pub fn of(tag: &Tag, short: &str) -> Self {
        let Some(rest) = short.strip_prefix(tag.as_str()).and_then(|rest| rest.strip_prefix('_')) else {
            return Self::Foreign;
        };
        let digits = rest
            .bytes()
            .take_while(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            .count();
        let Ok(number) = u64::from_str_radix(&rest[..digits], 16) else {
            return Self::Foreign;
        };
        match digits {
            0..=5 => Self::Foreign,
            _ if is_unsent_chain(&rest[digits..]) => Self::Own(number),
            _ => Self::Reserved(number),
        }
    }

    /// The number in the name, whoever made it.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::Own(number) | Self::Reserved(number) => Some(number),
            Self::Foreign => None,
        }
    }

    /// Whether zrep made the snapshot, so that zrep may expire it.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Own(_))
    }
}

fn is_unsent_chain(mut suffix: &str) -> bool {
    while let Some(rest) = suffix.strip_prefix(UNSENT) {
        suffix = rest;
    }
    suffix.is_empty()
}

/// The short name of snapshot `number`.
pub fn short_name(tag: &Tag, number: u64) -> String {
    format!("{tag}_{number:06x}")
}

/// The number after the highest in use; 0 where there is none.
///
/// Pass the names of *both* sides: if somebody destroyed the newest snapshot of the source, its number still exists on the
/// target, and a second snapshot of that name could never be received.
pub fn next_number<'a>(tag: &Tag, shorts: impl IntoIterator<Item = &'a str>) -> u64 {
    let highest = shorts
        .into_iter()
        .filter_map(|short| Naming::of(tag, short).number())
        .max();
    highest.map_or(0, |number| number + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag() -> Tag {
        Tag::new("zrep").unwrap()
    }

    #[test]
    fn a_name_tells_who_made_the_snapshot() {
        for (short, expected) in [
            ("zrep_000000", Naming::Own(0)),
            ("zrep_00000b", Naming::Own(11)),
            ("zrep_ffffff", Naming::Own(0xff_ffff)),
            ("zrep_1000000", Naming::Own(0x100_0000)),
            ("zrep_00000b_unsent", Naming::Own(11)),
            ("zrep_00000b_unsent_unsent", Naming::Own(11)),
            ("zrep_00000b.keep", Naming::Reserved(11)),
            ("zrep_00000b_unsent_old", Naming::Reserved(11)),
            ("zrep_backup1", Naming::Foreign),
            ("zrep_ab", Naming::Foreign),
            ("zrep_00000B", Naming::Foreign),
            ("zrep_", Naming::Foreign),
            ("zrep000000", Naming::Foreign),
            ("uk-zrep_000001", Naming::Foreign),
            ("zrep_ffffffffffffffffffff", Naming::Foreign),
            ("daily", Naming::Foreign),
        ] {
            assert_eq!(Naming::of(&tag(), short), expected, "{short}");
        }
    }

    #[test]
    fn the_next_number_follows_the_highest_of_both_sides() {
        assert_eq!(next_number(&tag(), []), 0);
        assert_eq!(next_number(&tag(), ["daily", "zrep_000009", "zrep_00000a"]), 11);
        assert_eq!(next_number(&tag(), ["zrep_000001", "zrep_000007.keep"]), 8);
        assert_eq!(next_number(&tag(), ["zrep_ffffff"]), 0x100_0000);
    }

    #[test]
    fn a_written_name_reads_as_its_own_number() {
        for number in [0, 1, 0xff_ffff, 0x100_0000] {
            assert_eq!(Naming::of(&tag(), &short_name(&tag(), number)), Naming::Own(number));
        }
    }
}
