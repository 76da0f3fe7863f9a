//! `zrep sentsync`: a snapshot that both sides have, however it came there, becomes the one that was sent last, and the source becomes the master.

use crate::model::{Link, Snapshot, State};
use crate::names::Naming;
use crate::plan::lock::{self, Lock, Locking};
use crate::plan::pairing::{Identity, is_source, link_of, require_replica};
use crate::plan::standing::{names_both, require_unfenced};
use crate::plan::sync::{sent, still_replica};
use crate::plan::turn::expect;
use crate::plan::{Action, Object, Plan, Planned, Stage};
use crate::props::{Key, View};
use crate::refusal::{OfSnapshot, Refusal, Why};
use zfs_ffi::SnapshotName;

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The lock on the source.
    pub locking: Locking,
    /// The snapshot's name behind the `@`.
    pub short: String,
    /// Seconds since 1970; becomes the mark.
    pub now: u64,
}

/// Plans the marks and the role. `source` was observed with its marks. `target` is `None` where it is not to be asked (`-L`).
///
/// The target must have the snapshot by its guid: of two that only have the name in common no increment can begin. Its mark is set first; the source is
/// the master only when that was done.
pub fn plan(me: &Identity, source: &State, target: Option<&State>, request: &Request) -> Planned {
    let refuse = |why| Refusal::source(&source.name, why);
    let link = link_of(me, source).map_err(refuse)?;
    require_source(me, source, &link).map_err(refuse)?;
    require_unfenced(me, source)?;
    let wanted = wanted(me, source, &request.short).map_err(|why| refuse(Why::Snapshot(why)))?;
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let on_target = target.map(|target| of_target(me, source, target, wanted, request.now));
    let source_actions = of_source(me, source, wanted, request.now)?;
    let Lock { enter, leave, note } = lock;
    Ok(Plan {
        stages: vec![
            Stage::Apply {
                source: on_condition(me, source, enter),
                target: on_target.transpose()?.unwrap_or_default(),
            },
            Stage::source([source_actions, leave].concat()),
        ],
        notes: note.into_iter().collect(),
        ..Plan::default()
    })
}

/// The roles may have been turned since the observation.
fn on_condition(me: &Identity, source: &State, enter: Vec<Action>) -> Vec<Action> {
    let conditions = [Key::Master, Key::Epoch, Key::Intent].map(|key| expect(me, source, key));
    conditions.into_iter().chain(enter).collect()
}

fn require_source(me: &Identity, source: &State, link: &Link) -> Result<(), Why> {
    if is_source(me, link, source) {
        return Ok(());
    }
    if link.src_fs != source.name.as_str() {
        let pair = format!("{} -> {}", link.src_fs, link.dest_fs);
        return Err(Why::Renamed { pair });
    }
    Err(Why::OtherHost {
        found: link.src_host.clone(),
        me: me.host.clone(),
    })
}

fn wanted<'a>(me: &Identity, source: &'a State, short: &str) -> Result<&'a Snapshot, OfSnapshot> {
    if !Naming::of(&me.tag, short).is_own() {
        return Err(OfSnapshot::NotOwn {
            short: short.to_owned(),
            tag: me.tag.to_string(),
        });
    }
    let found = source.snapshots.iter().find(|snapshot| snapshot.name == short);
    found.ok_or_else(|| missing(source, short))
}

fn missing(state: &State, short: &str) -> OfSnapshot {
    OfSnapshot::Missing {
        short: short.to_owned(),
        newest: state.newest().map(|newest| newest.name.clone()),
    }
}

fn of_target(
    me: &Identity,
    source: &State,
    target: &State,
    wanted: &Snapshot,
    now: u64,
) -> Result<Vec<Action>, Refusal> {
    let refuse = |why| Refusal::target(&target.name, why);
    require_replica(me, source, target)?;
    require_mutual(me, source, target).map_err(refuse)?;
    require_epoch(me, source, target)?;
    let by_guid = target.snapshots.iter().find(|found| found.guid == wanted.guid);
    let by_name = target.snapshots.iter().find(|found| found.name == wanted.name);
    let found = match (by_guid, by_name) {
        (Some(found), _) => found,
        (None, Some(_)) => {
            return Err(refuse(Why::Snapshot(OfSnapshot::Differs {
                short: wanted.name.clone(),
                other: source.name.to_string(),
            })));
        }
        (None, None) => return Err(refuse(Why::Snapshot(missing(target, &wanted.name)))),
    };
    let name = target
        .snapshot_name(&found.name)
        .map_err(|error| refuse(Why::BadSnapshotName(error)))?;
    Ok([still_replica(me, target), vec![sent(&me.tag, &name, now)]].concat())
}

/// A target that says nothing of its pair yet is told it by `changeconfig -d`; one that names others belongs to them.
fn require_mutual(me: &Identity, source: &State, target: &State) -> Result<(), Why> {
    match View::new(target, &me.tag).link() {
        Some(link) if !names_both(&link, source, target) => Err(Why::NotMutual {
            tag: me.tag.to_string(),
            other: source.name.to_string(),
            found: format!("src-fs={}, dest-fs={}", link.src_fs, link.dest_fs),
        }),
        Some(_) | None => Ok(()),
    }
}

/// A source of an earlier epoch than its target knows was superseded, whoever is the master now.
fn require_epoch(me: &Identity, source: &State, target: &State) -> Result<(), Refusal> {
    let (own, epoch) = (View::new(source, &me.tag).epoch(), View::new(target, &me.tag).epoch());
    if epoch <= own {
        return Ok(());
    }
    let why = Why::Superseded {
        epoch,
        own,
        other: target.name.to_string(),
    };
    Err(Refusal::source(&source.name, why))
}

fn of_source(me: &Identity, source: &State, wanted: &Snapshot, now: u64) -> Result<Vec<Action>, Refusal> {
    let view = View::new(source, &me.tag);
    let bad = |error| Refusal::source(&source.name, Why::BadSnapshotName(error));
    let unmark = |name: SnapshotName| Action::Set {
        on: Object::Snapshot(name),
        properties: vec![(me.tag.property(Key::Sent), None)],
    };
    let mut actions = Vec::new();
    for other in &source.snapshots {
        if other.guid != wanted.guid && view.sent(other).is_some() {
            actions.push(unmark(source.snapshot_name(&other.name).map_err(bad)?));
        }
    }
    let name = source.snapshot_name(&wanted.name).map_err(bad)?;
    actions.push(sent(&me.tag, &name, now));
    actions.push(Action::Set {
        on: Object::Dataset(source.name.clone()),
        properties: vec![
            (me.tag.property(Key::LastSent), None),
            (me.tag.property(Key::LastSentTime), None),
            (me.tag.property(Key::Master), Some("yes".into())),
        ],
    });
    Ok(actions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::model::notation::{Builder, me, request, state};

    fn planned(source: Builder, target: Option<Builder>) -> Result<Vec<String>, String> {
        let request = Request {
            locking: request().locking,
            short: "zrep_000001".into(),
            now: 1_800_000_000,
        };
        let target = target.map(Builder::build);
        let plan = plan(&me(), &source.build(), target.as_ref(), &request).map_err(|refusal| refusal.to_string())?;
        let lines = plan.lines().into_iter();
        Ok(lines
            .filter(|line| !line.contains("lock-") && !line.contains("expect"))
            .collect())
    }

    fn source(line: &str) -> Builder {
        state("a/fs", line).paired(Origin::Local)
    }

    fn target(line: &str) -> Builder {
        state("b/fs", line).paired(Origin::Local)
    }

    #[test]
    fn the_snapshot_becomes_the_only_one_that_is_marked_and_the_source_the_master() {
        assert_eq!(
            planned(
                source("@zrep_000000=9! @zrep_000001=1 @daily=2!"),
                Some(target("@copy=1"))
            )
            .unwrap(),
            [
                "target: set zrep:sent=1800000000 on b/fs@copy",
                "source: set zrep:sent inherited on a/fs@zrep_000000",
                "source: set zrep:sent inherited on a/fs@daily",
                "source: set zrep:sent=1800000000 on a/fs@zrep_000001",
                "source: set zrep:lastsent inherited zrep:lastsenttime inherited zrep:master=yes on a/fs",
            ]
        );
        let alone = planned(source("@zrep_000001=1"), None).unwrap();
        assert!(alone.iter().all(|line| line.starts_with("source:")), "{alone:?}");
    }

    #[test]
    fn a_snapshot_that_only_has_the_name_in_common_is_refused() {
        let refused = planned(source("@zrep_000001=1"), Some(target("@zrep_000001=7"))).unwrap_err();
        assert!(refused.contains("their guids differ"), "{refused}");
        let refused = planned(source("@zrep_000001=1"), Some(target("@zrep_000000=7"))).unwrap_err();
        assert_eq!(refused, "target b/fs: has no snapshot @zrep_000001");
    }

    #[test]
    fn what_is_no_pair_or_has_a_master_is_refused() {
        let both = "@zrep_000001=1";
        let refused = |source, target| planned(source, Some(target)).unwrap_err();
        assert!(refused(state("a/fs", both), target(both)).contains("has no zrep pairing"));
        let elsewhere = source(both).user("zrep:src-host", "there", Origin::Local);
        assert!(refused(elsewhere, target(both)).contains("belongs to host there"));
        let master = target(both).user("zrep:master", "yes", Origin::Local);
        assert!(refused(source(both), master).contains("b/fs is master, too"));
        let of_another = target(both).user("zrep:src-fs", "c/fs", Origin::Local);
        assert!(refused(source(both), of_another).contains("does not name a/fs"));
        let newer = target(both).user("zrep:epoch", "3", Origin::Local);
        assert!(refused(source(both), newer).contains("was superseded"));
    }

    #[test]
    fn a_target_that_names_nobody_yet_is_taken() {
        assert!(planned(source("@zrep_000001=1"), Some(state("b/fs", "@zrep_000001=1"))).is_ok());
    }
}
