//! A new pairing: the first snapshot, a full stream, and the properties that make the two sides a pair.
//!
//! `init` can be typed again after a crash at any point. What it finds half done of the same pairing it completes.

use crate::model::{Below, Kind, Native, Origin, Snapshot, State, StreamFlags};
use crate::names::{Naming, next_number, short_name};
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::{Identity, link_of};
use crate::plan::preferences::Preferences;
use crate::plan::sync::sent;
use crate::plan::{Action, Before, Creation, Object, Plan, Planned, Stage, Transfer};
use crate::props::{Key, View, snapshot_by_guid};
use crate::refusal::{Refusal, Why};
use zfs_ffi::{DatasetName, SnapshotName};

pub mod tree;
mod wishes;

pub use wishes::Wishes;

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The lock on the source.
    pub locking: Locking,
    /// Seconds since 1970; becomes the `sent` mark.
    pub now: u64,
    /// The target's host, as it was typed.
    pub host: String,
    /// The new dataset.
    pub target: DatasetName,
    /// How many snapshots each side keeps.
    pub savecount: usize,
    /// Nothing may leave but ciphertext (`--raw`).
    pub raw: bool,
    /// Whether what is below the source is part of the pairing.
    pub recursive: bool,
    /// What the administrator wants of every stream.
    pub preferences: Preferences,
    /// What the new dataset has of its own.
    pub wishes: Wishes,
}

/// What is there before.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// The source.
    pub source: &'a State,
    /// The target, if there is something of this name.
    pub target: Option<&'a State>,
    /// The dataset that the target lies in; `None` if it is not there.
    pub parent: Option<&'a State>,
    /// What is below the source and the target, where that is part of the pairing.
    pub below: &'a Below,
}

/// Plans `zrep init`.
pub fn plan(me: &Identity, observed: Observed<'_>, request: &Request) -> Planned {
    let Observed { source, target, .. } = observed;
    if me.is_here(&request.host) {
        require_apart(source, &request.target)?;
    }
    require_unpaired(me, observed, request)?;
    require_raw(source, request)?;
    require_outside(me, observed, request)?;
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let start = Start::plan(me, observed, request)?;
    let into = request
        .target
        .snapshot(start.snapshot.short())
        .map_err(|error| Refusal::target(&request.target, Why::BadSnapshotName(error)))?;
    let (wished, left) = wished(me, request, start.transfer.is_none());
    let mut plan = Plan {
        before: before(me, source, &pair(me, source, request)),
        lasting: Vec::new(),
        of: Some(source.name.clone()),
        stages: Vec::new(),
        notes: lock.note.into_iter().chain(start.note).chain(left).collect(),
    };
    let pair = Action::Set {
        on: Object::Dataset(source.name.clone()),
        properties: pair(me, source, request),
    };
    plan.lasting.push(pair.clone());
    let mut first = [lock.enter, vec![pair]].concat();
    if start.is_new {
        first.push(Action::Snapshot(start.snapshot.clone()));
    }
    plan.stages.push(Stage::source(first));
    if !start.prepare.is_empty() {
        plan.stages.push(Stage::target(start.prepare));
    }
    if let Some(transfer) = start.transfer {
        plan.stages.push(Stage::Transfer(Box::new(Transfer {
            into: into.clone(),
            ..transfer
        })));
    }
    // With the data on the target there is nothing to take back any more: typed again, init completes what is missing.
    plan.stages.push(Stage::Commit);
    let become_master = Action::Set {
        on: Object::Dataset(source.name.clone()),
        properties: master(me, source),
    };
    // The target first: with a master, init counts as complete, and is not typed again.
    let arrived = vec![sent(&me.tag, &into, request.now)];
    let epoch = epoch(me, source, request);
    plan.stages.push(Stage::target(
        [
            arrived,
            complete(me, target, source, request),
            epoch,
            wished.into_iter().collect(),
        ]
        .concat(),
    ));
    let done = vec![sent(&me.tag, &start.snapshot, request.now), become_master];
    plan.stages.push(Stage::source([done, lock.leave].concat()));
    Ok(plan)
}

/// What did not go with the stream: set here, or told of another machine, which lets no peer set it.
fn wished(me: &Identity, request: &Request, has_arrived: bool) -> (Option<Action>, Option<String>) {
    let Request {
        host, target, wishes, ..
    } = request;
    if me.is_here(host) {
        (wishes.behind_stream(target, has_arrived), None)
    } else {
        (None, wishes.note(host, target, has_arrived))
    }
}

/// Whoever asks for ciphertext shall not get a stream in the clear because the source is not what it was taken for.
fn require_raw(source: &State, request: &Request) -> Result<(), Refusal> {
    if request.raw && !source.encrypted {
        return Err(Refusal::source(&source.name, Why::NotEncrypted));
    }
    Ok(())
}

/// The role, and nothing of a pairing that was before.
fn master(me: &Identity, source: &State) -> Vec<(String, Option<String>)> {
    let old = [Key::Intent, Key::Fenced].map(|key| me.tag.property(key));
    let left = old.into_iter().filter(|name| source.user.contains_key(name));
    let yes = (me.tag.property(Key::Master), Some("yes".to_owned()));
    [yes].into_iter().chain(left.map(|name| (name, None))).collect()
}

/// The properties of a pair.
fn pair(me: &Identity, source: &State, request: &Request) -> Vec<(String, Option<String>)> {
    let value = |key: Key, value: String| (me.tag.property(key), Some(value));
    // A count that somebody has set is kept when a pairing is set up again.
    let own = source
        .user
        .get(&me.tag.property(Key::Savecount))
        .filter(|setting| setting.origin == Origin::Local);
    let savecount = own.map_or_else(|| request.savecount.to_string(), |setting| setting.value.clone());
    let mut pair = vec![
        value(Key::SrcFs, source.name.to_string()),
        value(Key::SrcHost, me.host.clone()),
        value(Key::DestFs, request.target.to_string()),
        value(Key::DestHost, request.host.clone()),
        value(Key::Savecount, savecount),
    ];
    let recursive = me.tag.property(Key::Recursive);
    // N.B. an earlier pairing of the source may have been recursive.
    if request.recursive || source.user.contains_key(&recursive) {
        pair.push((recursive, request.recursive.then(|| "yes".into())));
    }
    pair
}

/// A master that was turned before has an epoch. Its new replica must know it: a takeover begins the next one.
fn epoch(me: &Identity, source: &State, request: &Request) -> Vec<Action> {
    let epoch = View::new(source, &me.tag).epoch();
    let known = || Action::Set {
        on: Object::Dataset(request.target.clone()),
        properties: vec![(me.tag.property(Key::Epoch), Some(epoch.to_string()))],
    };
    (epoch > 0).then(known).into_iter().collect()
}

/// A target that was received before the crash may lack what its creation should have brought.
fn complete(me: &Identity, target: Option<&State>, source: &State, request: &Request) -> Vec<Action> {
    match target {
        Some(target) if !target.inconsistent && !View::new(target, &me.tag).is_paired() => {
            let mut properties = pair(me, source, request);
            properties.push(("readonly".into(), Some("on".into())));
            vec![Action::Set {
                on: Object::Dataset(target.name.clone()),
                properties,
            }]
        }
        Some(_) | None => Vec::new(),
    }
}

/// What lies in the tree of a recursive pairing is part of that one, on either side.
fn require_outside(me: &Identity, observed: Observed<'_>, request: &Request) -> Result<(), Refusal> {
    let inside = |top| Why::InsideRecursive {
        top,
        tag: me.tag.to_string(),
    };
    if let Some(top) = View::new(observed.source, &me.tag).top() {
        return Err(Refusal::source(&observed.source.name, inside(top)));
    }
    let Some(parent) = observed.parent else { return Ok(()) };
    let view = View::new(parent, &me.tag);
    let own = view.is_recursive().then(|| parent.name.clone());
    match own.or(view.top()) {
        Some(top) => Err(Refusal::target(&request.target, inside(top))),
        None => Ok(()),
    }
}

fn require_apart(source: &State, target: &DatasetName) -> Result<(), Refusal> {
    let inside = |inner: &str, outer: &str| {
        inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    let (a, b) = (source.name.as_str(), target.as_str());
    if inside(a, b) || inside(b, a) {
        return Err(Refusal::target(target, Why::Overlap { other: a.to_owned() }));
    }
    Ok(())
}

/// A source that is paired with just this target may be an `init` that was cut off, or one whose target is gone. Any other pairing stays.
fn require_unpaired(me: &Identity, observed: Observed<'_>, request: &Request) -> Result<(), Refusal> {
    let source = observed.source;
    let Ok(link) = link_of(me, source) else { return Ok(()) };
    let master = View::new(source, &me.tag).is_master();
    if is_half_paired(me, source, request) && (!master || observed.target.is_none()) {
        return Ok(());
    }
    let (host, other) = if link.src_fs == source.name.as_str() {
        (link.dest_host, link.dest_fs)
    } else {
        (link.src_host, link.src_fs)
    };
    let why = Why::AlreadyPaired {
        with: format!("{host}:{other}"),
        master,
        tag: me.tag.to_string(),
    };
    Err(Refusal::source(&source.name, why))
}

/// Whether the source names just this target. Init writes that before it sends anything.
fn is_half_paired(me: &Identity, source: &State, request: &Request) -> bool {
    link_of(me, source).is_ok_and(|link| {
        // N.B. a failover replaces `localhost` by the host's name.
        let is_same = link.dest_host == request.host || me.is_here(&link.dest_host) && me.is_here(&request.host);
        link.dest_fs == request.target.as_str() && is_same && link.src_fs == source.name.as_str()
    })
}

/// The local values of the pair's properties, for an init that goes over an earlier one.
fn before(me: &Identity, source: &State, properties: &[(String, Option<String>)]) -> Vec<Before> {
    let on = Object::Dataset(source.name.clone());
    let master = me.tag.property(Key::Master);
    let names = properties.iter().map(|(name, _)| name).chain([&master]);
    let local = names.filter_map(|name| {
        Some((
            name,
            source
                .user
                .get(name)
                .filter(|setting| setting.origin == Origin::Local)?,
        ))
    });
    local
        .map(|(name, setting)| Before {
            on: on.clone(),
            property: name.clone(),
            value: setting.value.clone(),
        })
        .collect()
}

/// From where the first transfer begins: at the start, or where it was cut off.
struct Start {
    snapshot: SnapshotName,
    /// The plan makes the snapshot; otherwise it is there.
    is_new: bool,
    prepare: Vec<Action>,
    transfer: Option<Transfer>,
    note: Option<String>,
}

impl Start {
    fn plan(me: &Identity, observed: Observed<'_>, request: &Request) -> Result<Self, Refusal> {
        let Observed {
            source, target, parent, ..
        } = observed;
        match target {
            None => {
                require_parent(&request.target, parent)?;
                Self::fresh(me, observed, request, Vec::new())
            }
            // What this pairing has not begun is not touched, whatever is in it.
            Some(target) if !is_half_paired(me, source, request) => {
                Err(Refusal::target(&target.name, Why::TargetExists))
            }
            Some(target) if target.inconsistent => Self::resumed(me, observed, target, request),
            Some(target) => Self::arrived(source, target),
        }
    }

    fn fresh(me: &Identity, observed: Observed<'_>, request: &Request, prepare: Vec<Action>) -> Result<Self, Refusal> {
        let source = observed.source;
        let left = Self::left_over(me, source, request);
        let all = [source]
            .into_iter()
            .chain(&observed.below.source)
            .flat_map(|state| &state.snapshots);
        let number = next_number(&me.tag, all.map(|snapshot| snapshot.name.as_str()));
        let short = left.map_or_else(|| short_name(&me.tag, number), |snapshot| snapshot.name.clone());
        let snapshot = source
            .snapshot_name(&short)
            .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
        let full = full(source, &snapshot);
        let is_encrypted = observed.parent.is_some_and(|parent| parent.encrypted);
        let transfer = Transfer {
            into: snapshot.clone(),
            creation: Some(creation(me, source, request)),
            flags: request.preferences.stream(full.flags, is_encrypted),
            ..full
        };
        Ok(Self {
            snapshot,
            is_new: left.is_none(),
            prepare,
            transfer: Some(transfer),
            note: None,
        })
    }

    /// The snapshot of an init that was cut off before anything arrived: it is the newest, and serves as well as a new one.
    fn left_over<'s>(me: &Identity, source: &'s State, request: &Request) -> Option<&'s Snapshot> {
        let half = is_half_paired(me, source, request) && !View::new(source, &me.tag).is_master();
        source
            .newest()
            .filter(|newest| half && Naming::of(&me.tag, &newest.name).is_own())
    }

    fn resumed(me: &Identity, observed: Observed<'_>, target: &State, request: &Request) -> Result<Self, Refusal> {
        let source = observed.source;
        let Some(partial) = &target.partial else {
            return Err(Refusal::target(&target.name, Why::TargetExists));
        };
        let ours = partial.to_name.split('@').next() == Some(source.name.as_str());
        match snapshot_by_guid(source, partial.to_guid) {
            Some(found) => {
                let snapshot = source
                    .snapshot_name(&found.name)
                    .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
                let flags = partial.point.stream;
                // N.B. the target says what it was; it must not talk a source out of its encryption.
                if flags.raw != source.encrypted {
                    let why = Why::ForeignPartial {
                        to_name: partial.to_name.clone(),
                        to_guid: partial.to_guid,
                    };
                    return Err(Refusal::target(&target.name, why));
                }
                // N.B. the kernel takes the properties back when a receive breaks, so the rest of the stream brings them again.
                let creation = Some(creation(me, source, request));
                let transfer = Transfer {
                    guid: Some(found.guid),
                    flags,
                    resume: Some(partial.point),
                    creation,
                    ..full(source, &snapshot)
                };
                let note = format!(
                    "{}: going on with the interrupted init, {} bytes of which are there.",
                    target.name, partial.point.bytes
                );
                Ok(Self {
                    snapshot,
                    is_new: false,
                    prepare: Vec::new(),
                    transfer: Some(transfer),
                    note: Some(note),
                })
            }
            None if ours => {
                let note = format!(
                    "{}: dropping an interrupted init: its snapshot {} does not exist any more.",
                    target.name, partial.to_name
                );
                let fresh = Self::fresh(
                    me,
                    observed,
                    request,
                    vec![Action::DestroyUnreceived(target.name.clone())],
                )?;
                Ok(Self {
                    note: Some(note),
                    ..fresh
                })
            }
            None => Err(Refusal::target(
                &target.name,
                Why::ForeignPartial {
                    to_name: partial.to_name.clone(),
                    to_guid: partial.to_guid,
                },
            )),
        }
    }

    /// The stream had arrived, and only the end of `init` was cut off: the target holds exactly one snapshot, and it is ours.
    fn arrived(source: &State, target: &State) -> Result<Self, Refusal> {
        let refuse = || Refusal::target(&target.name, Why::TargetExists);
        let [only] = target.snapshots.as_slice() else {
            return Err(refuse());
        };
        let found = snapshot_by_guid(source, only.guid)
            .filter(|_| target.written == 0)
            .ok_or_else(refuse)?;
        let snapshot = source
            .snapshot_name(&found.name)
            .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
        let note = Some(format!(
            "{}: the first snapshot has arrived already; completing the interrupted init.",
            target.name
        ));
        Ok(Self {
            snapshot,
            is_new: false,
            prepare: Vec::new(),
            transfer: None,
            note,
        })
    }
}

/// A full stream of a snapshot; where it goes to is still to be said.
pub(super) fn full(source: &State, snapshot: &SnapshotName) -> Transfer {
    let flags = if source.encrypted {
        StreamFlags::raw()
    } else {
        StreamFlags::plain()
    };
    Transfer {
        snapshot: snapshot.clone(),
        guid: None,
        base: None,
        into: snapshot.clone(),
        flags,
        resume: None,
        creation: None,
    }
}

/// The same, of a child of a recursive pairing: encrypted on the target if and only if it is so on the source.
pub(super) fn full_of_child(source: &State, snapshot: &SnapshotName, preferences: Preferences) -> Transfer {
    let full = full(source, snapshot);
    Transfer {
        flags: preferences.stream(full.flags, source.encrypted),
        ..full
    }
}

fn require_parent(target: &DatasetName, found: Option<&State>) -> Result<(), Refusal> {
    if matches!(found, Some(parent) if parent.kind == Kind::Filesystem) {
        return Ok(());
    }
    let parent = target
        .parent()
        .map_or_else(|| target.pool().to_owned(), |parent| parent.to_string());
    let is_volume = found.is_some();
    Err(Refusal::target(target, Why::NoParent { parent, is_volume }))
}

/// A replica takes over what shapes its data (compression, record size, quotas ...) and the user's own properties. Where it is
/// mounted, shared or run is its own business, and other pairings' bookkeeping is not its own.
fn creation(me: &Identity, source: &State, request: &Request) -> Creation {
    let pair = pair(me, source, request)
        .into_iter()
        .filter_map(|(name, value)| Some((name, Native::Text(value?))));
    Creation {
        received: creation_of_child(source).received.into_iter().chain(pair).collect(),
        local: [("readonly".to_owned(), Native::Number(1))]
            .into_iter()
            .chain(request.wishes.with_stream())
            .collect(),
    }
}

/// A child of a recursive pairing has no pair of its own, and inherits that it is read-only.
pub(super) fn creation_of_child(source: &State) -> Creation {
    let native = source.copied.iter().map(|(name, value)| (name.clone(), value.clone()));
    let own = source.user.iter().filter(|(name, setting)| {
        matches!(setting.origin, Origin::Local | Origin::Received) && !crate::props::is_bookkeeping(name)
    });
    let user = own.map(|(name, setting)| (name.clone(), Native::Text(setting.value.clone())));
    Creation {
        received: native.chain(user).collect(),
        local: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
