//! Reading what is there.

use std::collections::BTreeMap;

use super::error::from_ffi;
use crate::host::Error;
use crate::model::{Bookmark, Guid, Kind, Native, Origin, Partial, ResumePoint, Setting, Snapshot, State, StreamFlags};
use zfs_ffi::{
    Core, Dataset, DatasetName, DatasetType, Handle, Properties, PropertyValue, ResumeToken, SendFlags, SnapshotInfo,
    Source,
};

/// The native properties that a replica takes over. They shape the data, and what may be done with it; where a dataset is mounted,
/// shared or run stays the business of each side.
const COPIED: [&str; 29] = [
    "aclinherit",
    "aclmode",
    "acltype",
    "atime",
    "checksum",
    "compression",
    "copies",
    "dedup",
    "direct",
    "dnodesize",
    "logbias",
    "nbmand",
    "overlay",
    "prefetch",
    "primarycache",
    "quota",
    "recordsize",
    "redundant_metadata",
    "refquota",
    "relatime",
    "secondarycache",
    "snapdir",
    "special_small_blocks",
    "sync",
    "volmode",
    "volthreading",
    "vscan",
    "xattr",
    "snapdev",
];

/// Everything about a dataset, or `None` if it is not there.
pub(super) fn state(core: &Core, handle: &Handle, name: &DatasetName) -> Result<Option<State>, Error> {
    let dataset = match handle.dataset(name) {
        Ok(dataset) => dataset,
        Err(error) if error.kind() == zfs_ffi::Kind::NotFound => return Ok(None),
        Err(error) => return Err(from_ffi(error)),
    };
    let properties = dataset.properties().map_err(from_ffi)?;
    let number = |property: &str| properties.u64(property).unwrap_or(0);
    let token = properties.str("receive_resume_token").filter(|token| token.len() > 1);
    Ok(Some(State {
        name: name.clone(),
        guid: Guid(number("guid")),
        kind: kind(&dataset),
        user: user(&properties),
        copied: copied(&properties),
        readonly: number("readonly") == 1,
        readonly_origin: properties
            .get("readonly")
            .map_or(Origin::Default, |property| origin(&property.source)),
        mounted: dataset.is_mounted().is_some(),
        // N.B. the kernel gives this property only for encrypted datasets, where it is above 2 (off).
        encrypted: number("encryption") > 2,
        written: number("written"),
        referenced: number("referenced"),
        inconsistent: number("inconsistent") == 1,
        snapshots: dataset.snapshots().map_err(from_ffi)?.iter().map(snapshot).collect(),
        bookmarks: bookmarks(core, name)?,
        partial: token
            .map(|token| handle.resume_token(token))
            .transpose()
            .map_err(from_ffi)?
            .map(|token| partial(&token)),
    }))
}

/// The snapshots that are younger than a transaction group.
pub(super) fn snapshots(handle: &Handle, name: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error> {
    let all = handle
        .dataset(name)
        .and_then(|dataset| dataset.snapshots())
        .map_err(from_ffi)?;
    Ok(all
        .iter()
        .map(snapshot)
        .filter(|snapshot| snapshot.createtxg > txg)
        .collect())
}

/// All filesystems and volumes that have a property of their own.
pub(super) fn with_property(handle: &Handle, property: &str) -> Result<Vec<DatasetName>, Error> {
    let mut found = Vec::new();
    let mut open = handle.roots().map_err(from_ffi)?;
    open.reverse();
    while let Some(name) = open.pop() {
        let dataset = match handle.dataset(&name) {
            Ok(dataset) => dataset,
            // Destroyed since it was listed.
            Err(error) if error.kind() == zfs_ffi::Kind::NotFound => continue,
            Err(error) => return Err(from_ffi(error)),
        };
        let user = dataset.user_properties().map_err(from_ffi)?;
        let is_own = |source: &Source| matches!(source, Source::Local | Source::Received);
        if user.get(property).is_some_and(|setting| is_own(&setting.source)) {
            found.push(name);
        }
        let mut children = dataset.children().map_err(from_ffi)?;
        children.sort();
        open.extend(children.into_iter().rev());
    }
    Ok(found)
}

fn kind(dataset: &Dataset<'_>) -> Kind {
    if dataset.kind() == DatasetType::Volume {
        Kind::Volume
    } else {
        Kind::Filesystem
    }
}

/// N.B. a value that an ancestor received has the ancestor's name as its source: for this dataset it is inherited.
fn origin(source: &Source) -> Origin {
    match source {
        Source::Local => Origin::Local,
        Source::Received => Origin::Received,
        Source::InheritedFrom(_) => Origin::Inherited,
        Source::Default | Source::None | Source::Temporary => Origin::Default,
    }
}

fn user(properties: &Properties) -> BTreeMap<String, Setting> {
    let named = properties.iter().filter(|(name, _)| name.contains(':'));
    let text = named.filter_map(|(name, property)| match &property.value {
        PropertyValue::String(value) => Some((
            name.to_owned(),
            Setting {
                value: value.clone(),
                origin: origin(&property.source),
            },
        )),
        PropertyValue::U64(_) => None,
    });
    text.collect()
}

fn copied(properties: &Properties) -> BTreeMap<String, Native> {
    let of_interest = COPIED.iter().filter_map(|name| Some((*name, properties.get(name)?)));
    let own = of_interest.filter(|(_, property)| matches!(property.source, Source::Local | Source::Received));
    own.map(|(name, property)| {
        let value = match &property.value {
            PropertyValue::String(text) => Native::Text(text.clone()),
            PropertyValue::U64(number) => Native::Number(*number),
        };
        (name.to_owned(), value)
    })
    .collect()
}

fn snapshot(info: &SnapshotInfo) -> Snapshot {
    let SnapshotInfo {
        name,
        guid,
        createtxg,
        creation,
        user,
    } = info;
    let local = user.iter().filter(|(_, property)| property.source == Source::Local);
    let text = local.filter_map(|(name, property)| match &property.value {
        PropertyValue::String(value) => Some((name.to_owned(), value.clone())),
        PropertyValue::U64(_) => None,
    });
    Snapshot {
        name: name.short().to_owned(),
        guid: Guid(*guid),
        createtxg: *createtxg,
        creation: *creation,
        user: text.collect(),
    }
}

fn bookmarks(core: &Core, name: &DatasetName) -> Result<Vec<Bookmark>, Error> {
    let found = core.bookmarks(name).map_err(from_ffi)?;
    let mut bookmarks: Vec<Bookmark> = found
        .iter()
        .map(|bookmark| Bookmark {
            name: bookmark.name.short().to_owned(),
            guid: Guid(bookmark.guid),
            createtxg: bookmark.createtxg,
        })
        .collect();
    bookmarks.sort_by_key(|bookmark| bookmark.createtxg);
    Ok(bookmarks)
}

fn partial(token: &ResumeToken) -> Partial {
    let has = |flag| token.flags.contains(flag);
    let stream = StreamFlags {
        large_blocks: has(SendFlags::LARGE_BLOCK),
        compressed: has(SendFlags::COMPRESS),
        embedded: has(SendFlags::EMBED),
        raw: has(SendFlags::RAW),
    };
    Partial {
        to_guid: Guid(token.to_guid),
        from_guid: token.from_guid.map(Guid),
        to_name: token.to_name.clone(),
        point: ResumePoint {
            object: token.object,
            offset: token.offset,
            bytes: token.bytes,
            stream,
        },
    }
}
