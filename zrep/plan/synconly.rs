//! `zrep synconly`: the newest snapshot of zrep's that is there already goes to the target; none is made.

use crate::model::{Snapshot, State};
use crate::names::Naming;
use crate::plan::lock::Lock;
use crate::plan::pairing::Identity;
use crate::plan::sync::stream::Stream;
use crate::plan::sync::{Request, epoch_of_target, sent, still_master, still_replica};
use crate::plan::{Action, Plan, Planned, Stage, Transfer, expire, lock};
use crate::props::snapshot_by_guid;
use crate::refusal::{OfSnapshot, Refusal, Why, quoted};

pub mod tree;

/// The newest snapshot of `source` that zrep has named.
pub fn latest<'a>(me: &Identity, source: &'a State) -> Option<&'a Snapshot> {
    let mut newest_first = source.snapshots.iter().rev();
    newest_first.find(|snapshot| Naming::of(&me.tag, &snapshot.name).is_own())
}

/// Plans to bring that snapshot to `target`, with what lies before it where the tag takes that along, and what expires thereby on both sides.
///
/// A plan without streams means that it was there already. What can expire does so all the same.
pub fn plan(me: &Identity, source: &State, target: &State, request: &Request) -> Planned {
    let lock = lock::plan(source, &me.tag, &request.locking)?;
    let stream = Stream::plan(me, source, target, request)?;
    let latest = latest(me, source).ok_or_else(|| none(me, source))?;
    let work = Work::new(me, (source, target), request, &stream, latest)?;
    if work.is_empty() {
        return Ok(Plan::default());
    }
    Ok(work.plan(me, (source, target), lock))
}

/// What there is to do for one dataset.
struct Work {
    /// The mark on the source's snapshot and on the target's, if it is among what arrives.
    marks: [Vec<Action>; 2],
    prepare: Vec<Action>,
    transfers: Vec<Transfer>,
    expiry: Expiry,
    notes: Vec<String>,
}

impl Work {
    fn new(
        me: &Identity,
        (source, target): (&State, &State),
        request: &Request,
        stream: &Stream<'_>,
        latest: &Snapshot,
    ) -> Result<Self, Refusal> {
        let is_there = snapshot_by_guid(target, latest.guid).is_some();
        let transfers = if is_there && stream.resume.is_none() {
            Vec::new()
        } else {
            let takes_others_along = request.preferences.sends_intermediates(&me.tag);
            stream.transfers_up_to(takes_others_along, source, target, latest)?
        };
        let after = arrived(source, target, stream, &transfers);
        Ok(Self {
            marks: marks(me, &transfers, latest, request.now),
            prepare: stream.prepare.clone(),
            expiry: match request.preferences.keeps_all {
                true => Expiry::default(),
                false => expiry(me, source, &after, stream)?,
            },
            transfers,
            notes: stream.notes.clone(),
        })
    }

    fn is_empty(&self) -> bool {
        self.transfers.is_empty() && self.prepare.is_empty() && self.expiry.is_empty()
    }

    fn transfers(&self) -> impl Iterator<Item = Stage> {
        let stages = self.transfers.iter().cloned();
        stages.map(|transfer| Stage::Transfer(Box::new(transfer)))
    }

    fn plan(self, me: &Identity, (source, target): (&State, &State), lock: Lock) -> Plan {
        let mut stages = vec![Stage::Apply {
            source: still_master(me, source, lock.enter),
            target: [still_replica(me, target), epoch_of_target(me, source, target)].concat(),
        }];
        if !self.prepare.is_empty() {
            stages.push(Stage::target(self.prepare.clone()));
        }
        stages.extend(self.transfers());
        let [of_source, of_target] = self.marks;
        stages.push(Stage::Apply {
            source: [of_source, self.expiry.source, lock.leave].concat(),
            target: [of_target, self.expiry.target].concat(),
        });
        Plan {
            stages,
            of: Some(source.name.clone()),
            notes: lock.note.into_iter().chain(self.notes).collect(),
            ..Plan::default()
        }
    }
}

fn none(me: &Identity, source: &State) -> Refusal {
    let why = OfSnapshot::NoneOwn {
        tag: me.tag.to_string(),
        command: format!("zrep snaponly {}", quoted(source.name.as_str())),
    };
    Refusal::source(&source.name, Why::Snapshot(why))
}

/// The target as it is when the streams have arrived.
fn arrived(source: &State, target: &State, stream: &Stream<'_>, transfers: &[Transfer]) -> State {
    let mut after = target.clone();
    after.snapshots.truncate(target.snapshots.len() - stream.discards);
    let guids = transfers.iter().filter_map(|transfer| transfer.guid);
    let new = guids.filter_map(|guid| snapshot_by_guid(source, guid).cloned());
    after.snapshots.extend(new);
    after
}

fn marks(me: &Identity, transfers: &[Transfer], latest: &Snapshot, now: u64) -> [Vec<Action>; 2] {
    let of_latest = transfers.iter().find(|transfer| transfer.guid == Some(latest.guid));
    of_latest.map_or([Vec::new(), Vec::new()], |transfer| {
        [&transfer.snapshot, &transfer.into].map(|name| vec![sent(&me.tag, name, now)])
    })
}

/// What is destroyed on each side.
#[derive(Default)]
struct Expiry {
    source: Vec<Action>,
    target: Vec<Action>,
}

impl Expiry {
    fn is_empty(&self) -> bool {
        self.source.is_empty() && self.target.is_empty()
    }
}

/// N.B. `after` is what the target will be: the newest of its snapshots that the source has is the base then.
fn expiry(me: &Identity, source: &State, after: &State, stream: &Stream<'_>) -> Result<Expiry, Refusal> {
    let newest_first = after.snapshots.iter().rev();
    let mut common = newest_first.filter(|snapshot| snapshot_by_guid(source, snapshot.guid).is_some());
    let base = common.next().map_or(stream.common.base.guid, |snapshot| snapshot.guid);
    let plan = expire::plan(&me.tag, source, Some(after), Some(base))?;
    let parts = plan.stages.into_iter().find_map(|stage| match stage {
        Stage::Apply { source, target } => Some(Expiry { source, target }),
        Stage::Transfer(_) | Stage::Commit | Stage::Wait { .. } => None,
    });
    Ok(parts.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::model::notation::{me, request, state};
    use crate::props::Tag;

    fn lines(planned: Planned) -> Vec<String> {
        let lines = planned.unwrap().lines().into_iter();
        lines
            .filter(|line| !line.contains("lock-") && !line.contains("expect"))
            .collect()
    }

    fn planned(source: &str, target: &str) -> Planned {
        let source = state("a/fs", source).master().build();
        let target = state("b/fs", target).replica().build();
        plan(&me(), &source, &target, &request())
    }

    #[test]
    fn the_newest_of_zreps_snapshots_travels_and_what_is_newer_stays() {
        assert_eq!(
            lines(planned(
                "@zrep_000001=1! @zrep_000002=2 @daily=3 @zrep_000003=4 @daily2=5",
                "@zrep_000001=1!"
            )),
            [
                "send a/fs@zrep_000002 into b/fs, incremental from a/fs@zrep_000001",
                "send a/fs@daily into b/fs, incremental from a/fs@zrep_000002",
                "send a/fs@zrep_000003 into b/fs, incremental from a/fs@daily",
                "source: set zrep:sent=1800000000 on a/fs@zrep_000003",
                "target: set zrep:sent=1800000000 on b/fs@zrep_000003",
            ]
        );
    }

    #[test]
    fn with_another_tag_it_travels_alone() {
        let uk = Identity {
            tag: Tag::new("uk").unwrap(),
            ..me()
        };
        let source = [
            "src-fs=a/fs",
            "src-host=here",
            "dest-fs=b/fs",
            "dest-host=localhost",
            "master=yes",
        ]
        .into_iter()
        .fold(
            state("a/fs", "@uk_000001=1 @uk_000002=2 @daily=3 @uk_000003=4"),
            |state, line| {
                let (name, value) = line.split_once('=').unwrap();
                state.user(&format!("uk:{name}"), value, Origin::Local)
            },
        )
        .build();
        let target = state("b/fs", "@uk_000001=1").build();
        let sent = lines(plan(&uk, &source, &target, &request())).remove(0);
        assert_eq!(sent, "send a/fs@uk_000003 into b/fs, incremental from a/fs@uk_000001");
    }

    #[test]
    fn what_is_wished_of_streams_and_expiry_counts_here_too() {
        use crate::plan::preferences::{Others, Preferences};
        let wished = Preferences {
            others: Some(Others::StayBehind),
            keeps_all: true,
            ..Preferences::default()
        };
        let request = Request {
            preferences: wished,
            ..request()
        };
        let [four, last] = [
            "@zrep_000001=1 @zrep_000002=2 @zrep_000003=3 @zrep_000004=4!",
            " @zrep_000005=5 @daily=6 @zrep_000006=7",
        ];
        let source = state("a/fs", &format!("{four}{last}")).master().build();
        let target = state("b/fs", four).replica().build();
        assert_eq!(
            lines(plan(&me(), &source, &target, &request)),
            [
                "send a/fs@zrep_000006 into b/fs, incremental from a/fs@zrep_000004",
                "source: set zrep:sent=1800000000 on a/fs@zrep_000006",
                "target: set zrep:sent=1800000000 on b/fs@zrep_000006",
            ]
        );
    }

    #[test]
    fn what_is_there_already_expires_all_the_same() {
        let two = "@zrep_000001=1! @zrep_000002=2!";
        assert_eq!(planned(two, two), Ok(Plan::default()));
        let five = "@zrep_000001=1 @zrep_000002=2 @zrep_000003=3 @zrep_000004=4 @zrep_000005=5!";
        assert_eq!(
            lines(planned(five, five)),
            [
                "source: destroy snapshot a/fs@zrep_000001",
                "source: destroy snapshot a/fs@zrep_000002",
                "target: destroy snapshot b/fs@zrep_000001",
                "target: destroy snapshot b/fs@zrep_000002",
            ]
        );
    }

    #[test]
    fn what_arrives_counts_in_the_targets_savecount() {
        let found = lines(planned(
            "@zrep_000001=1! @zrep_000002=2! @zrep_000003=3! @zrep_000004=4",
            "@zrep_000001=1! @zrep_000002=2! @zrep_000003=3!",
        ));
        assert!(
            found.contains(&"target: destroy snapshot b/fs@zrep_000001".to_owned()),
            "{found:?}"
        );
        assert!(
            found.contains(&"source: destroy snapshot a/fs@zrep_000001".to_owned()),
            "{found:?}"
        );
        assert_eq!(
            found.iter().filter(|line| line.contains("destroy")).count(),
            2,
            "{found:?}"
        );
    }

    #[test]
    fn without_a_snapshot_of_zreps_there_is_nothing_to_send() {
        let refused = planned("@daily=1", "@daily=1").unwrap_err().telling();
        assert_eq!(refused.help, "`zrep snaponly a/fs`");
    }
}
