//! What one side has that was not sent, as far as it can tell alone: by the marks on its own snapshots.

use crate::model::{Guid, State};
use crate::names::Naming;
use crate::props::{Tag, View};

/// What is not on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// Nothing.
    Nothing,
    /// Everything: no snapshot carries the mark.
    Everything,
    /// So many snapshots, by whomever, that were made since the last sent one. What is in them is not looked at.
    Snapshots(usize),
    /// The last sent snapshot is the newest one, and so many bytes were written since.
    Bytes(u64),
}

/// Looks what `state` has beyond its last sent snapshot.
///
/// N.B. bytes are counted from the newest snapshot, whoever made it: where that is not the last sent one, none may be counted and much be unsent.
pub fn unsent(tag: &Tag, state: &State) -> Unsent {
    let Some(last) = View::new(state, tag).last_sent() else {
        return Unsent::Everything;
    };
    since(state, last.guid)
}

fn since(state: &State, last: Guid) -> Unsent {
    let newer = state.snapshots.iter().rev().take_while(|found| found.guid != last);
    match (newer.count(), state.written) {
        (0, 0) => Unsent::Nothing,
        (0, bytes) => Unsent::Bytes(bytes),
        (newer, _) => Unsent::Snapshots(newer),
    }
}

/// The same of a dataset and what has its role below it: what is unsent of the first one that is behind.
///
/// N.B. the marks of a recursive pairing are the top's, and all snapshots of one sync have one name.
pub fn unsent_of_tree(tag: &Tag, top: &State, below: &[State]) -> Unsent {
    let last = View::new(top, tag).last_sent().map(|last| last.name.as_str());
    let of_child = |child: &State| {
        let found = child.snapshots.iter().find(|found| Some(found.name.as_str()) == last);
        found.map_or(Unsent::Everything, |found| since(child, found.guid))
    };
    let all = [unsent(tag, top)].into_iter().chain(below.iter().map(of_child));
    all.into_iter()
        .find(|unsent| *unsent != Unsent::Nothing)
        .unwrap_or(Unsent::Nothing)
}

/// How many of zrep's own snapshots wait to be sent. One may be on its way; more of them are attempts that came to nothing.
pub fn waiting(tag: &Tag, state: &State) -> usize {
    let last = View::new(state, tag).last_sent().map(|last| last.guid);
    let newer = state
        .snapshots
        .iter()
        .rev()
        .take_while(|found| Some(found.guid) != last);
    newer.filter(|found| Naming::of(tag, &found.name).is_own()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, state};

    #[test]
    fn a_tree_is_up_to_date_if_all_of_it_is() {
        let top = state("a/fs", "@zrep_000001=1!").build();
        for (line, written, expected) in [
            ("@zrep_000001=2", 0, Unsent::Nothing),
            ("@zrep_000001=2", 7, Unsent::Bytes(7)),
            ("@zrep_000001=2 @daily=3", 0, Unsent::Snapshots(1)),
            ("@zrep_000000=2", 0, Unsent::Everything),
        ] {
            let child = state("a/fs/b", line).with(|state| state.written = written).build();
            assert_eq!(unsent_of_tree(&me().tag, &top, &[child]), expected, "{line} {written}");
        }
    }

    #[test]
    fn what_is_unsent_is_counted_from_the_last_sent_snapshot() {
        for (line, written, expected, own) in [
            ("", 0, Unsent::Everything, 0),
            ("@zrep_000000=1", 0, Unsent::Everything, 1),
            ("@zrep_000000=1!", 0, Unsent::Nothing, 0),
            ("@zrep_000000=1!", 7, Unsent::Bytes(7), 0),
            ("@zrep_000000=1! @daily=2", 0, Unsent::Snapshots(1), 0),
            ("@zrep_000000=1! @daily=2 @zrep_000001=3", 9, Unsent::Snapshots(2), 1),
            ("@zrep_000000=1! @daily=2 @zrep_000001=3!", 0, Unsent::Nothing, 0),
        ] {
            let state = state("a/fs", line).with(|state| state.written = written).build();
            assert_eq!(unsent(&me().tag, &state), expected, "{line} {written}");
            assert_eq!(waiting(&me().tag, &state), own, "{line}");
        }
    }
}
