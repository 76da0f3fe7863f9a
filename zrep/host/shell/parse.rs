//! What `zfs` prints for programs (`-Hp`): a line for each thing, and tabs between its columns.

use std::collections::BTreeMap;

use crate::model::{Bookmark, Guid, Kind, Native, Origin, Setting, Snapshot, State};
use crate::native;
use crate::props::COPIED;
use zfs_ffi::DatasetName;

/// Columns are separated by tabs, of which a value may hold more.
pub(super) fn three(line: &str) -> Option<(&str, &str, &str)> {
    let (first, rest) = line.split_once('\t')?;
    let (second, third) = rest.split_once('\t')?;
    Some((first, second, third))
}

/// A line of `property,value,source`.
fn setting(line: &str) -> Option<(&str, &str, Origin)> {
    let (property, rest) = line.split_once('\t')?;
    let (value, source) = rest.rsplit_once('\t')?;
    Some((property, value, origin(source)))
}

/// N.B. what an ancestor received is inherited here.
fn origin(source: &str) -> Origin {
    match source {
        "local" => Origin::Local,
        "received" => Origin::Received,
        source if source.starts_with("inherited from ") => Origin::Inherited,
        // default, temporary, and - where there can be none
        _ => Origin::Default,
    }
}

/// The rest of a state is empty.
pub(super) fn basic_state(name: &DatasetName, text: &str) -> Option<State> {
    let rows: BTreeMap<&str, (&str, Origin)> = text
        .lines()
        .filter_map(setting)
        .map(|(property, value, origin)| (property, (value, origin)))
        .collect();
    let value = |property: &str| rows.get(property).map(|(value, _)| *value);
    let number = |property: &str| value(property)?.parse::<u64>().ok();
    let (readonly, readonly_origin) = *rows.get("readonly")?;
    Some(State {
        name: name.clone(),
        guid: Guid(number("guid")?),
        kind: if value("type")? == "volume" {
            Kind::Volume
        } else {
            Kind::Filesystem
        },
        user: BTreeMap::new(),
        copied: BTreeMap::new(),
        readonly: readonly == "on",
        readonly_origin,
        encrypted: !matches!(value("encryption"), None | Some("off" | "-")),
        written: number("written").unwrap_or(0),
        referenced: number("referenced").unwrap_or(0),
        inconsistent: number("inconsistent")? != 0,
        snapshots: Vec::new(),
        bookmarks: Vec::new(),
        partial: None,
        host: String::new(),
    })
}

/// The user properties, if no value in the listing can be taken for more than one: then there are as many lines as properties.
pub(super) fn user(names: &str, all: &str) -> Option<BTreeMap<String, Setting>> {
    let is_plain = names.lines().count() == all.lines().count();
    let settings = all
        .lines()
        .filter_map(setting)
        .filter(|(property, ..)| property.contains(':'));
    let owned = |(property, value, origin): (&str, &str, Origin)| {
        (
            property.to_owned(),
            Setting {
                value: value.to_owned(),
                origin,
            },
        )
    };
    is_plain.then(|| settings.map(owned).collect())
}

pub(super) fn user_names(names: &str) -> impl Iterator<Item = (&str, Origin)> {
    let rows = names.lines().filter_map(|line| line.split_once('\t'));
    rows.filter(|(property, _)| property.contains(':'))
        .map(|(property, source)| (property, origin(source)))
}

/// Native properties come before the users', so the first line of a name is the true one.
pub(super) fn copied(all: &str) -> BTreeMap<String, Native> {
    let mut copied = BTreeMap::new();
    for (property, value, origin) in all.lines().filter_map(setting) {
        let is_own = COPIED.contains(&property) && matches!(origin, Origin::Local | Origin::Received);
        if let Some(number) = native::number(property, value).filter(|_| is_own) {
            copied.entry(property.to_owned()).or_insert(Native::Number(number));
        }
    }
    copied
}

pub(super) fn short_of<'t>(name: &DatasetName, full: &'t str) -> Option<&'t str> {
    full.strip_prefix(name.as_str())?.strip_prefix(['@', '#'])
}

pub(super) fn snapshots_of(name: &DatasetName, text: &str) -> Vec<Snapshot> {
    let snapshot = |line: &str| {
        let mut columns = line.split('\t');
        Some(Snapshot {
            name: short_of(name, columns.next()?)?.to_owned(),
            guid: Guid(columns.next()?.parse().ok()?),
            createtxg: columns.next()?.parse().ok()?,
            creation: columns.next()?.parse().ok()?,
            user: BTreeMap::new(),
        })
    };
    text.lines().filter_map(snapshot).collect()
}

pub(super) fn bookmarks_of(name: &DatasetName, text: &str) -> Vec<Bookmark> {
    let bookmark = |line: &str| {
        let mut columns = line.split('\t');
        Some(Bookmark {
            name: short_of(name, columns.next()?)?.to_owned(),
            guid: Guid(columns.next()?.parse().ok()?),
            createtxg: columns.next()?.parse().ok()?,
        })
    };
    text.lines().filter_map(bookmark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "type\tfilesystem\t-\ncompression\tzstd-3\tlocal\nrecordsize\t131072\tdefault\nquota\t1048576\treceived\n\
        mountpoint\t/p/f s\tdefault\nzrep:master\tyes\tlocal\nzrep:savecount\t5\tinherited from p\nzrep:src-fs\ta\tb\treceived\n";
    const NAMES: &str = "type\t-\ncompression\tlocal\nrecordsize\tdefault\nquota\treceived\nmountpoint\tdefault\nzrep:master\tlocal\n\
        zrep:savecount\tinherited from p\nzrep:src-fs\treceived\n";

    fn name() -> DatasetName {
        DatasetName::new("p/f s").unwrap()
    }

    #[test]
    fn user_properties_come_with_their_origin() {
        let user = user(NAMES, ALL).unwrap();
        let seen: Vec<_> = user
            .iter()
            .map(|(name, setting)| (name.as_str(), setting.value.as_str(), setting.origin))
            .collect();
        assert_eq!(
            seen,
            [
                ("zrep:master", "yes", Origin::Local),
                ("zrep:savecount", "5", Origin::Inherited),
                ("zrep:src-fs", "a\tb", Origin::Received)
            ]
        );
    }

    #[test]
    fn a_value_with_a_line_break_cannot_pass_for_a_property() {
        let all = ALL.replace("\t5\t", "\t5\nzrep:x\tforged\tlocal\n\t");
        assert_eq!(user(NAMES, &all), None);
        let names: Vec<_> = user_names(NAMES).collect();
        assert_eq!(names[1], ("zrep:savecount", Origin::Inherited));
    }

    #[test]
    fn native_properties_of_its_own_become_what_the_kernel_keeps() {
        let copied = copied(ALL);
        let expected = [
            ("compression", Native::Number(16 | 3 << 7)),
            ("quota", Native::Number(1_048_576)),
        ];
        assert_eq!(copied, expected.map(|(name, value)| (name.to_owned(), value)).into());
    }

    #[test]
    fn the_basics_are_read_or_there_is_no_state() {
        let text = "type\tvolume\t-\nguid\t42\t-\nreadonly\ton\tlocal\nencryption\taes-256-gcm\t-\nwritten\t7\t-\nreferenced\t9\t-\ninconsistent\t0\t-\n";
        let state = basic_state(&name(), text).unwrap();
        assert_eq!(
            (state.guid, state.kind, state.readonly_origin),
            (Guid(42), Kind::Volume, Origin::Local)
        );
        assert_eq!(
            (state.readonly, state.encrypted, state.written, state.inconsistent),
            (true, true, 7, false)
        );
        assert_eq!(basic_state(&name(), "type\tvolume\t-\n"), None);
    }

    #[test]
    fn snapshots_and_bookmarks_are_those_of_the_dataset() {
        let snapshots = snapshots_of(
            &name(),
            "p/f s@a b\t1\t10\t1700000000\np/f s/child@a\t2\t11\t1700000001\n",
        );
        assert_eq!(
            snapshots
                .iter()
                .map(|s| (s.name.as_str(), s.guid.0))
                .collect::<Vec<_>>(),
            [("a b", 1)]
        );
        let bookmarks = bookmarks_of(&name(), "p/f s#b\t3\t12\n");
        assert_eq!((bookmarks[0].name.as_str(), bookmarks[0].createtxg), ("b", 12));
    }
}
