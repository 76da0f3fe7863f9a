//! `zrep changeconfig`: writes on one side who its other side is. For what was copied by hand, and for hosts and datasets that were renamed.

use crate::hostname::HostName;
use crate::model::{Link, Origin, State};
use crate::names::Naming;
use crate::plan::lock::{self, Locking};
use crate::plan::pairing::{Identity, require_no_child};
use crate::plan::turn::pair;
use crate::plan::{Action, Object, Plan, Planned, Stage, expire};
use crate::props::{Key, View};
use crate::refusal::{OfSnapshot, Refusal, Why};
use zfs_ffi::DatasetName;

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The lock on the dataset.
    pub locking: Locking,
    /// The dataset is the target of the pairing, not its source (`-d`).
    pub is_target: bool,
    /// Although it has no snapshot of zrep's (`-f`).
    pub force: bool,
    /// The other side's host.
    pub host: HostName,
    /// The other side's dataset.
    pub other: DatasetName,
    /// The count for a side that has none.
    pub savecount: usize,
}

/// Plans the four properties of the pair, and a savecount where there is none. Who is the master, what is read-only and what was sent stays as it is.
///
/// Refuses a master with `is_target`: a side that is written to is no target.
pub fn plan(me: &Identity, state: &State, request: &Request) -> Planned {
    let side = |why| {
        if request.is_target {
            Refusal::target(&state.name, why)
        } else {
            Refusal::source(&state.name, why)
        }
    };
    let view = View::new(state, &me.tag);
    require_no_child(me, state).map_err(side)?;
    require_own(me, state, request).map_err(side)?;
    if request.is_target && view.is_master() {
        return Err(side(Why::MasterAlready));
    }
    if me.is_here(request.host.as_str()) && overlap(&state.name, &request.other) {
        let other = request.other.to_string();
        return Err(side(Why::Overlap { other }));
    }
    expire::savecount(state, &me.tag, request.savecount).map_err(side)?;
    let set = missing(me, state, request);
    if set.is_empty() {
        return Ok(Plan::default());
    }
    let lock = lock::plan(state, &me.tag, &request.locking)?;
    let mut actions = lock.enter;
    actions.push(Action::Set {
        on: Object::Dataset(state.name.clone()),
        properties: set,
    });
    actions.extend(lock.leave);
    Ok(Plan {
        stages: vec![Stage::source(actions)],
        notes: lock.note.into_iter().collect(),
        ..Plan::default()
    })
}

/// A dataset without any snapshot of zrep's is hardly a side of a pairing.
fn require_own(me: &Identity, state: &State, request: &Request) -> Result<(), Why> {
    let has_own = state
        .snapshots
        .iter()
        .any(|found| Naming::of(&me.tag, &found.name).is_own());
    if has_own || request.force {
        return Ok(());
    }
    Err(Why::Snapshot(OfSnapshot::NoneOwn {
        tag: me.tag.to_string(),
        command: "zrep changeconfig -f".into(),
    }))
}

fn overlap(one: &DatasetName, other: &DatasetName) -> bool {
    let is_within = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_within(one.as_str(), other.as_str()) || is_within(other.as_str(), one.as_str())
}

/// The properties that are not yet as they should be.
fn missing(me: &Identity, state: &State, request: &Request) -> Vec<(String, Option<String>)> {
    let own = (me.host.clone(), state.name.to_string());
    let other = (request.host.to_string(), request.other.to_string());
    let (src, dest) = if request.is_target { (other, own) } else { (own, other) };
    let link = Link {
        src_host: src.0,
        src_fs: src.1,
        dest_host: dest.0,
        dest_fs: dest.1,
    };
    let mut wanted = pair(me, &link);
    if View::new(state, &me.tag).savecount() == Ok(None) {
        wanted.push((me.tag.property(Key::Savecount), Some(request.savecount.to_string())));
    }
    let is_missing = |(name, value): &(String, Option<String>)| {
        let found = state.user.get(name).filter(|setting| setting.origin == Origin::Local);
        found.map(|setting| &setting.value) != value.as_ref()
    };
    wanted.into_iter().filter(is_missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{Builder, me, request, state};

    fn asked(is_target: bool, force: bool, host: &str, other: &str) -> Request {
        Request {
            locking: request().locking,
            is_target,
            force,
            host: HostName::new(host).unwrap(),
            other: DatasetName::new(other).unwrap(),
            savecount: 5,
        }
    }

    fn set(state: Builder, request: &Request) -> Result<Vec<String>, String> {
        let plan = plan(&me(), &state.build(), request).map_err(|refusal| refusal.to_string())?;
        let lines = plan.lines().into_iter().filter(|line| !line.contains("lock-"));
        Ok(lines.collect())
    }

    #[test]
    fn each_side_is_told_its_other_one() {
        let fresh = || state("a/fs", "@zrep_000001=1");
        assert_eq!(
            set(fresh(), &asked(false, false, "beta", "b/fs")).unwrap(),
            [
                "source: set zrep:src-fs=a/fs zrep:src-host=here zrep:dest-fs=b/fs zrep:dest-host=beta zrep:savecount=5 on a/fs"
            ]
        );
        assert_eq!(
            set(fresh(), &asked(true, false, "beta", "b/fs")).unwrap(),
            [
                "source: set zrep:src-fs=b/fs zrep:src-host=beta zrep:dest-fs=a/fs zrep:dest-host=here zrep:savecount=5 on a/fs"
            ]
        );
    }

    #[test]
    fn what_stands_there_already_stays() {
        let master = || state("a/fs", "@zrep_000001=1").master();
        assert_eq!(
            set(master(), &asked(false, false, "beta", "b/fs")).unwrap(),
            ["source: set zrep:dest-host=beta on a/fs"]
        );
        assert!(
            set(master(), &asked(false, false, "localhost", "b/fs"))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let without = || state("a/fs", "@daily=1");
        assert!(
            set(without(), &asked(false, false, "beta", "b/fs"))
                .unwrap_err()
                .contains("zrep has named")
        );
        assert!(set(without(), &asked(false, true, "beta", "b/fs")).is_ok());
        let master = state("a/fs", "@zrep_000001=1").master();
        assert_eq!(
            set(master, &asked(true, true, "beta", "b/fs")).unwrap_err(),
            "target a/fs: is the master already"
        );
        for other in ["a/fs", "a/fs/below", "a"] {
            assert!(
                set(without(), &asked(false, true, "localhost", other))
                    .unwrap_err()
                    .contains("overlap"),
                "{other}"
            );
            assert!(set(without(), &asked(false, true, "beta", other)).is_ok());
        }
    }
}
