//! Reading what is there.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::thread;

use super::Local;
use super::error::from_ffi;
use crate::host::{Error, ErrorKind};
use crate::model::{Bookmark, Guid, Kind, Native, Origin, Partial, ResumePoint, Setting, Snapshot, State, StreamFlags};
use crate::props::COPIED;
use zfs_ffi::{
    Core, DatasetInfo, DatasetName, DatasetType, Handle, Properties, PropertyValue, ResumeToken, SendFlags,
    SnapshotGuid, SnapshotInfo, Source,
};

/// What the kernel tells of a dataset.
struct Read {
    kind: DatasetType,
    inconsistent: bool,
    properties: Properties,
}

impl From<DatasetInfo> for Read {
    fn from(info: DatasetInfo) -> Self {
        Self {
            kind: info.kind,
            inconsistent: info.inconsistent,
            properties: info.properties,
        }
    }
}

fn read_by_handle(handle: &Handle, name: &DatasetName) -> zfs_ffi::Result<Read> {
    let dataset = handle.dataset(name)?;
    // N.B. this one does not come with the others.
    let inconsistent = dataset.property("inconsistent")?.map(|property| property.value);
    let inconsistent = match inconsistent {
        Some(PropertyValue::U64(number)) => number != 0,
        Some(PropertyValue::String(text)) => text == "1",
        None => false,
    };
    Ok(Read {
        kind: dataset.kind(),
        inconsistent,
        properties: dataset.properties()?,
    })
}

impl Local {
    /// Everything about a dataset, or `None` if it is not there.
    ///
    /// N.B. the kernel opens a dataset that is not mounted anew for each snapshot that it is asked for, unless somebody else has it open.
    /// So its properties are read at the same time.
    pub(super) fn state(&self, name: &DatasetName) -> Result<Option<State>, Error> {
        thread::scope(|scope| {
            let snapshots = scope.spawn(|| self.read_guids(name));
            let state = self.state_alone(name)?;
            let joined = snapshots.join();
            let Some(state) = state else { return Ok(None) };
            Ok(Some(State {
                snapshots: joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
                bookmarks: bookmarks(&self.core, name)?,
                ..state
            }))
        })
    }

    /// The same without its snapshots and bookmarks.
    pub(super) fn state_alone(&self, name: &DatasetName) -> Result<Option<State>, Error> {
        let Some(Read {
            kind,
            inconsistent,
            properties,
        }) = self.read(name)?
        else {
            return Ok(None);
        };
        let number = |property: &str| properties.u64(property).unwrap_or(0);
        let token = properties.str("receive_resume_token").filter(|token| token.len() > 1);
        Ok(Some(State {
            name: name.clone(),
            guid: Guid(number("guid")),
            kind: if kind == DatasetType::Volume {
                Kind::Volume
            } else {
                Kind::Filesystem
            },
            user: user(&properties),
            copied: copied(&properties),
            readonly: number("readonly") == 1,
            readonly_origin: properties
                .get("readonly")
                .map_or(Origin::Default, |property| origin(&property.source)),
            // N.B. the kernel gives this property only for encrypted datasets, where it is above 2 (off).
            encrypted: number("encryption") > 2,
            written: number("written"),
            referenced: number("referenced"),
            inconsistent,
            snapshots: Vec::new(),
            bookmarks: Vec::new(),
            partial: token.map(|token| self.partial(token)).transpose()?,
            host: String::new(),
        }))
    }

    fn read(&self, name: &DatasetName) -> Result<Option<Read>, Error> {
        let read = match self.reader() {
            Some(reader) => match reader.dataset(name) {
                Err(error) if error.kind() == zfs_ffi::Kind::Unsupported => {
                    self.reader_fits.store(false, Ordering::Relaxed);
                    self.with_handle(|handle| read_by_handle(handle, name).map_err(from_ffi))
                }
                read => read.map(Read::from).map_err(from_ffi),
            },
            None => self.with_handle(|handle| read_by_handle(handle, name).map_err(from_ffi)),
        };
        match read {
            Err(Error {
                kind: ErrorKind::NotFound,
                ..
            }) => Ok(None),
            read => read.map(Some),
        }
    }

    /// All snapshots, oldest first, without their properties where that saves something.
    fn read_guids(&self, name: &DatasetName) -> Result<Vec<Snapshot>, Error> {
        let Some(reader) = self.reader() else {
            return self.read_snapshots(name, 0);
        };
        match reader.snapshot_guids(name) {
            Ok(found) => Ok(found.iter().map(bare_snapshot).collect()),
            Err(error) if error.kind() == zfs_ffi::Kind::Unsupported => self.read_snapshots(name, 0),
            Err(error) => Err(from_ffi(error)),
        }
    }

    /// The snapshots from a transaction group on, oldest first.
    pub(super) fn read_snapshots(&self, name: &DatasetName, min_txg: u64) -> Result<Vec<Snapshot>, Error> {
        let infos = match self.reader() {
            Some(reader) => reader.snapshots(name, min_txg).map_err(from_ffi)?,
            None => self.with_handle(|handle| {
                handle
                    .dataset(name)
                    .and_then(|dataset| dataset.snapshots())
                    .map_err(from_ffi)
            })?,
        };
        Ok(infos
            .iter()
            .map(snapshot)
            .filter(|snapshot| snapshot.createtxg >= min_txg)
            .collect())
    }

    /// Everything about all datasets below, in the order of their names.
    pub(super) fn states_below(&self, name: &DatasetName) -> Result<Vec<State>, Error> {
        let mut open = self.names_below(name)?;
        let mut names = Vec::new();
        while let Some(name) = open.pop() {
            open.extend(self.names_below(&name)?);
            names.push(name);
        }
        names.sort();
        // Destroyed since it was listed, if it is not there.
        let states = names.iter().filter_map(|name| self.state(name).transpose());
        states.collect()
    }

    /// The names of the filesystems and volumes directly below; none below a dataset that is not there.
    pub(super) fn names_below(&self, name: &DatasetName) -> Result<Vec<DatasetName>, Error> {
        match self.read_children(name) {
            Ok(children) => Ok(children.into_iter().map(|(name, _)| name).collect()),
            Err(Error {
                kind: ErrorKind::NotFound,
                ..
            }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The filesystems and volumes directly below, with their properties.
    fn read_children(&self, name: &DatasetName) -> Result<Vec<(DatasetName, Properties)>, Error> {
        let Some(reader) = self.reader() else {
            return self.with_handle(|handle| children(handle, name));
        };
        let children = reader.children(name).map_err(from_ffi)?;
        Ok(children.into_iter().map(|info| (info.name, info.properties)).collect())
    }

    fn roots(&self) -> Result<Vec<DatasetName>, Error> {
        match self.reader() {
            Some(reader) => reader.pools().map_err(from_ffi),
            None => self.with_handle(|handle| handle.roots().map_err(from_ffi)),
        }
    }

    /// All filesystems and volumes that have a property of their own, by name.
    pub(super) fn having(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        let mut open: Vec<(DatasetName, Properties)> = Vec::new();
        for pool in self.roots()? {
            let Some(read) = self.read(&pool)? else { continue };
            open.push((pool, read.properties));
        }
        open.reverse();
        let mut found = Vec::new();
        while let Some((name, properties)) = open.pop() {
            let is_own = |source: &Source| matches!(source, Source::Local | Source::Received);
            if properties.get(property).is_some_and(|setting| is_own(&setting.source)) {
                found.push(name.clone());
            }
            match self.read_children(&name) {
                Ok(children) => open.extend(children.into_iter().rev()),
                // Destroyed since it was listed.
                Err(Error {
                    kind: ErrorKind::NotFound,
                    ..
                }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// libzfs knows how to read a token. It is loaded for this alone, where a receive was interrupted.
    fn partial(&self, token: &str) -> Result<Partial, Error> {
        let token = self.with_handle(|handle| handle.resume_token(token).map_err(from_ffi))?;
        Ok(partial(&token))
    }
}

fn children(handle: &Handle, name: &DatasetName) -> Result<Vec<(DatasetName, Properties)>, Error> {
    let mut names = handle
        .dataset(name)
        .and_then(|dataset| dataset.children())
        .map_err(from_ffi)?;
    names.sort();
    let with_properties = |name: DatasetName| match handle.dataset(&name).and_then(|dataset| dataset.properties()) {
        Ok(properties) => Some(Ok((name, properties))),
        Err(error) if error.kind() == zfs_ffi::Kind::NotFound => None,
        Err(error) => Some(Err(from_ffi(error))),
    };
    names.into_iter().filter_map(with_properties).collect()
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

fn bare_snapshot(found: &SnapshotGuid) -> Snapshot {
    let SnapshotGuid { name, guid, createtxg } = found;
    Snapshot {
        name: name.short().to_owned(),
        guid: Guid(*guid),
        createtxg: *createtxg,
        creation: 0,
        user: BTreeMap::new(),
    }
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

/// What a resume token says. Needs libzfs, and no dataset.
///
/// # Errors
///
/// It is none.
pub fn token(text: &str) -> Result<Partial, Error> {
    let handle = Handle::open().map_err(from_ffi)?;
    let token = handle.resume_token(text).map_err(from_ffi)?;
    Ok(partial(&token))
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
