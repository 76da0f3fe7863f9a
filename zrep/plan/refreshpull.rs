//! `zrep _refreshpull`: what a puller without a native zrep gets: the streams from the last sent snapshot to the newest one.

use crate::model::{Partial, Snapshot, State, StreamFlags};
use crate::plan::lock::{self, Lock, Locking};
use crate::plan::pairing::{Identity, target_of};
use crate::plan::preferences::Preferences;
use crate::plan::standing::require_unfenced;
use crate::plan::sync::still_master;
use crate::plan::synconly::latest;
use crate::plan::{Base, BaseName, Transfer, tree};
use crate::props::{View, snapshot_by_guid};
use crate::refusal::{OfSnapshot, Refusal, Why};
use zfs_ffi::DatasetName;

/// What is written to the puller, and the lock around it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "nothing was sent yet"]
pub struct Pull {
    /// The lock on the source.
    pub lock: Lock,
    /// The streams, in order. More than one is written as a package.
    pub streams: Vec<Transfer>,
}

/// Plans the streams up to `short`. `source` was observed with its marks: whether the puller has what is marked is not known here, so the marks decide.
/// `token` is that of the puller's interrupted receive.
///
/// Refuses anything but the newest of zrep's snapshots, and a token of another one: the puller marks what it has asked for, whatever arrives.
pub fn plan(
    me: &Identity,
    source: &State,
    short: &str,
    token: Option<&Partial>,
    locking: &Locking,
    preferences: Preferences,
) -> Result<Pull, Refusal> {
    let refuse = |why| Refusal::source(&source.name, why);
    let target = target_of(me, source)?.dataset;
    tree::require_one(
        me,
        source,
        "one stream holds one dataset only",
        "`zrep refresh` of zrep 3 on the other side takes the whole tree",
    )?;
    require_unfenced(me, source)?;
    let wanted = wanted(me, source, short).map_err(|why| refuse(Why::Snapshot(why)))?;
    let mut lock = lock::plan(source, &me.tag, locking)?;
    lock.enter = still_master(me, source, lock.enter);
    let streams = match token {
        Some(token) => vec![resumed(source, &target, wanted, token)?],
        None => fresh(me, source, &target, wanted, preferences)?,
    };
    Ok(Pull { lock, streams })
}

fn wanted<'a>(me: &Identity, source: &'a State, short: &str) -> Result<&'a Snapshot, OfSnapshot> {
    let missing = OfSnapshot::Missing {
        short: short.to_owned(),
        newest: source.newest().map(|newest| newest.name.clone()),
    };
    let wanted = source
        .snapshots
        .iter()
        .find(|snapshot| snapshot.name == short)
        .ok_or(missing)?;
    match latest(me, source) {
        Some(latest) if latest.guid == wanted.guid => Ok(wanted),
        Some(latest) => Err(OfSnapshot::NotNewest {
            short: short.to_owned(),
            newest: latest.name.clone(),
        }),
        None => Err(OfSnapshot::NotOwn {
            short: short.to_owned(),
            tag: me.tag.to_string(),
        }),
    }
}

fn fresh(
    me: &Identity,
    source: &State,
    target: &DatasetName,
    wanted: &Snapshot,
    preferences: Preferences,
) -> Result<Vec<Transfer>, Refusal> {
    let refuse = |why| Refusal::source(&source.name, Why::Snapshot(why));
    let view = View::new(source, &me.tag);
    let last = view.last_sent().ok_or_else(|| {
        refuse(OfSnapshot::NoneSent {
            tag: me.tag.to_string(),
        })
    })?;
    if last.createtxg >= wanted.createtxg {
        let short = wanted.name.clone();
        return Err(refuse(OfSnapshot::SentAlready { short }));
    }
    let is_step = |snapshot: &&Snapshot| {
        let is_between = snapshot.createtxg > last.createtxg && snapshot.createtxg <= wanted.createtxg;
        snapshot.guid == wanted.guid || is_between && preferences.sends_intermediates(&me.tag)
    };
    let mut base = last;
    let mut streams = Vec::new();
    for step in source.snapshots.iter().filter(is_step) {
        streams.push(transfer(source, target, step, Some(base), flags(view))?);
        base = step;
    }
    Ok(streams)
}

/// N.B. what the target is like is not known here: what is encrypted leaves as it is, unless this side's administrator wants it otherwise.
fn flags(view: View<'_>) -> StreamFlags {
    if view.may_leave_in_the_clear() {
        StreamFlags::plain()
    } else {
        StreamFlags::raw()
    }
}

fn resumed(source: &State, target: &DatasetName, wanted: &Snapshot, token: &Partial) -> Result<Transfer, Refusal> {
    let other = || {
        let why = OfSnapshot::OtherToken {
            short: wanted.name.clone(),
            to_name: token.to_name.clone(),
        };
        Refusal::source(&source.name, Why::Snapshot(why))
    };
    // N.B. a token must not talk a source out of its encryption.
    if token.to_guid != wanted.guid || source.encrypted && !token.point.stream.raw {
        return Err(other());
    }
    let base = token
        .from_guid
        .map(|guid| snapshot_by_guid(source, guid).ok_or_else(other));
    let transfer = transfer(source, target, wanted, base.transpose()?, token.point.stream)?;
    Ok(Transfer {
        resume: Some(token.point),
        ..transfer
    })
}

fn transfer(
    source: &State,
    target: &DatasetName,
    snapshot: &Snapshot,
    base: Option<&Snapshot>,
    flags: StreamFlags,
) -> Result<Transfer, Refusal> {
    let bad = |error| Refusal::source(&source.name, Why::BadSnapshotName(error));
    let base = base.map(|base| {
        Ok(Base {
            guid: base.guid,
            name: BaseName::Snapshot(source.snapshot_name(&base.name)?),
        })
    });
    Ok(Transfer {
        snapshot: source.snapshot_name(&snapshot.name).map_err(bad)?,
        guid: Some(snapshot.guid),
        base: base.transpose().map_err(bad)?,
        into: target.snapshot(&snapshot.name).map_err(bad)?,
        flags,
        resume: None,
        creation: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, request, state};
    use crate::model::{Guid, ResumePoint};
    use crate::plan::preferences::Others;
    use crate::props::Tag;

    fn planned(line: &str, short: &str, token: Option<&Partial>) -> Result<Vec<String>, Refusal> {
        let source = state("a/fs", line).master().build();
        let pull = plan(&me(), &source, short, token, &request().locking, Preferences::default())?;
        Ok(pull.streams.iter().map(ToString::to_string).collect())
    }

    fn token(to: u64, from: u64) -> Partial {
        Partial {
            to_guid: Guid(to),
            from_guid: Some(Guid(from)),
            to_name: "a/fs@x".into(),
            point: ResumePoint {
                object: 1,
                offset: 2,
                bytes: 3,
                stream: StreamFlags::plain(),
            },
        }
    }

    #[test]
    fn the_streams_go_from_the_last_sent_to_the_newest() {
        assert_eq!(
            planned("@zrep_000001=1! @daily=2 @zrep_000002=3", "zrep_000002", None).unwrap(),
            [
                "send a/fs@daily into b/fs, incremental from a/fs@zrep_000001",
                "send a/fs@zrep_000002 into b/fs, incremental from a/fs@daily",
            ]
        );
    }

    #[test]
    fn snapshots_of_others_stay_behind_if_that_is_wished() {
        let source = state("a/fs", "@zrep_000001=1! @daily=2 @zrep_000002=3")
            .master()
            .build();
        let alone = Preferences {
            others: Some(Others::StayBehind),
            ..Preferences::default()
        };
        let pull = plan(&me(), &source, "zrep_000002", None, &request().locking, alone).unwrap();
        let streams: Vec<String> = pull.streams.iter().map(ToString::to_string).collect();
        assert_eq!(
            streams,
            ["send a/fs@zrep_000002 into b/fs, incremental from a/fs@zrep_000001"]
        );
    }

    #[test]
    fn another_tag_sends_one_stream_whatever_lies_between() {
        let uk = Identity {
            tag: Tag::new("uk").unwrap(),
            ..me()
        };
        let master = [
            "src-fs=a/fs",
            "src-host=here",
            "dest-fs=b/fs",
            "dest-host=there",
            "master=yes",
        ]
        .into_iter()
        .fold(state("a/fs", "@uk_000001=1 @daily=2 @uk_000002=3"), |state, line| {
            let (name, value) = line.split_once('=').unwrap();
            state.user(&format!("uk:{name}"), value, crate::model::Origin::Local)
        })
        .with(|state| _ = state.snapshots[0].user.insert("uk:sent".into(), "1".into()))
        .build();
        let pull = plan(
            &uk,
            &master,
            "uk_000002",
            None,
            &request().locking,
            Preferences::default(),
        )
        .unwrap();
        let streams: Vec<String> = pull.streams.iter().map(ToString::to_string).collect();
        assert_eq!(
            streams,
            ["send a/fs@uk_000002 into b/fs, incremental from a/fs@uk_000001"]
        );
    }

    #[test]
    fn only_the_newest_that_was_not_sent_is_given_out() {
        let two = "@zrep_000001=1! @zrep_000002=2 @zrep_000003=3";
        for (line, short, why) in [
            (two, "zrep_000002", "@zrep_000002 is not the newest of zrep's snapshots"),
            (two, "zrep_000009", "has no snapshot @zrep_000009"),
            (
                "@zrep_000001=1! @daily=2",
                "daily",
                "@daily is not the newest of zrep's snapshots",
            ),
            ("@zrep_000001=1!", "zrep_000001", "@zrep_000001 was sent already"),
            ("@zrep_000001=1", "zrep_000001", "no snapshot is marked as sent"),
        ] {
            assert_eq!(planned(line, short, None).unwrap_err().telling().what, why, "{line}");
        }
    }

    #[test]
    fn a_token_is_good_for_the_snapshot_that_is_asked_for() {
        let line = "@zrep_000001=1! @zrep_000002=2";
        assert_eq!(
            planned(line, "zrep_000002", Some(&token(2, 1))).unwrap(),
            ["resume a/fs@zrep_000002 into b/fs after 3 bytes"]
        );
        for other in [token(1, 9), token(2, 9)] {
            let refused = planned(line, "zrep_000002", Some(&other)).unwrap_err();
            assert!(refused.telling().found.contains("a/fs@x"), "{refused}");
        }
    }

    #[test]
    fn what_is_encrypted_leaves_raw() {
        let source = state("a/fs", "@zrep_000001=1! @zrep_000002=2").master();
        let source = source.with(|state| state.encrypted = true).build();
        let pull = plan(
            &me(),
            &source,
            "zrep_000002",
            None,
            &request().locking,
            Preferences::default(),
        )
        .unwrap();
        assert!(pull.streams.iter().all(|stream| stream.flags.raw));
        assert!(
            plan(
                &me(),
                &source,
                "zrep_000002",
                Some(&token(2, 1)),
                &request().locking,
                Preferences::default()
            )
            .is_err()
        );
    }
}
