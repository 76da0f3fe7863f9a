//! Taking over on the target's side alone: the source is out of reach, and stays as it is.
//!
//! With the source in reach, `zrep takeover` is [`failover`](super::failover), asked for from the other side.

use crate::model::{Link, State};
use crate::plan::failover::{mount, pair, writable};
use crate::plan::pairing::{Identity, link_of};
use crate::plan::{Action, Object, Plan, Planned, Stage};
use crate::props::{Key, View};
use crate::refusal::{Refusal, Why, counted};

/// Plans `zrep takeover -L`: the target becomes master with what it has. `now` is in seconds since 1970, and only ages what is told.
///
/// What the source holds beyond the last sync is not on this side. The plan's notes say how old that sync is.
pub fn plan(me: &Identity, target: &State, now: u64) -> Planned {
    let refuse = |why| Refusal::target(&target.name, why);
    let link = link_of(me, target).map_err(refuse)?;
    if View::new(target, &me.tag).is_master() {
        return Err(refuse(Why::MasterAlready));
    }
    if target.inconsistent {
        return Err(refuse(Why::NothingReceived));
    }
    let name = Object::Dataset(target.name.clone());
    let mut properties = pair(me, &swapped(me, &link, target));
    properties.push((me.tag.property(Key::Master), Some("yes".into())));
    let mut actions: Vec<Action> = target
        .partial
        .iter()
        .map(|_| Action::DiscardPartial(target.name.clone()))
        .collect();
    actions.push(Action::Set { on: name, properties });
    actions.extend(writable(target));
    let notes = vec![loss(me, &link, target, now)];
    Ok(Plan {
        before: Vec::new(),
        lasting: Vec::new(),
        stages: vec![Stage::Commit, Stage::target(actions), Stage::target(mount(target))],
        notes,
    })
}

fn swapped(me: &Identity, link: &Link, target: &State) -> Link {
    Link {
        src_host: me.host.clone(),
        src_fs: target.name.to_string(),
        dest_host: link.src_host.clone(),
        dest_fs: link.src_fs.clone(),
    }
}

/// What is lost, as far as this side can know.
fn loss(me: &Identity, link: &Link, target: &State, now: u64) -> String {
    let view = View::new(target, &me.tag);
    let newest = target.newest();
    let taken = newest.map(|snapshot| view.sent(snapshot).unwrap_or(snapshot.creation));
    let from = format!("{}:{}", link.src_host, link.src_fs);
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
                "target: set zrep:src-fs=b/fs zrep:src-host=here zrep:dest-fs=a/fs zrep:dest-host=here zrep:master=yes on b/fs",
                "target: set readonly inherited on b/fs",
                "target: mount b/fs",
            ]
        );
    }

    #[test]
    fn a_master_takes_nothing_over() {
        let master = state("a/fs", "@zrep_000001=1!").master().build();
        assert_eq!(plan(&me(), &master, 0).unwrap_err().why, Why::MasterAlready);
    }
}
