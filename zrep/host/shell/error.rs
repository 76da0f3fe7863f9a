//! From the words of `zfs` and `ssh` to ours.

use crate::host::{Error, ErrorKind};

/// More of an error is not told.
const LONGEST: usize = 600;

/// What `zfs` says, and what it means. The first one that is found counts.
const SAYINGS: [(&str, ErrorKind); 50] = [
    ("zfs: not found", ErrorKind::NoZfs),
    ("zfs: command not found", ErrorKind::NoZfs),
    ("/dev/zfs", ErrorKind::NoZfs),
    ("modules are not loaded", ErrorKind::NoZfs),
    ("modules cannot be auto-loaded", ErrorKind::NoZfs),
    ("partially-complete state", ErrorKind::Busy),
    ("most recent snapshot of", ErrorKind::WrongBase),
    ("does not match incremental source", ErrorKind::WrongBase),
    ("incremental source is not", ErrorKind::WrongBase),
    ("not an earlier snapshot", ErrorKind::WrongBase),
    ("not an ancestor", ErrorKind::WrongBase),
    ("IV set guid", ErrorKind::WrongBase),
    ("has been modified", ErrorKind::Modified),
    ("partially received snapshot is saved", ErrorKind::Interrupted),
    ("incomplete stream", ErrorKind::Interrupted),
    ("failed to read from stream", ErrorKind::Interrupted),
    ("signal received", ErrorKind::Interrupted),
    ("broken pipe", ErrorKind::Interrupted),
    ("key must be loaded", ErrorKind::KeyUnavailable),
    ("key not loaded", ErrorKind::KeyUnavailable),
    ("key is not loaded", ErrorKind::KeyUnavailable),
    ("does not exist", ErrorKind::NotFound),
    ("no longer exists", ErrorKind::NotFound),
    ("no such pool", ErrorKind::NotFound),
    ("could not find any snapshots", ErrorKind::NotFound),
    ("must specify -f", ErrorKind::Exists),
    ("must destroy them to overwrite", ErrorKind::Exists),
    ("already exists", ErrorKind::Exists),
    ("more recent snapshots", ErrorKind::Exists),
    ("being held", ErrorKind::Busy),
    ("dependent clones", ErrorKind::Busy),
    ("is busy", ErrorKind::Busy),
    ("target is busy", ErrorKind::Busy),
    ("out of space", ErrorKind::NoSpace),
    ("no space left", ErrorKind::NoSpace),
    ("quota exceeded", ErrorKind::NoSpace),
    ("exceeds quota", ErrorKind::NoSpace),
    ("limit exceeded", ErrorKind::NoSpace),
    ("permission denied", ErrorKind::Permission),
    ("operation not permitted", ErrorKind::Permission),
    ("must be superuser", ErrorKind::Permission),
    ("suspended", ErrorKind::PoolUnavailable),
    ("pool is read only", ErrorKind::PoolUnavailable),
    ("read-only file system", ErrorKind::PoolUnavailable),
    ("no such device", ErrorKind::PoolUnavailable),
    ("invalid stream", ErrorKind::BadStream),
    ("invalid backup stream", ErrorKind::BadStream),
    ("unsupported feature", ErrorKind::BadStream),
    ("must be upgraded to receive", ErrorKind::BadStream),
    ("checksum mismatch", ErrorKind::BadStream),
];

/// What `zfs` on `host` has complained about, in its own words.
pub(super) fn of_zfs(host: &str, words: &str) -> Error {
    let text = if words.trim().is_empty() {
        "zfs failed, and did not say why".to_owned()
    } else {
        one_line(words)
    };
    Error::new(kind(words), format!("{text} (on host {host})"))
}

pub(super) fn kind(words: &str) -> ErrorKind {
    let words = words.to_lowercase();
    let found = SAYINGS
        .iter()
        .find(|(saying, _)| words.contains(&saying.to_lowercase()));
    found.map_or(ErrorKind::Other, |(_, kind)| *kind)
}

/// Advice for people at a terminal there. What it would destroy is not zrep's to destroy, and a token is of no use here.
const ADVICE: [&str; 4] = ["use '-r'", "use '-R'", "must specify -F", "A resuming stream can be"];

/// Another machine's words in one line, without advice, and without what could steer a terminal.
pub(super) fn one_line(words: &str) -> String {
    let told = words
        .lines()
        .take_while(|line| !ADVICE.iter().any(|advice| line.trim_start().starts_with(advice)));
    let words: Vec<&str> = told.flat_map(str::split_whitespace).collect();
    words
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_zfs_are_understood() {
        let table = [
            ("cannot open 'dst/x': dataset does not exist", ErrorKind::NotFound),
            (
                "cannot create snapshot 'dst/x@a': dataset already exists",
                ErrorKind::Exists,
            ),
            (
                "cannot rollback to 'p/x@a': more recent snapshots or bookmarks exist\nuse '-r' to force deletion",
                ErrorKind::Exists,
            ),
            (
                "cannot receive new filesystem stream: destination 'dst/x' exists\nmust specify -F to overwrite it",
                ErrorKind::Exists,
            ),
            (
                "cannot receive incremental stream: destination dst/x has been modified\nsince most recent snapshot",
                ErrorKind::Modified,
            ),
            (
                "cannot receive incremental stream: most recent snapshot of dst/x does not\nmatch incremental source",
                ErrorKind::WrongBase,
            ),
            ("cannot destroy snapshot p/x@a: dataset is busy", ErrorKind::Busy),
            ("cannot destroy 'p/x@a': snapshot has dependent clones", ErrorKind::Busy),
            (
                "cannot set property for 'p/x': permission denied",
                ErrorKind::Permission,
            ),
            ("cannot receive incremental stream: out of space", ErrorKind::NoSpace),
            ("sh: 1: zfs: not found", ErrorKind::NoZfs),
            ("something new", ErrorKind::Other),
        ];
        for (words, expected) in table {
            assert_eq!(kind(words), expected, "{words}");
        }
    }

    #[test]
    fn the_text_is_one_line_and_names_the_host() {
        let error = of_zfs(
            "beta",
            "cannot receive: a\n\u{1b}[31mb\nA resuming stream can be generated by\n zfs send -t 1-abc",
        );
        assert_eq!(error.text, "cannot receive: a [31mb (on host beta)");
        assert!(of_zfs("beta", "").text.starts_with("zfs failed"));
    }
}
