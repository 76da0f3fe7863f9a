//! `zrep _refreshcomplete`: a puller says that what it has asked for has arrived.

use crate::model::State;
use crate::names::Naming;
use crate::plan::pairing::{Identity, target_of};
use crate::plan::sync::sent;
use crate::plan::turn::expect;
use crate::plan::{Plan, Planned, Stage};
use crate::props::{Key, Tag};
use crate::refusal::{OfSnapshot, Refusal, Why};

/// Plans the mark. `assignment` must be `TAG:sent=EPOCH`, and `short` one of zrep's own snapshots: a puller may set nothing else.
pub fn plan(me: &Identity, source: &State, short: &str, assignment: &str) -> Planned {
    let refuse = |why| Refusal::source(&source.name, Why::Snapshot(why));
    target_of(me, source)?;
    let epoch = epoch(&me.tag, assignment).ok_or_else(|| {
        refuse(OfSnapshot::NotTheMark {
            found: assignment.to_owned(),
            tag: me.tag.to_string(),
        })
    })?;
    if !Naming::of(&me.tag, short).is_own() {
        return Err(refuse(OfSnapshot::NotOwn {
            short: short.to_owned(),
            tag: me.tag.to_string(),
        }));
    }
    if !source.snapshots.iter().any(|snapshot| snapshot.name == short) {
        return Err(refuse(OfSnapshot::Missing {
            short: short.to_owned(),
            newest: source.newest().map(|newest| newest.name.clone()),
        }));
    }
    let name = source
        .snapshot_name(short)
        .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
    Ok(Plan {
        stages: vec![Stage::source(vec![
            expect(me, source, Key::Master),
            sent(&me.tag, &name, epoch),
        ])],
        ..Plan::default()
    })
}

fn epoch(tag: &Tag, assignment: &str) -> Option<u64> {
    let (property, value) = assignment.split_once('=')?;
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && property == tag.property(Key::Sent)).then(|| value.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, state};

    fn planned(short: &str, assignment: &str) -> Result<Vec<String>, String> {
        let source = state("a/fs", "@zrep_000001=1 @daily=2").master().build();
        let plan = plan(&me(), &source, short, assignment).map_err(|refusal| refusal.telling().what)?;
        Ok(plan.lines())
    }

    #[test]
    fn the_mark_and_nothing_else_is_set() {
        assert_eq!(
            planned("zrep_000001", "zrep:sent=1795372017").unwrap(),
            [
                "source: expect zrep:master=yes on a/fs",
                "source: set zrep:sent=1795372017 on a/fs@zrep_000001",
            ]
        );
        for bad in [
            "zrep:sent=",
            "zrep:sent=-1",
            "zrep:sent=+1",
            "zrep:sent=1 x",
            "zrep:master=yes",
            "uk:sent=1",
            "sent=1",
            "zrep:sent",
        ] {
            assert!(
                planned("zrep_000001", bad).unwrap_err().starts_with("something else"),
                "{bad}"
            );
        }
        assert_eq!(
            planned("daily", "zrep:sent=1").unwrap_err(),
            "@daily was not named by zrep"
        );
        assert_eq!(
            planned("zrep_000002", "zrep:sent=1").unwrap_err(),
            "has no snapshot @zrep_000002"
        );
    }
}
