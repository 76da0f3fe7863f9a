//! Taking over on the target's side alone: the source is out of reach, and stays as it is.
//!
//! With the source in reach, `zrep takeover` is [`failover`](super::failover), asked for from the other side.

use crate::intent::Intent;
use crate::model::{Link, State};
use crate::plan::pairing::{Identity, is_named, link_of, master_already, other_names};
use crate::plan::turn::{expect, mount, mount_all, pair, writable};
use crate::plan::{Action, Object, Plan, Planned, Stage, standing, sync};
use crate::props::{Key, View};
use crate::refusal::{Refusal, Why, counted};

/// Plans `zrep takeover -L`: the target becomes master with what it has. `now` is in seconds since 1970, and only ages what is told.
///
/// What the source holds beyond the last sync is not on this side. The plan's notes say how old that sync is.
///
/// A stream may still be coming in. Its receive cannot always be stopped, but the snapshot that is made in the same transaction keeps it
/// from coming to its end: the kernel takes an incremental stream only on top of the newest snapshot.
pub fn plan(me: &Identity, target: &State, now: u64) -> Planned {
    plan_tree(me, target, &[], now)
}

/// The same with what is below the target, where its pairing is recursive. The children follow the top; each gets its snapshot in the same transaction.
pub fn plan_tree(me: &Identity, target: &State, below: &[State], now: u64) -> Planned {
    let refuse = |why| Refusal::target(&target.name, why);
    let link = link_of(me, target).map_err(refuse)?;
    let view = View::new(target, &me.tag);
    let begun = begun_alone(view);
    // N.B. in the middle of the swap the other end's name stands twice.
    if begun.is_none() && !is_named(&link, target) {
        return Err(refuse(Why::Renamed {
            pair: format!("{} -> {}", link.src_fs, link.dest_fs),
        }));
    }
    if view.is_master() && begun.is_none() {
        return Err(refuse(master_already(view)));
    }
    if target.inconsistent {
        return Err(refuse(Why::NothingReceived));
    }
    let set = |properties| Action::Set {
        on: Object::Dataset(target.name.clone()),
        properties,
    };
    let none = |key| (me.tag.property(key), None);
    let epoch = begun.map_or_else(|| next_epoch(me, view), Ok).map_err(refuse)?;
    let mark = Intent::Prepared {
        epoch,
        nonce: format!("{ALONE}{now}"),
    };
    let mut properties = vec![
        (me.tag.property(Key::Master), Some("yes".into())),
        (me.tag.property(Key::Epoch), Some(epoch.to_string())),
    ];
    properties.extend(pair(me, &swapped(me, &link, target)).into_iter().rev());
    let mut actions = [Key::Master, Key::Epoch, Key::Intent]
        .map(|key| expect(me, target, key))
        .to_vec();
    // N.B. what is cut off behind this is seen, and gone on with; and it tells the epoch of a role that came without one.
    actions.push(set(vec![(me.tag.property(Key::Intent), Some(mark.to_string()))]));
    actions.push(set(properties));
    actions.extend(snapshots(me, target, below)?);
    actions.extend(writable(target));
    let all = [target].into_iter().chain(below);
    let partial = all.filter(|state| state.partial.is_some() && !state.inconsistent);
    let discard: Vec<Action> = partial
        .map(|state| Action::DiscardPartial(state.name.clone()))
        .collect();
    let notes = [loss(me, &link, target, now)]
        .into_iter()
        .chain(behind(target, below))
        .collect();
    Ok(Plan {
        before: Vec::new(),
        lasting: Vec::new(),
        of: None,
        stages: vec![
            Stage::Commit,
            Stage::target(actions),
            // N.B. while the dead master's receive hangs, what it has brought cannot be discarded.
            Stage::target([mount(target), mount_all(below), discard].concat()),
            Stage::target(vec![set(vec![none(Key::Intent), none(Key::Fenced)])]),
        ],
        notes,
    })
}

/// Of each dataset, but for one that has received nothing whole.
fn snapshots(me: &Identity, target: &State, below: &[State]) -> Result<Vec<Action>, Refusal> {
    let all = || [target].into_iter().chain(below);
    let short = sync::new_snapshot_beside(me, target, all())?.short().to_owned();
    let whole = all().filter(|state| !state.inconsistent);
    let named = whole.map(|state| {
        let name = state.snapshot_name(&short);
        name.map_err(|error| Refusal::target(&state.name, Why::BadSnapshotName(error)))
    });
    named.map(|name| Ok(Action::Snapshot(name?))).collect()
}

/// Which children do not have what the top has.
fn behind(target: &State, below: &[State]) -> Vec<String> {
    let newest = target.newest().map(|newest| newest.name.as_str());
    let is_behind = |state: &&State| state.newest().map(|newest| newest.name.as_str()) != newest;
    let told = |state: &State| match state.newest() {
        Some(newest) => format!("{}: the newest that is here of it is @{}.", state.name, newest.name),
        None => format!("{}: nothing whole is here of it.", state.name),
    };
    below.iter().filter(is_behind).map(told).collect()
}

/// What the nonce of a takeover of one side alone begins with.
pub(super) const ALONE: &str = "alone-";

/// The epoch of a takeover of this side alone that was cut off.
fn begun_alone(view: View<'_>) -> Option<u64> {
    match view.intent() {
        Some(Intent::Prepared { epoch, nonce }) if nonce.starts_with(ALONE) => Some(epoch),
        Some(_) | None => None,
    }
}

/// Above every epoch that the other side has begun as far as this one knows: it may have been prepared for one.
fn next_epoch(me: &Identity, view: View<'_>) -> Result<u64, Why> {
    let begun = match view.intent() {
        Some(Intent::Prepared { epoch, .. }) => epoch,
        Some(Intent::Failover { .. } | Intent::Aborted { .. } | Intent::Gated { .. }) | None => 0,
    };
    Ok(begun.max(standing::next_epoch(me, view.epoch())?))
}

fn swapped(me: &Identity, link: &Link, target: &State) -> Link {
    let (host, dataset) = other_names(me, link, target);
    Link {
        src_host: me.host.clone(),
        src_fs: target.name.to_string(),
        dest_host: host.to_owned(),
        dest_fs: dataset.to_owned(),
    }
}

/// What is lost, as far as this side can know.
fn loss(me: &Identity, link: &Link, target: &State, now: u64) -> String {
    let view = View::new(target, &me.tag);
    let newest = target.newest();
    let taken = newest.map(|snapshot| view.sent(snapshot).unwrap_or(snapshot.creation));
    let (host, dataset) = other_names(me, link, target);
    let from = format!("{host}:{dataset}");
    match (newest, taken) {
        (Some(newest), Some(taken)) => format!(
            "{}: taking over at @{}, {} old. What was written to {from} since then is not here.",
            target.name,
            newest.name,
            counted(
                usize::try_from(now.saturating_sub(taken)).unwrap_or(usize::MAX),
                "second"
            )
        ),
        (None, _) | (_, None) => format!("{}: taking over without any snapshot of {from}.", target.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, state};

    #[test]
    fn a_takeover_without_the_source_says_what_is_not_here() {
        let target = state("b/fs", "@zrep_000001=1!").replica().build();
        let planned = plan(&me(), &target, 1_700_000_060).unwrap();
        assert_eq!(
            planned.notes,
            [
                "b/fs: taking over at @zrep_000001, 60 seconds old. What was written to here:a/fs since then is not here."
            ]
        );
        assert_eq!(
            planned.lines(),
            [
                "-- point of no return --",
                "target: expect no zrep:master on b/fs",
                "target: expect no zrep:epoch on b/fs",
                "target: expect no zrep:intent on b/fs",
                "target: set zrep:intent=prepared 1 alone-1700000060 on b/fs",
                "target: set zrep:master=yes zrep:epoch=1 zrep:dest-host=here zrep:dest-fs=a/fs zrep:src-host=here zrep:src-fs=b/fs on b/fs",
                "target: snapshot b/fs@zrep_000002",
                "target: set readonly inherited on b/fs",
                "target: mount b/fs",
                "target: set zrep:intent inherited zrep:fenced inherited on b/fs",
            ]
        );
    }

    #[test]
    fn a_takeover_that_was_cut_off_is_gone_on_with_in_its_epoch() {
        let half = state("b/fs", "@zrep_000001=1!")
            .replica()
            .user("zrep:master", "yes", crate::model::Origin::Local)
            .user("zrep:intent", "prepared 3 alone-1", crate::model::Origin::Local)
            .build();
        let lines = plan(&me(), &half, 0).unwrap().lines();
        assert!(
            lines.iter().any(|line| line.contains("zrep:master=yes zrep:epoch=3")),
            "{lines:?}"
        );
        assert!(lines.contains(&"target: set readonly inherited on b/fs".to_owned()));
    }

    #[test]
    fn a_master_takes_nothing_over() {
        let master = state("a/fs", "@zrep_000001=1!").master();
        assert_eq!(plan(&me(), &master.build(), 0).unwrap_err().why, Why::MasterAlready);
        let fenced = state("a/fs", "@zrep_000001=1!")
            .master()
            .user("zrep:fenced", "2", crate::model::Origin::Local)
            .build();
        assert_eq!(plan(&me(), &fenced, 0).unwrap_err().why, Why::Fenced { epoch: 2 });
    }
}
