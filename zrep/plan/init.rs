//! A new pairing: the first snapshot, a full stream, and the properties that make the two sides a pair.
//!
//! `init` can be typed again after a crash at any point. What it finds half done of the same pairing it completes.

use crate::model::{Kind, Native, Origin, State, StreamFlags};
use crate::names::{next_number, short_name};
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::{Identity, link_of};
use crate::plan::sync::sent;
use crate::plan::{Action, Before, Creation, Object, Plan, Planned, Stage, Transfer};
use crate::props::{Key, View, snapshot_by_guid};
use crate::refusal::{Refusal, Why};
use zfs_ffi::{DatasetName, SnapshotName};

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
}

/// Plans `zrep init`.
pub fn plan(me: &Identity, observed: Observed<'_>, request: &Request) -> Planned {
    let Observed { source, target, .. } = observed;
    require_apart(source, &request.target)?;
    require_unpaired(me, observed, request)?;
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let start = Start::plan(me, observed, request)?;
    let into = request
        .target
        .snapshot(start.snapshot.short())
        .map_err(|error| Refusal::target(&request.target, Why::BadSnapshotName(error)))?;
    let mut plan = Plan {
        before: before(me, source, &pair(me, source, request)),
        lasting: Vec::new(),
        stages: Vec::new(),
        notes: lock.note.into_iter().chain(start.note).collect(),
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
        properties: vec![(me.tag.property(Key::Master), Some("yes".into()))],
    };
    plan.stages.push(Stage::Apply {
        source: [
            vec![sent(&me.tag, &start.snapshot, request.now), become_master],
            lock.leave,
        ]
        .concat(),
        target: [
            vec![sent(&me.tag, &into, request.now)],
            complete(me, target, source, request),
        ]
        .concat(),
    });
    Ok(plan)
}

/// The five properties of a pair.
fn pair(me: &Identity, source: &State, request: &Request) -> Vec<(String, Option<String>)> {
    let value = |key: Key, value: String| (me.tag.property(key), Some(value));
    // A count that somebody has set is kept when a pairing is set up again.
    let own = source
        .user
        .get(&me.tag.property(Key::Savecount))
        .filter(|setting| setting.origin == Origin::Local);
    let savecount = own.map_or_else(|| request.savecount.to_string(), |setting| setting.value.clone());
    vec![
        value(Key::SrcFs, source.name.to_string()),
        value(Key::SrcHost, me.host.clone()),
        value(Key::DestFs, request.target.to_string()),
        value(Key::DestHost, request.host.clone()),
        value(Key::Savecount, savecount),
    ]
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
        link.dest_fs == request.target.as_str() && link.dest_host == request.host && link.src_fs == source.name.as_str()
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
        let Observed { source, target, parent } = observed;
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
        let number = next_number(&me.tag, source.snapshots.iter().map(|snapshot| snapshot.name.as_str()));
        let snapshot = source
            .snapshot_name(&short_name(&me.tag, number))
            .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
        let transfer = Transfer {
            into: snapshot.clone(),
            creation: Some(creation(me, source, request)),
            ..full(source, &snapshot)
        };
        Ok(Self {
            snapshot,
            is_new: true,
            prepare,
            transfer: Some(transfer),
            note: None,
        })
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

fn full(source: &State, snapshot: &SnapshotName) -> Transfer {
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
    let native = source.copied.iter().map(|(name, value)| (name.clone(), value.clone()));
    let own = source.user.iter().filter(|(name, setting)| {
        matches!(setting.origin, Origin::Local | Origin::Received) && !crate::props::is_bookkeeping(name)
    });
    let user = own.map(|(name, setting)| (name.clone(), Native::Text(setting.value.clone())));
    let pair = pair(me, source, request)
        .into_iter()
        .filter_map(|(name, value)| Some((name, Native::Text(value?))));
    Creation {
        received: native.chain(user).chain(pair).collect(),
        local: vec![("readonly".into(), Native::Number(1))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::state;
    use crate::model::{Guid, Partial, ResumePoint};
    use crate::plan::lock::{Holder, Seen};
    use crate::props::Tag;

    fn me() -> Identity {
        Identity {
            host: "here".into(),
            tag: Tag::new("zrep").unwrap(),
        }
    }

    fn request() -> Request {
        Request {
            locking: Locking::Take {
                holder: Holder {
                    pid: 42,
                    since: "20261122180000".into(),
                },
                seen: Seen::Free,
            },
            now: 1_800_000_000,
            host: "localhost".into(),
            target: DatasetName::new("b/fs").unwrap(),
            savecount: 5,
        }
    }

    fn planned(source: &State, target: Option<&State>) -> Planned {
        let parent = state("b", "").build();
        plan(
            &me(),
            Observed {
                source,
                target,
                parent: Some(&parent),
            },
            &request(),
        )
    }

    #[test]
    fn init_marks_both_sides_and_makes_the_source_master_last() {
        let plan = planned(&state("a/fs", "").build(), None).unwrap();
        assert_eq!(
            plan.lines(),
            [
                "source: expect no zrep:lock-pid on a/fs",
                "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs",
                "source: set zrep:src-fs=a/fs zrep:src-host=here zrep:dest-fs=b/fs zrep:dest-host=localhost zrep:savecount=5 on a/fs",
                "source: snapshot a/fs@zrep_000000",
                "send a/fs@zrep_000000 into b/fs, in full",
                "-- point of no return --",
                "source: set zrep:sent=1800000000 on a/fs@zrep_000000",
                "source: set zrep:master=yes on a/fs",
                "source: set zrep:lock-time inherited zrep:lock-pid inherited on a/fs",
                "target: set zrep:sent=1800000000 on b/fs@zrep_000000",
            ]
        );
    }

    #[test]
    fn the_replica_takes_over_data_properties_and_nobody_elses_bookkeeping() {
        let source = state("a/fs", "")
            .user("uk:master", "yes", Origin::Local)
            .user("com.example:owner", "me", Origin::Local)
            .user("com.example:from-parent", "x", Origin::Inherited)
            .with(|state| _ = state.copied.insert("compression".into(), Native::Number(15)))
            .build();
        let creation = creation(&me(), &source, &request());
        let names: Vec<&str> = creation.received.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[..2], ["compression", "com.example:owner"]);
        assert!(!names.contains(&"uk:master") && !names.contains(&"com.example:from-parent"));
        assert_eq!(creation.local, [("readonly".to_owned(), Native::Number(1))]);
    }

    #[test]
    fn init_refuses_what_it_would_overwrite() {
        let source = state("a/fs", "@x=1").build();
        let why = |source: &State, target: Option<&State>| planned(source, target).unwrap_err().why;
        assert_eq!(why(&source, Some(&state("b/fs", "").build())), Why::TargetExists);
        assert_eq!(
            why(&source, Some(&state("b/fs", "@x=1 @y=2").build())),
            Why::TargetExists
        );
        assert!(matches!(
            why(&state("a/fs", "").master().build(), Some(&state("b/fs", "").build())),
            Why::AlreadyPaired { master: true, .. }
        ));
        let other = state("a/fs", "")
            .paired(Origin::Local)
            .user("zrep:dest-fs", "c/fs", Origin::Local)
            .build();
        assert!(matches!(why(&other, None), Why::AlreadyPaired { master: false, .. }));
    }

    #[test]
    fn what_another_has_sent_to_the_target_is_left_alone() {
        let source = state("a/fs", "@by_hand=7").build();
        let copy = state("b/fs", "@by_hand=7").build();
        assert_eq!(planned(&source, Some(&copy)).unwrap_err().why, Why::TargetExists);
        let point = ResumePoint {
            object: 1,
            offset: 2,
            bytes: 3,
            stream: StreamFlags::plain(),
        };
        let theirs = Partial {
            to_guid: Guid(9),
            from_guid: None,
            to_name: "a/fs@theirs".into(),
            point,
        };
        let half = state("b/fs", "")
            .with(|state| (state.inconsistent, state.partial) = (true, Some(theirs)))
            .build();
        assert_eq!(planned(&source, Some(&half)).unwrap_err().why, Why::TargetExists);
    }

    #[test]
    fn a_master_whose_target_is_gone_can_be_set_up_again() {
        let source = state("a/fs", "@zrep_000004=4!").master().build();
        let plan = planned(&source, None).unwrap();
        assert!(
            plan.lines()
                .contains(&"send a/fs@zrep_000005 into b/fs, in full".to_owned())
        );
        let on = Object::Dataset(source.name.clone());
        assert_eq!(
            plan.value_before(&on, "zrep:dest-fs").as_deref(),
            Some("b/fs"),
            "a failure must not end the old pairing"
        );
    }

    #[test]
    fn source_and_target_may_not_contain_each_other() {
        let observe = |name: &str| {
            plan(
                &me(),
                Observed {
                    source: &state(name, "").build(),
                    target: None,
                    parent: None,
                },
                &request(),
            )
        };
        for (name, overlaps) in [("b/fs", true), ("b", true), ("b/fs/child", true), ("b/fs2", false)] {
            let found = matches!(observe(name).unwrap_err().why, Why::Overlap { .. });
            assert_eq!(found, overlaps, "{name}");
        }
    }

    #[test]
    fn a_target_without_a_parent_is_refused() {
        let source = state("a/fs", "").build();
        let refusal = plan(
            &me(),
            Observed {
                source: &source,
                target: None,
                parent: None,
            },
            &request(),
        )
        .unwrap_err();
        assert_eq!(
            refusal.why,
            Why::NoParent {
                parent: "b".into(),
                is_volume: false
            }
        );
    }

    #[test]
    fn an_init_that_was_cut_off_in_its_stream_goes_on_there() {
        let source = state("a/fs", "@zrep_000000=7").paired(Origin::Local).build();
        let point = ResumePoint {
            object: 1,
            offset: 2,
            bytes: 3,
            stream: StreamFlags::plain(),
        };
        let partial = |guid| Partial {
            to_guid: Guid(guid),
            from_guid: None,
            to_name: "a/fs@zrep_000000".into(),
            point,
        };
        let half = |guid| {
            state("b/fs", "")
                .with(|state| (state.inconsistent, state.partial) = (true, Some(partial(guid))))
                .build()
        };
        let lines = planned(&source, Some(&half(7))).unwrap().lines();
        assert!(lines.contains(&"resume a/fs@zrep_000000 into b/fs after 3 bytes".to_owned()));
        assert!(lines.iter().all(|line| !line.contains("source: snapshot")));

        let lines = planned(&source, Some(&half(8))).unwrap().lines();
        assert!(lines.contains(&"target: destroy the half received b/fs".to_owned()));
        assert!(lines.contains(&"send a/fs@zrep_000001 into b/fs, in full".to_owned()));
    }

    #[test]
    fn an_init_that_was_cut_off_at_its_end_only_sets_what_is_missing() {
        let source = state("a/fs", "@zrep_000000=7").paired(Origin::Local).build();
        let target = state("b/fs", "@zrep_000000=7").replica().build();
        let lines = planned(&source, Some(&target)).unwrap().lines();
        assert!(
            lines
                .iter()
                .all(|line| !line.starts_with("send") && !line.contains("snapshot a/fs"))
        );
        assert!(lines.contains(&"source: set zrep:master=yes on a/fs".to_owned()));
    }
}
