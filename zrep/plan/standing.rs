//! How the two ends of a pairing stand to each other: which of them is the master, and whether a change of that is under way.
//!
//! The epoch decides. It rises with each change of the master, so of two that say to be it the one with the lower epoch is wrong. Where
//! both know no epoch (shell zrep has turned the pair), only the traces of a failover that was cut off tell old from new.

use crate::intent::Intent;
use crate::model::{Below, Link, Origin, Side, State};
use crate::plan::pairing::{Identity, is_half_turned, link_of_new};
use crate::props::{Key, View};
use crate::refusal::{Refusal, Why};

/// What there is to be settled before a verb can do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Settled,
    /// The source has begun a change, and the target has not become the master.
    Open(Intent),
    /// One side was superseded by the other, and says still that it is the master.
    Superseded {
        /// Which.
        old: Side,
        /// What becomes of it.
        way: Way,
    },
    /// The target is prepared for a change that the source knows nothing of any more.
    Forgotten,
    /// Both say that they are the master, and nothing tells who is right.
    Split,
}

/// What becomes of a master that was superseded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It has nothing that the new one lacks, and has stopped: it becomes its replica.
    StepDown,
    /// It may have something, or be written to still: it is made read-only, and keeps what it has.
    Fence,
}

/// Looks how `source` and `target` stand to each other. `source` is the one that is, or was, the master as the caller has found it.
pub fn of(me: &Identity, source: &State, target: &State) -> Result<Standing, Refusal> {
    let (from, to) = (View::new(source, &me.tag), View::new(target, &me.tag));
    require_epoch(me, source).map_err(|why| Refusal::source(&source.name, why))?;
    require_epoch(me, target).map_err(|why| Refusal::target(&target.name, why))?;
    match (from.is_master(), to.is_master()) {
        (true, true) => Ok(two_masters(me, source, target)),
        (false, true) if is_half_turned(me, source, target) => Ok(step_down(Side::Source)),
        (false, true | false) => Ok(Standing::Settled),
        (true, false) if to.epoch() > from.epoch() => Err(Refusal::source(
            &source.name,
            Why::Superseded {
                epoch: to.epoch(),
                own: from.epoch(),
                other: target.name.to_string(),
            },
        )),
        (true, false) => require_unfenced(me, source).map(|()| open(from.intent(), to.intent())),
    }
}

/// The same for two trees: who has something below that the other one lacks does not step down.
pub fn of_trees(me: &Identity, source: &State, target: &State, below: Option<&Below>) -> Result<Standing, Refusal> {
    let standing = of(me, source, target)?;
    let (
        Standing::Superseded {
            old,
            way: Way::StepDown,
        },
        Some(below),
    ) = (&standing, below)
    else {
        return Ok(standing);
    };
    let new = match old {
        Side::Source => below.of(Side::Target),
        Side::Target => below.of(Side::Source),
    };
    let has = |guid| {
        new.iter()
            .flat_map(|state| &state.snapshots)
            .any(|snapshot| snapshot.guid == guid)
    };
    let way = match below
        .of(*old)
        .iter()
        .filter_map(State::newest)
        .all(|newest| has(newest.guid))
    {
        true => Way::StepDown,
        false => Way::Fence,
    };
    Ok(Standing::Superseded { old: *old, way })
}

fn open(of_source: Option<Intent>, of_target: Option<Intent>) -> Standing {
    match (of_source, of_target) {
        (Some(intent @ (Intent::Failover { .. } | Intent::Gated { .. })), _) => Standing::Open(intent),
        (Some(Intent::Prepared { .. } | Intent::Aborted { .. }) | None, Some(Intent::Prepared { .. })) => {
            Standing::Forgotten
        }
        (Some(Intent::Prepared { .. } | Intent::Aborted { .. }) | None, _) => Standing::Settled,
    }
}

/// A master that was fenced by an epoch above its own stays so until it has rejoined.
pub fn require_unfenced(me: &Identity, master: &State) -> Result<(), Refusal> {
    let view = View::new(master, &me.tag);
    match view.fenced() {
        Some(epoch) if epoch > view.epoch() => Err(Refusal::source(&master.name, Why::Fenced { epoch })),
        Some(_) | None => Ok(()),
    }
}

fn require_epoch(me: &Identity, state: &State) -> Result<(), Why> {
    match View::new(state, &me.tag).epoch_text() {
        Some(text) if text.parse::<u64>().is_err() => Err(Why::BadEpoch {
            property: me.tag.property(Key::Epoch),
            found: text.to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// The epoch above another one. An epoch that is as high as a number can be was not reached by counting.
pub fn next_epoch(me: &Identity, epoch: u64) -> Result<u64, Why> {
    epoch.checked_add(1).ok_or_else(|| Why::BadEpoch {
        property: me.tag.property(Key::Epoch),
        found: epoch.to_string(),
    })
}

fn two_masters(me: &Identity, source: &State, target: &State) -> Standing {
    let epoch = |state| View::new(state, &me.tag).epoch();
    let (old, new, side) = match epoch(source).cmp(&epoch(target)) {
        std::cmp::Ordering::Less => (source, target, Side::Source),
        std::cmp::Ordering::Greater => (target, source, Side::Target),
        std::cmp::Ordering::Equal if is_half_turned(me, source, target) => return step_down(Side::Source),
        std::cmp::Ordering::Equal if is_half_turned(me, target, source) => return step_down(Side::Target),
        std::cmp::Ordering::Equal => return Standing::Split,
    };
    if !is_mutual(me, old, new) && !is_one_attempt(me, old, new) {
        return Standing::Split;
    }
    let same_change = match View::new(old, &me.tag).intent() {
        Some(Intent::Failover { epoch, .. }) => epoch == View::new(new, &me.tag).epoch(),
        Some(_) | None => false,
    };
    // N.B. after a power cut `written` is above 0 where only the intent log was claimed at the import: the block that it is noted in is the
    // dataset's own. If it was more than that, no stream goes on top of it, and a rejoin keeps it aside.
    let has_less = same_change && has_arrived(old, new) || !has_more(old, new);
    let way = if has_stopped(me, old) && has_less {
        Way::StepDown
    } else {
        Way::Fence
    };
    Standing::Superseded { old: side, way }
}

fn step_down(old: Side) -> Standing {
    Standing::Superseded {
        old,
        way: Way::StepDown,
    }
}

/// Whether the old master was made read-only by a failover, and not by its administrator.
fn has_stopped(me: &Identity, old: &State) -> bool {
    let by_failover = matches!(View::new(old, &me.tag).intent(), Some(Intent::Failover { .. }));
    by_failover && old.readonly && old.readonly_origin == Origin::Local
}

/// Whether `old` holds what `new` lacks: a snapshot, or what was written since.
pub fn has_more(old: &State, new: &State) -> bool {
    old.written != 0 || !has_arrived(old, new)
}

/// Whether the newest snapshot of `old` is one of `new`'s.
pub fn has_arrived(old: &State, new: &State) -> bool {
    old.newest()
        .is_some_and(|newest| new.snapshots.iter().any(|snapshot| snapshot.guid == newest.guid))
}

/// Whether a tree, or a dataset with nothing below it, holds what the other one lacks.
pub fn tree_has_more(old: (&State, &[State]), new: (&State, &[State])) -> bool {
    is_written(old) || !have_all_arrived(old, new)
}

fn is_written((top, below): (&State, &[State])) -> bool {
    [top].into_iter().chain(below).any(|state| state.written != 0)
}

/// N.B. without any snapshot and without data, there is nothing that could arrive.
fn have_all_arrived(old: (&State, &[State]), new: (&State, &[State])) -> bool {
    let of_new = || [new.0].into_iter().chain(new.1).flat_map(|state| &state.snapshots);
    let has = |state: &State| {
        let newest = state.newest();
        newest.is_none_or(|newest| of_new().any(|snapshot| snapshot.guid == newest.guid))
    };
    has_arrived(old.0, new.0) && old.1.iter().all(has)
}

/// Whether each of the two names the other one.
pub fn is_mutual(me: &Identity, one: &State, other: &State) -> bool {
    [one, other]
        .into_iter()
        .all(|state| link_of_new(me, state).is_ok_and(|link| names_both(&link, one, other)))
}

/// Whether the new one was being made the master by the very attempt that has stopped the old one. Its pair may be swapped in part.
pub fn is_one_attempt(me: &Identity, old: &State, new: &State) -> bool {
    match (View::new(old, &me.tag).intent(), View::new(new, &me.tag).intent()) {
        (Some(Intent::Failover { nonce, .. }), Some(Intent::Prepared { nonce: prepared, .. })) => nonce == prepared,
        (Some(_) | None, _) => false,
    }
}

/// Whether a pair is that of these two datasets.
pub fn names_both(link: &Link, one: &State, other: &State) -> bool {
    let names = [link.src_fs.as_str(), link.dest_fs.as_str()];
    names.contains(&one.name.as_str()) && names.contains(&other.name.as_str())
}

/// Why a verb goes no further where this stands in its way.
pub fn refusal(me: &Identity, source: &State, target: &State) -> Refusal {
    let epoch = |state| View::new(state, &me.tag).epoch();
    let (ours, theirs) = (epoch(source), epoch(target));
    match ours.cmp(&theirs) {
        std::cmp::Ordering::Less => Refusal::source(
            &source.name,
            Why::Superseded {
                epoch: theirs,
                own: ours,
                other: target.name.to_string(),
            },
        ),
        std::cmp::Ordering::Greater => Refusal::target(
            &target.name,
            Why::Superseded {
                epoch: ours,
                own: theirs,
                other: source.name.to_string(),
            },
        ),
        std::cmp::Ordering::Equal => Refusal::source(
            &source.name,
            Why::SplitBrain {
                tag: me.tag.to_string(),
                other: target.name.to_string(),
                finish: None,
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{Builder, me, state};

    fn old(line: &str) -> Builder {
        state("a/fs", line).master()
    }

    fn new(line: &str, epoch: &str) -> State {
        state("b/fs", line)
            .master()
            .user("zrep:src-fs", "b/fs", Origin::Local)
            .user("zrep:dest-fs", "a/fs", Origin::Local)
            .user("zrep:epoch", epoch, Origin::Local)
            .build()
    }

    fn stopped(builder: Builder) -> State {
        builder
            .user("zrep:intent", "failover 1 - 42-1", Origin::Local)
            .with(|state| (state.readonly, state.readonly_origin) = (true, Origin::Local))
            .build()
    }

    fn superseded(old: Side, way: Way) -> Result<Standing, Refusal> {
        Ok(Standing::Superseded { old, way })
    }

    #[test]
    fn the_lower_epoch_loses_on_whichever_side_it_is() {
        let (a, b) = (old("@zrep_000001=1!").build(), new("@zrep_000001=1!", "1"));
        assert_eq!(of(&me(), &a, &b), superseded(Side::Source, Way::Fence));
        assert_eq!(of(&me(), &b, &a), superseded(Side::Target, Way::Fence));
    }

    #[test]
    fn who_has_stopped_and_has_nothing_more_steps_down() {
        let b = new("@zrep_000001=1!", "1");
        assert_eq!(
            of(&me(), &stopped(old("@zrep_000001=1!")), &b),
            superseded(Side::Source, Way::StepDown)
        );
        let more = stopped(old("@zrep_000001=1! @zrep_000002=2"));
        assert_eq!(of(&me(), &more, &b), superseded(Side::Source, Way::Fence));
    }

    #[test]
    fn a_dataset_that_says_master_while_it_is_prepared_has_begun_its_epoch() {
        let b = state("b/fs", "@zrep_000001=1!")
            .master()
            .user("zrep:intent", "prepared 1 42-1", Origin::Local)
            .build();
        assert_eq!(
            of(&me(), &stopped(old("@zrep_000001=1!")), &b),
            superseded(Side::Source, Way::StepDown)
        );
    }

    #[test]
    fn a_pair_that_is_swapped_in_part_is_known_by_the_attempt() {
        let half = |nonce: &str| {
            state("b/fs", "@zrep_000001=1!")
                .master()
                .user("zrep:src-fs", "b/fs", Origin::Local)
                .user("zrep:intent", &format!("prepared 1 {nonce}"), Origin::Local)
                .build()
        };
        let a = stopped(old("@zrep_000001=1!"));
        assert_eq!(of(&me(), &a, &half("42-1")), superseded(Side::Source, Way::StepDown));
        assert_eq!(of(&me(), &a, &half("43-1")), Ok(Standing::Split));
    }

    #[test]
    fn two_masters_of_one_epoch_are_split_and_so_are_two_that_do_not_know_each_other() {
        let a = old("@zrep_000001=1!").user("zrep:epoch", "1", Origin::Local).build();
        assert_eq!(of(&me(), &a, &new("@zrep_000001=1!", "1")), Ok(Standing::Split));
        let elsewhere = state("b/fs", "")
            .master()
            .user("zrep:src-fs", "c/fs", Origin::Local)
            .user("zrep:epoch", "2", Origin::Local)
            .build();
        assert_eq!(of(&me(), &a, &elsewhere), Ok(Standing::Split));
    }

    #[test]
    fn a_change_that_did_not_reach_the_target_is_open() {
        let b = state("b/fs", "@zrep_000001=1!").replica().build();
        let a = stopped(old("@zrep_000001=1!"));
        assert!(matches!(
            of(&me(), &a, &b),
            Ok(Standing::Open(Intent::Failover { epoch: 1, .. }))
        ));
    }

    #[test]
    fn an_old_master_that_was_cut_off_while_its_pair_was_swapped_steps_down() {
        let b = new("@zrep_000001=1!", "1");
        for (src, dest) in [("b/fs", "b/fs"), ("a/fs", "b/fs")] {
            let a = state("a/fs", "@zrep_000001=1!")
                .replica()
                .user("zrep:src-fs", src, Origin::Local)
                .user("zrep:dest-fs", dest, Origin::Local)
                .with(|state| (state.readonly, state.readonly_origin) = (true, Origin::Local))
                .build();
            assert_eq!(of(&me(), &a, &b), Ok(step_down(Side::Source)), "{src} {dest}");
        }
        let of_another = state("a/fs", "@zrep_000001=1!")
            .replica()
            .user("zrep:src-fs", "c/fs", Origin::Local)
            .user("zrep:dest-fs", "b/fs", Origin::Local)
            .build();
        assert_eq!(of(&me(), &of_another, &b), Ok(Standing::Settled));
    }

    #[test]
    fn a_claimed_intent_log_keeps_no_old_master_from_stepping_down() {
        let noisy = |line| stopped(old(line).with(|state| state.written = 1024));
        let b = new("@zrep_000001=1!", "1");
        assert_eq!(
            of(&me(), &noisy("@zrep_000001=1!"), &b),
            superseded(Side::Source, Way::StepDown)
        );
        let later = new("@zrep_000001=1!", "3");
        assert_eq!(
            of(&me(), &noisy("@zrep_000001=1!"), &later),
            superseded(Side::Source, Way::Fence)
        );
        let with_more = noisy("@zrep_000001=1! @zrep_000002=2");
        assert_eq!(of(&me(), &with_more, &b), superseded(Side::Source, Way::Fence));
    }

    #[test]
    fn what_only_the_target_knows_of_is_forgotten() {
        let b = state("b/fs", "@zrep_000001=1!")
            .replica()
            .user("zrep:intent", "prepared 1 7-1", Origin::Local)
            .build();
        assert_eq!(of(&me(), &old("@zrep_000001=1!").build(), &b), Ok(Standing::Forgotten));
        assert!(matches!(of(&me(), &stopped(old("")), &b), Ok(Standing::Open(_))));
    }

    #[test]
    fn a_master_below_its_replica_and_a_fenced_one_are_refused() {
        let b = state("b/fs", "")
            .replica()
            .user("zrep:epoch", "3", Origin::Local)
            .build();
        assert!(matches!(
            of(&me(), &old("").build(), &b).unwrap_err().why,
            Why::Superseded { epoch: 3, own: 0, .. }
        ));
        let fenced = old("").user("zrep:fenced", "1", Origin::Local).build();
        let b = state("b/fs", "").replica().build();
        assert_eq!(of(&me(), &fenced, &b).unwrap_err().why, Why::Fenced { epoch: 1 });
    }

    #[test]
    fn an_epoch_is_a_number_and_a_received_one_is_the_senders() {
        let b = state("b/fs", "")
            .replica()
            .user("zrep:epoch", "7", Origin::Received)
            .build();
        assert_eq!(of(&me(), &old("").build(), &b), Ok(Standing::Settled));
        let bad = old("").user("zrep:epoch", "many", Origin::Local).build();
        assert!(matches!(of(&me(), &bad, &b).unwrap_err().why, Why::BadEpoch { .. }));
        assert_eq!(next_epoch(&me(), 7), Ok(8));
        assert!(matches!(next_epoch(&me(), u64::MAX), Err(Why::BadEpoch { .. })));
    }
}
