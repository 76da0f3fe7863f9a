//! The properties that a new replica may begin with.

use crate::hostname::HostName;
use crate::model::{Native, State};
use crate::plan::Creation;
use crate::props::{COPIED, DEVICES, Key, Tag, is_bookkeeping};
use zfs_ffi::DatasetName;

/// The longest value of a user property that ZFS takes.
const LONGEST: usize = 8192;

/// The properties that a receive comes with here. A dataset that is there keeps what it has: to the kernel, properties that come with a stream
/// replace all that came before, and may take the local ones along. A new one is read-only, whether the peer wishes for properties or not: by itself, or
/// because it `inherits` that.
pub(super) fn allowed(
    tag: &Tag,
    dataset: &DatasetName,
    state: Option<&State>,
    wished: Option<Creation>,
    inherits: bool,
) -> Option<Creation> {
    if state.is_some_and(|state| !state.inconsistent) {
        return None;
    }
    let wished = wished.unwrap_or(Creation {
        received: Vec::new(),
        local: Vec::new(),
    });
    Some(harmless(tag, dataset, &wished, inherits))
}

/// What of a peer's wishes is taken over: what shapes the data, the user's own notes, and the pair itself. Where a dataset is mounted,
/// shared or run from is this machine's business, and that a replica is read-only is not the peer's to say.
fn harmless(tag: &Tag, dataset: &DatasetName, wished: &Creation, inherits: bool) -> Creation {
    let received = wished
        .received
        .iter()
        .filter(|(name, value)| is_harmless(tag, dataset, name, value));
    let own = wished.local.iter().filter(|(name, value)| {
        is_unmounted(name, value) || !is_bookkeeping(name) && is_harmless(tag, dataset, name, value)
    });
    let readonly = (!inherits).then(|| ("readonly".to_owned(), Native::Number(1)));
    Creation {
        received: received.cloned().collect(),
        local: readonly.into_iter().chain(own.cloned()).collect(),
    }
}

/// Where a dataset is mounted is not a peer's to say; that it is not may be said.
fn is_unmounted(name: &str, value: &Native) -> bool {
    match value {
        Native::Number(number) => name == "canmount" && *number != 1,
        Native::Text(text) => name == "mountpoint" && ["none", "legacy"].contains(&text.as_str()),
    }
}

fn is_harmless(tag: &Tag, dataset: &DatasetName, name: &str, value: &Native) -> bool {
    if !name.contains(':') {
        return COPIED.contains(&name) && !DEVICES.contains(&name);
    }
    let Native::Text(text) = value else { return false };
    match Key::ALL.into_iter().find(|key| tag.property(*key) == name) {
        Some(key) => is_of_pair(key, dataset, text),
        // Other tools' switches: systemd mounts what such properties say, and other pairings have their own.
        None => !is_bookkeeping(name) && !name.starts_with("org.openzfs") && text.len() < LONGEST,
    }
}

fn is_of_pair(key: Key, dataset: &DatasetName, text: &str) -> bool {
    match key {
        Key::SrcFs => DatasetName::new(text).is_ok(),
        Key::DestFs => text == dataset.as_str(),
        Key::SrcHost | Key::DestHost => HostName::new(text).is_ok(),
        Key::Savecount => text.parse::<usize>().is_ok_and(|count| count > 0),
        Key::Master
        | Key::Sent
        | Key::LockPid
        | Key::LockTime
        | Key::LastSent
        | Key::LastSentTime
        | Key::Epoch
        | Key::Intent
        | Key::Fenced
        | Key::Gate
        | Key::Clear => false,
        Key::Recursive => text == "yes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_shapes_the_data_and_nothing_else() {
        let text = |name: &str, value: &str| (name.to_owned(), Native::Text(value.to_owned()));
        let number = |name: &str| (name.to_owned(), Native::Number(1));
        let wished = Creation {
            received: vec![
                number("recordsize"),
                number("setuid"),
                number("canmount"),
                number("volmode"),
                text("mountpoint", "/"),
                text("sharenfs", "rw"),
                text("org.openzfs.systemd:required-by", "x"),
                text("com.example:note", "kept"),
                text("zrep:master", "yes"),
                text("zrep:src-fs", "src/a"),
                text("zrep:dest-fs", "dst/other"),
                text("zrep:src-host", "-oProxyCommand=x"),
                text("other:dest-fs", "dst/b"),
            ],
            local: vec![
                number("exec"),
                number("recordsize"),
                number("snapdev"),
                number("canmount"),
                ("canmount".to_owned(), Native::Number(2)),
                ("readonly".to_owned(), Native::Number(0)),
                text("mountpoint", "/"),
                text("mountpoint", "none"),
                text("com.example:note", "own"),
                text("zrep:src-fs", "src/a"),
            ],
        };
        let tag = Tag::new("zrep").unwrap();
        let got = harmless(&tag, &DatasetName::new("dst/b").unwrap(), &wished, false);
        let names: Vec<&str> = got.received.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["recordsize", "com.example:note", "zrep:src-fs"]);
        let own = [
            number("readonly"),
            number("recordsize"),
            ("canmount".to_owned(), Native::Number(2)),
            text("mountpoint", "none"),
            text("com.example:note", "own"),
        ];
        assert_eq!(got.local, own);
    }
}
