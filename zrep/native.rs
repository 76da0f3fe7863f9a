//! The words for the numbers that the kernel keeps of native properties: what `zfs set` and `zfs get` know of them. Pure.

type Table = &'static [(&'static str, u64)];

/// Numbers for people as well.
const PLAIN: [&str; 5] = ["copies", "quota", "recordsize", "refquota", "special_small_blocks"];

const ON_OFF: Table = &[("off", 0), ("on", 1)];
const CACHES: Table = &[("none", 0), ("metadata", 1), ("all", 2)];

const TABLES: &[(&[&str], Table)] = &[
    (
        &["atime", "nbmand", "overlay", "relatime", "volthreading", "vscan"],
        ON_OFF,
    ),
    (&["primarycache", "secondarycache", "prefetch"], CACHES),
    (
        &["aclinherit"],
        &[
            ("discard", 0),
            ("noallow", 1),
            ("passthrough", 3),
            ("restricted", 4),
            ("passthrough-x", 5),
        ],
    ),
    (
        &["aclmode"],
        &[("discard", 0), ("groupmask", 2), ("passthrough", 3), ("restricted", 4)],
    ),
    (&["acltype"], &[("off", 0), ("posix", 1), ("nfsv4", 2)]),
    (&["canmount"], &[("off", 0), ("on", 1), ("noauto", 2)]),
    (&["checksum"], CHECKSUMS),
    (&["compression"], COMPRESSIONS),
    (&["dedup"], DEDUPS),
    (&["direct"], &[("disabled", 0), ("standard", 1), ("always", 2)]),
    (
        &["dnodesize"],
        &[
            ("legacy", 0),
            ("auto", 1),
            ("1k", 1024),
            ("2k", 2048),
            ("4k", 4096),
            ("8k", 8192),
            ("16k", 16384),
        ],
    ),
    (&["logbias"], &[("latency", 0), ("throughput", 1)]),
    (
        &["redundant_metadata"],
        &[("all", 0), ("most", 1), ("some", 2), ("none", 3)],
    ),
    (&["snapdev"], &[("hidden", 0), ("visible", 1)]),
    (&["snapdir"], &[("hidden", 0), ("visible", 1), ("disabled", 2)]),
    (&["sync"], &[("standard", 0), ("always", 1), ("disabled", 2)]),
    (
        &["volmode"],
        &[("default", 0), ("full", 1), ("geom", 1), ("dev", 2), ("none", 3)],
    ),
    // N.B. `on` is `dir` in older releases. That shapes files to come, and harms none.
    (&["xattr"], &[("off", 0), ("dir", 1), ("sa", 2), ("on", 2)]),
];

const CHECKSUMS: Table = &[
    ("on", 1),
    ("off", 2),
    ("fletcher2", 6),
    ("fletcher4", 7),
    ("sha256", 8),
    ("noparity", 10),
    ("sha512", 11),
    ("skein", 12),
    ("edonr", 13),
    ("blake3", 14),
];

/// A checksum, and above it whether the data itself is compared.
const DEDUPS: Table = &[
    ("on", 1),
    ("off", 2),
    ("verify", 257),
    ("sha256", 8),
    ("sha256,verify", 264),
    ("sha512", 11),
    ("sha512,verify", 267),
    ("skein", 12),
    ("skein,verify", 268),
    ("edonr,verify", 269),
    ("blake3", 14),
    ("blake3,verify", 270),
];

const COMPRESSIONS: Table = &[
    ("on", 1),
    ("off", 2),
    ("lzjb", 3),
    ("gzip-1", 5),
    ("gzip-2", 6),
    ("gzip-3", 7),
    ("gzip-4", 8),
    ("gzip-5", 9),
    ("gzip", 10),
    ("gzip-6", 10),
    ("gzip-7", 11),
    ("gzip-8", 12),
    ("gzip-9", 13),
    ("zle", 14),
    ("lz4", 15),
    ("zstd", ZSTD),
    ("zstd-fast", ZSTD | (FAST + 1) << LEVEL),
];

/// A zstd's level stands above the algorithm; the fast ones have numbers of their own.
const ZSTD: u64 = 16;
const LEVEL: u64 = 7;
const FAST: u64 = 102;
const FASTS: [u64; 21] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 500, 1000,
];

fn table(property: &str) -> Option<Table> {
    TABLES
        .iter()
        .find(|(names, _)| names.contains(&property))
        .map(|(_, table)| *table)
}

/// What `zfs set` calls the number, if it has a word for it.
pub fn word(property: &str, number: u64) -> Option<String> {
    if PLAIN.contains(&property) {
        return Some(number.to_string());
    }
    let found = table(property)?
        .iter()
        .find(|(_, of)| *of == number)
        .map(|(word, _)| (*word).to_owned());
    found.or_else(|| {
        if property == "compression" {
            zstd_word(number)
        } else {
            None
        }
    })
}

/// The number behind what `zfs get -p` says; `None` of a property that replicas do not take over, or of a word from a later release.
pub fn number(property: &str, word: &str) -> Option<u64> {
    if PLAIN.contains(&property) {
        return word.parse().ok();
    }
    let found = table(property)?
        .iter()
        .find(|(of, _)| *of == word)
        .map(|(_, number)| *number);
    found.or_else(|| {
        if property == "compression" {
            zstd_number(word)
        } else {
            None
        }
    })
}

fn zstd_word(number: u64) -> Option<String> {
    let level = (number & ((1 << LEVEL) - 1) == ZSTD).then_some(number >> LEVEL)?;
    if (1..=19).contains(&level) {
        return Some(format!("zstd-{level}"));
    }
    let fast = usize::try_from(level.checked_sub(FAST + 1)?).ok()?;
    FASTS.get(fast).map(|fast| format!("zstd-fast-{fast}"))
}

fn zstd_number(word: &str) -> Option<u64> {
    let level = match word.strip_prefix("zstd-fast-") {
        Some(fast) => {
            let fast = fast.parse::<u64>().ok()?;
            FAST + 1 + FASTS.iter().position(|&of| of == fast)? as u64
        }
        None => word
            .strip_prefix("zstd-")?
            .parse()
            .ok()
            .filter(|level| (1..=19).contains(level))?,
    };
    Some(ZSTD | level << LEVEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_to_its_number_and_back() {
        for (names, table) in TABLES {
            for (property, (word_of, of)) in names.iter().flat_map(|name| table.iter().map(move |row| (name, row))) {
                assert_eq!(number(property, word_of), Some(*of), "{property}={word_of}");
                let back = word(property, *of).unwrap();
                assert_eq!(number(property, &back), Some(*of), "{property}={back}");
            }
        }
        for level in ["zstd-1", "zstd-19", "zstd-fast-2", "zstd-fast-1000"] {
            assert_eq!(
                word("compression", number("compression", level).unwrap()).unwrap(),
                level
            );
        }
    }

    #[test]
    fn every_property_that_replicas_take_over_is_known() {
        for property in crate::props::COPIED {
            assert!(PLAIN.contains(&property) || table(property).is_some(), "{property}");
        }
    }

    #[test]
    fn what_has_no_word_has_none() {
        assert_eq!(word("compression", 4), None);
        assert_eq!(word("compression", 16 | 60 << 7), None);
        assert_eq!(word("mountpoint", 1), None);
        assert_eq!(number("compression", "zstd-20"), None);
        assert_eq!(word("recordsize", 131_072).as_deref(), Some("131072"));
    }
}
