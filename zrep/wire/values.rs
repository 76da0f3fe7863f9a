//! The layout of what zrep knows and does: states, actions, transfers, errors.
//!
//! The order of the lines is the order of the bytes. A field or variant that is added elsewhere breaks the build here.

use super::codec::{Decoded, Input, Malformed, Wire, choice, fields};
use crate::host::{Applied, BatchError, Error, ErrorKind, Received};
use crate::model::{Bookmark, Guid, Kind, Native, Origin, Partial, ResumePoint, Setting, Snapshot, State, StreamFlags};
use crate::plan::lock::Seen;
use crate::plan::{Action, Base, BaseName, Creation, IfHeld, Object, Transfer};
use zfs_ffi::{BookmarkName, DatasetName, NameError, SnapshotName};

/// Names travel as text, and become names only where ZFS would allow them.
macro_rules! name {
    ($type:ident) => {
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                self.as_str().to_owned().put(out);
            }

            fn get(input: &mut Input<'_>) -> Decoded<Self> {
                Self::new(&String::get(input)?).map_err(bad_name)
            }
        }
    };
}

fn bad_name(error: NameError) -> Malformed {
    Malformed::BadName(error.to_string())
}

name!(DatasetName);
name!(SnapshotName);
name!(BookmarkName);

impl Wire for Guid {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        u64::get(input).map(Self)
    }
}

choice!(Kind, "kind of dataset" { 0 => Filesystem {}, 1 => Volume {} });
choice!(Origin, "origin of a property" { 0 => Local {}, 1 => Received {}, 2 => Inherited {}, 3 => Default {} });
choice!(Native, "property value" { 0 => Text { 0: text }, 1 => Number { 0: number } });
fields!(Setting { value, origin });
fields!(Snapshot {
    name,
    guid,
    createtxg,
    creation,
    user
});
fields!(Bookmark { name, guid, createtxg });
fields!(StreamFlags {
    large_blocks,
    compressed,
    embedded,
    raw
});
fields!(ResumePoint {
    object,
    offset,
    bytes,
    stream
});
fields!(Partial {
    to_guid,
    from_guid,
    to_name,
    point
});
fields!(State {
    name,
    guid,
    kind,
    user,
    copied,
    readonly,
    readonly_origin,
    encrypted,
    written,
    referenced,
    inconsistent,
    snapshots,
    bookmarks,
    partial,
    host,
});

choice!(IfHeld, "way with held snapshots" { 0 => Keep {}, 1 => Fail {} });
choice!(Object, "object" { 0 => Dataset { 0: name }, 1 => Snapshot { 0: name } });
choice!(Action, "action" {
    0 => Expect { dataset: dataset, property: property, value: value },
    1 => ExpectNewest { dataset: dataset, snapshot: snapshot },
    2 => Snapshot { 0: name },
    3 => Set { on: on, properties: properties },
    4 => Destroy { snapshot: snapshot, guid: guid, if_held: if_held },
    5 => Rollback { 0: name },
    6 => DiscardPartial { 0: name },
    7 => DestroyUnreceived { 0: name },
    8 => Mount { 0: name },
    9 => ExpectUnmapped { 0: name },
    10 => ExpectUnwritten { 0: name },
    11 => Unmount { 0: name },
    12 => Rename { from: from, to: to },
    13 => Clone { snapshot: snapshot, name: name, properties: properties },
    14 => Promote { 0: name },
    15 => Replay { 0: name },
});

choice!(BaseName, "base" { 0 => Snapshot { 0: name }, 1 => Bookmark { 0: name } });
fields!(Base { guid, name });
fields!(Creation { received, local });
fields!(Transfer {
    snapshot,
    guid,
    base,
    into,
    flags,
    resume,
    creation
});

choice!(Applied, "result" { 0 => Done {}, 1 => Created { guid: guid, createtxg: createtxg }, 2 => Kept { reason: reason } });
choice!(Seen, "state of a lock" { 0 => Free {}, 1 => Dead {}, 2 => Alive { command: command } });
fields!(Received { guid, bytes, warnings });
choice!(ErrorKind, "kind of error" {
    0 => NotFound {},
    1 => Exists {},
    2 => Busy {},
    3 => Permission {},
    4 => NoSpace {},
    5 => Modified {},
    6 => WrongBase {},
    7 => Interrupted {},
    8 => BadStream {},
    9 => Unexpected {},
    10 => NoZfs {},
    11 => PoolUnavailable {},
    12 => KeyUnavailable {},
    13 => Other {},
    14 => Unreachable {},
    15 => Lost {},
    16 => Denied {},
});
fields!(Error { kind, text, hint });

impl Wire for BatchError {
    fn put(&self, out: &mut Vec<u8>) {
        (self.index as u64).put(out);
        self.begun.put(out);
        self.error.put(out);
    }

    fn get(input: &mut Input<'_>) -> Decoded<Self> {
        let index = usize::try_from(u64::get(input)?).map_err(|_| Malformed::Truncated)?;
        Ok(Self {
            index,
            begun: Wire::get(input)?,
            error: Wire::get(input)?,
        })
    }
}
