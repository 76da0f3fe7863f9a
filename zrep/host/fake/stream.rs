//! The fake's send streams: a line that says what it is, then the whole data of the snapshot.

use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};

use super::{Dataset, World, family, missing, new_state};
use crate::after;
use crate::host::{Error, ErrorKind, Received};
use crate::model::{Guid, Kind, Native, Origin, Partial, ResumePoint, Setting};
use crate::plan::Transfer;

/// What stands before the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    to: Guid,
    from: Option<Guid>,
    to_name: String,
    kind: Kind,
    offset: u64,
    len: u64,
}

/// A stream on its way out.
#[derive(Debug)]
pub(super) struct Stream {
    header: Header,
    body: Vec<u8>,
}

/// Finds the data of a transfer on the sending machine.
pub(super) fn outgoing(world: &World, transfer: &Transfer) -> Result<Stream, Error> {
    let name = transfer.snapshot.dataset();
    let dataset = world
        .datasets
        .get(name.as_str())
        .ok_or_else(|| missing(name.as_str()))?;
    let snapshot = world
        .snapshot(&transfer.snapshot)
        .ok_or_else(|| missing(transfer.snapshot.as_str()))?;
    if let Some(base) = &transfer.base {
        let has = |guid: Guid| {
            dataset.state.snapshots.iter().any(|s| s.guid == guid)
                || dataset.state.bookmarks.iter().any(|b| b.guid == guid)
        };
        if !has(base.guid) {
            return Err(missing(&base.name.to_string()));
        }
    }
    let data = dataset.data.get(&snapshot.guid).cloned().unwrap_or_default();
    let offset = transfer.resume.map_or(0, |point| point.offset);
    let header = Header {
        to: snapshot.guid,
        from: transfer.base.as_ref().map(|base| base.guid),
        to_name: transfer.snapshot.to_string(),
        kind: dataset.state.kind,
        offset,
        len: data.len() as u64,
    };
    let rest = usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
    Ok(Stream {
        header,
        body: data[rest..].to_vec(),
    })
}

impl Stream {
    /// The number of bytes that it will write.
    pub(super) fn len(&self) -> u64 {
        self.body.len() as u64
    }

    /// Writes it, and closes the pipe.
    pub(super) fn write(self, mut out: PipeWriter, watch: Option<&(dyn Fn(u64) + Sync)>) -> Result<(), Error> {
        let gone = |_| {
            Error::new(
                ErrorKind::Interrupted,
                format!("{}: the receiver went away", self.header.to_name),
            )
        };
        writeln!(out, "{}", self.header.line()).map_err(gone)?;
        let mut written = 0;
        for chunk in self.body.chunks(4096) {
            out.write_all(chunk).map_err(gone)?;
            written += chunk.len() as u64;
            if let Some(watch) = watch {
                watch(written);
            }
        }
        Ok(())
    }
}

impl Header {
    fn line(&self) -> String {
        let kind = match self.kind {
            Kind::Filesystem => "filesystem",
            Kind::Volume => "volume",
        };
        format!(
            "{} {} {kind} {} {} {}",
            self.to.0,
            self.from.map_or(0, |guid| guid.0),
            self.offset,
            self.len,
            self.to_name
        )
    }

    /// Reads it, byte by byte: what follows is not to be touched yet.
    pub(super) fn read(input: &PipeReader) -> Result<Self, Error> {
        let mut line = String::new();
        let bad = || Error::new(ErrorKind::BadStream, "not a stream");
        BufReader::with_capacity(1, input)
            .read_line(&mut line)
            .map_err(|_| bad())?;
        if line.is_empty() {
            return Err(Error::new(ErrorKind::Interrupted, "the stream ended before it began"));
        }
        Self::parse(line.trim_end_matches('\n')).ok_or_else(bad)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(6, ' ');
        let number = |words: &mut std::str::SplitN<'_, char>| words.next()?.parse::<u64>().ok();
        let to = Guid(number(&mut words)?);
        let from = Some(number(&mut words)?).filter(|&guid| guid != 0).map(Guid);
        let kind = if words.next()? == "volume" {
            Kind::Volume
        } else {
            Kind::Filesystem
        };
        let (offset, len) = (number(&mut words)?, number(&mut words)?);
        Some(Self {
            to,
            from,
            kind,
            offset,
            len,
            to_name: words.next()?.to_owned(),
        })
    }
}

/// What arrived behind the header.
#[derive(Debug)]
pub(super) struct Body {
    data: Vec<u8>,
    /// The pool was full before the end.
    full: bool,
}

impl Body {
    /// Reads to the end, or until the pool is full.
    pub(super) fn read(input: PipeReader, header: &Header, room: Option<u64>) -> Self {
        let wanted = header.len.saturating_sub(header.offset);
        let limit = room.map_or(wanted, |room| room.min(wanted));
        let mut data = Vec::new();
        let read = input.take(limit).read_to_end(&mut data);
        Self {
            full: read.is_ok() && limit < wanted && data.len() as u64 == limit,
            data,
        }
    }
}

/// What the kernel looks at before it takes a stream.
pub(super) fn admit(world: &mut World, transfer: &Transfer, header: &Header) -> Result<(), Error> {
    let name = transfer.into.dataset();
    let refuse = |kind, text: &str| Err(Error::new(kind, format!("{name}: {text}")));
    let parent = name
        .parent()
        .is_none_or(|parent| world.datasets.contains_key(parent.as_str()));
    let Some(found) = world.datasets.get(name.as_str()) else {
        return match header.from {
            None if parent => create(world, transfer, header),
            None | Some(_) => refuse(ErrorKind::NotFound, "no such dataset"),
        };
    };
    if transfer.resume.is_some() {
        let goes_on = found
            .state
            .partial
            .as_ref()
            .is_some_and(|partial| partial.to_guid == header.to && partial.point.offset == header.offset);
        let newest = found.state.newest().map(|newest| newest.guid);
        return match (goes_on, header.from.is_none() || header.from == newest) {
            (true, true) => Ok(()),
            // What has arrived so far branched off right before what was the head then.
            (true, false) => refuse(ErrorKind::WrongBase, "has snapshots behind the base"),
            (false, _) => refuse(ErrorKind::BadStream, "nothing to resume"),
        };
    }
    let Some(from) = header.from else {
        return refuse(ErrorKind::Exists, "exists");
    };
    if found.state.partial.is_some() {
        return refuse(ErrorKind::Busy, "holds an interrupted receive");
    }
    if world.snapshot(&transfer.into).is_some() {
        return refuse(ErrorKind::Exists, "has a snapshot of this name");
    }
    match found.state.snapshots.iter().find(|snapshot| snapshot.guid == from) {
        // The clone that receives must branch off right before the head.
        Some(base) if found.state.newest() != Some(base) => {
            refuse(ErrorKind::WrongBase, "has snapshots behind the base")
        }
        None => refuse(ErrorKind::WrongBase, "does not have the base"),
        Some(base) if found.data.get(&base.guid) != Some(&found.head) || found.is_modified() => {
            refuse(ErrorKind::Modified, "was modified since the base")
        }
        Some(_) => Ok(()),
    }
}

fn create(world: &mut World, transfer: &Transfer, header: &Header) -> Result<(), Error> {
    let name = transfer.into.dataset();
    let guid = world.guid();
    let mut state = new_state(name.clone(), guid, header.kind);
    state.inconsistent = true;
    world.datasets.insert(
        name.to_string(),
        Dataset {
            state,
            head: Vec::new(),
            data: Default::default(),
            log: Vec::new(),
            partial: Vec::new(),
            origin: None,
        },
    );
    Ok(())
}

/// Makes the snapshot, or keeps what arrived.
pub(super) fn finish(world: &mut World, transfer: &Transfer, header: Header, body: Body) -> Result<Received, Error> {
    let name = transfer.into.dataset();
    world.txg += 1;
    let txg = world.txg;
    let bytes = body.data.len() as u64;
    let found = world.dataset(&name)?;
    found.partial.extend_from_slice(&body.data);
    if (found.partial.len() as u64) < header.len {
        return Err(interrupted(found, transfer, &header, body.full));
    }
    found.head = std::mem::take(&mut found.partial);
    found.log.clear();
    found.data.insert(header.to, found.head.clone());
    after::received(&mut found.state, transfer, header.to, txg, 0);
    give_properties(found, transfer);
    Ok(Received {
        guid: header.to,
        bytes,
        warnings: Vec::new(),
    })
}

fn interrupted(found: &mut Dataset, transfer: &Transfer, header: &Header, full: bool) -> Error {
    let so_far = found.partial.len() as u64;
    let point = ResumePoint {
        object: 1,
        offset: so_far,
        bytes: so_far,
        stream: transfer.flags,
    };
    found.state.partial = Some(Partial {
        to_guid: header.to,
        from_guid: header.from,
        to_name: header.to_name.clone(),
        point,
    });
    let (kind, text) = if full {
        (ErrorKind::NoSpace, "out of space")
    } else {
        (ErrorKind::Interrupted, "the stream ended early")
    };
    Error::new(kind, format!("receive {}: {text}", transfer.into))
}

fn give_properties(found: &mut Dataset, transfer: &Transfer) {
    let Some(creation) = &transfer.creation else { return };
    for (name, value) in &creation.received {
        match value {
            Native::Text(value) if name.contains(':') => {
                found.state.user.insert(
                    name.clone(),
                    Setting {
                        value: value.clone(),
                        origin: Origin::Received,
                    },
                );
            }
            Native::Text(_) | Native::Number(_) => _ = found.state.copied.insert(name.clone(), value.clone()),
        }
    }
    for (name, value) in &creation.local {
        family::set(&mut found.state, name, value);
    }
}
