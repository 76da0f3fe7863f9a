use super::trouble::troubles;
use super::*;
use crate::model::Origin;
use crate::model::notation::{Builder, me, state};

/// `a/fs` and `b/fs` with children, written `name: snapshots`.
fn below(of_source: &[&str], of_target: &[&str]) -> Below {
    let child = |top: &str, line: &str| {
        let (name, line) = line.split_once(':').expect("a name");
        state(&format!("{top}/{name}"), line).build()
    };
    Below {
        source: of_source.iter().map(|line| child("a/fs", line)).collect(),
        target: of_target.iter().map(|line| child("b/fs", line)).collect(),
    }
}

fn top(name: &str) -> Builder {
    state(name, "@zrep_000001=1!")
}

/// What becomes of each child, in short, and what is left.
fn told(below: &Below) -> Vec<String> {
    let (source, target) = (top("a/fs").master().build(), top("b/fs").replica().build());
    let matched = matched(&me(), &source, &target, below);
    let of_child = |child: &Child<'_>| {
        let name = child.source.name.last();
        let after: Vec<&str> = child.after.iter().map(DatasetName::last).collect();
        let after = if after.is_empty() {
            String::new()
        } else {
            format!(" after {}", after.join(", "))
        };
        match &child.fate {
            Fate::Known { renamed: None, to, .. } => format!("{name} is {to}{after}"),
            Fate::Known {
                renamed: Some(from),
                to,
                ..
            } => format!("{name} moves {from} to {to}{after}"),
            Fate::New { to, .. } => format!("{name} is new at {to}{after}"),
            Fate::Refused(refusal) => format!("{name} refused: {:?}", refusal.why)
                .split(" {")
                .next()
                .unwrap_or_default()
                .to_owned(),
        }
    };
    let left = matched.left.iter().map(|state| format!("{} is left", state.name));
    matched.children.iter().map(of_child).chain(left).collect()
}

#[test]
fn a_child_is_known_by_its_snapshots_and_not_by_its_name() {
    for (source, target, expected) in [
        (
            vec!["x:@zrep_000001=10"],
            vec!["x:@zrep_000001=10"],
            vec!["x is b/fs/x"],
        ),
        (
            vec!["x:@zrep_000001=10"],
            vec!["x:#zrep_000001=10"],
            vec!["x refused: PlaceTaken", "b/fs/x is left"],
        ),
        (
            vec!["x:#zrep_000001=10"],
            vec!["x:@zrep_000001=10"],
            vec!["x is b/fs/x"],
        ),
        (vec!["x:@zrep_000001=10"], vec![], vec!["x is new at b/fs/x"]),
        (vec![], vec!["x:@zrep_000001=10"], vec!["b/fs/x is left"]),
        (
            vec!["y:@zrep_000001=10"],
            vec!["x:@zrep_000001=10"],
            vec!["y moves b/fs/x to b/fs/y"],
        ),
        (
            vec!["x:@zrep_000001=11"],
            vec!["x:@zrep_000001=10"],
            vec!["x refused: PlaceTaken", "b/fs/x is left"],
        ),
        (
            vec!["x:@zrep_000001=11", "y:@zrep_000001=10"],
            vec!["x:@zrep_000001=10"],
            vec!["x is new at b/fs/x after y", "y moves b/fs/x to b/fs/y"],
        ),
        // What others have made may have come with another pairing's streams.
        (
            vec!["x:@daily=10", "y:@bbb_000001=11"],
            vec!["x:@daily=10", "old:@bbb_000001=11"],
            vec![
                "x refused: PlaceTaken",
                "y is new at b/fs/y",
                "b/fs/x is left",
                "b/fs/old is left",
            ],
        ),
        // Of two copies nobody knows which one is meant.
        (
            vec!["z:@zrep_000001=10"],
            vec!["x:@zrep_000001=10", "y:@zrep_000001=10"],
            vec!["z is new at b/fs/z", "b/fs/x is left", "b/fs/y is left"],
        ),
    ] {
        assert_eq!(told(&below(&source, &target)), expected, "{source:?} {target:?}");
    }
}

#[test]
fn what_receives_for_another_tag_is_neither_written_to_nor_moved() {
    let mut both = below(&["x:@zrep_000001=10"], &["x:@zrep_000001=10"]);
    let of_bbb = |name: &str| {
        state(name, "@zrep_000001=10")
            .user("bbb:dest-fs", name, Origin::Local)
            .build()
    };
    both.target = vec![of_bbb("b/fs/x")];
    assert_eq!(told(&both), ["x refused: PlaceTaken"]);
    both.target = vec![of_bbb("b/fs/elsewhere")];
    assert_eq!(told(&both), ["x is new at b/fs/x"]);

    let mut renamed = below(&["z:@zrep_000001=10"], &["x:@zrep_000001=10"]);
    renamed.target.push(of_bbb("b/fs/x/n"));
    assert_eq!(told(&renamed), ["z refused: NotAloneBelow"]);
}

#[test]
fn what_somebody_has_made_in_a_child_keeps_it_from_being_renamed() {
    let both = below(&["z:@zrep_000001=10"], &["x:@zrep_000001=10", "x/own:@mine=11"]);
    assert_eq!(told(&both), ["z refused: NotAloneBelow", "b/fs/x/own is left"]);
}

#[test]
fn what_is_below_a_renamed_child_moves_along() {
    let both = below(
        &["z:@zrep_000001=10", "z/1:@zrep_000001=11", "z/2:@zrep_000001=12"],
        &["x:@zrep_000001=10", "x/1:@zrep_000001=11", "x/2:@zrep_000001=12"],
    );
    assert_eq!(
        told(&both),
        [
            "z moves b/fs/x to b/fs/z",
            "1 is b/fs/z/1 after z",
            "2 is b/fs/z/2 after z"
        ]
    );
}

#[test]
fn a_child_waits_for_a_parent_that_is_new() {
    let both = below(
        &[
            "home:@zrep_000001=9",
            "home/y:@zrep_000001=10",
            "home/z:@zrep_000001=11",
        ],
        &["y:@zrep_000001=10"],
    );
    assert_eq!(
        told(&both),
        [
            "home is new at b/fs/home",
            "y moves b/fs/y to b/fs/home/y after home",
            "z is new at b/fs/home/z after home"
        ]
    );
}

#[test]
fn a_chain_of_renames_is_carried_out_from_its_end() {
    let both = below(
        &["b:@zrep_000001=10", "c:@zrep_000001=11"],
        &["a:@zrep_000001=10", "b:@zrep_000001=11"],
    );
    assert_eq!(
        told(&both),
        ["b moves b/fs/a to b/fs/b after c", "c moves b/fs/b to b/fs/c"]
    );
}

#[test]
fn children_that_have_traded_places_are_refused() {
    let both = below(
        &["x:@zrep_000001=10", "y:@zrep_000001=11", "z:@zrep_000001=12"],
        &["x:@zrep_000001=11", "y:@zrep_000001=10", "z:@zrep_000001=12"],
    );
    assert_eq!(
        told(&both),
        ["x refused: PlaceTaken", "y refused: PlaceTaken", "z is b/fs/z"]
    );
}

#[test]
fn what_lies_in_a_refused_new_child_is_refused_with_it() {
    let both = below(&["x:@zrep_000001=10", "x/1:@zrep_000001=11"], &["x:@zrep_000001=99"]);
    assert_eq!(
        told(&both),
        ["x refused: PlaceTaken", "1 refused: ParentMissing", "b/fs/x is left"]
    );
}

#[test]
fn a_child_with_a_pairing_of_its_own_is_refused_and_what_is_below_it_is_its_own() {
    let mut both = below(
        &["x:@zrep_000001=10", "x/1:@zrep_000001=11", "y:@zrep_000001=12"],
        &["y:@zrep_000001=12"],
    );
    both.source[0] = state("a/fs/x", "@zrep_000001=10")
        .user("zrep:dest-fs", "c/x", Origin::Local)
        .build();
    assert_eq!(told(&both), ["x refused: Nested", "y is b/fs/y"]);
    // A pairing of another tag is none of this one's.
    both.source[0] = state("a/fs/x", "@zrep_000001=10")
        .user("uk:dest-fs", "c/x", Origin::Local)
        .build();
    assert_eq!(
        told(&both),
        ["x is new at b/fs/x", "1 is new at b/fs/x/1 after x", "y is b/fs/y"]
    );
}

#[test]
fn what_has_a_pairing_of_its_own_has_roles_of_its_own() {
    let mut both = below(&["x:@zrep_000001=10", "x/1:@zrep_000001=11", "y:@zrep_000001=12"], &[]);
    both.source[0] = state("a/fs/x", "@zrep_000001=10")
        .user("zrep:dest-fs", "c/x", Origin::Local)
        .build();
    let own = both.own(&me());
    let names: Vec<&str> = own.source.iter().map(|state| state.name.as_str()).collect();
    assert_eq!(names, ["a/fs/y"]);
}

#[test]
fn what_another_pairing_has_on_the_target_is_not_touched() {
    let mut both = below(
        &["x:@zrep_000001=10", "y:@zrep_000001=11"],
        &["x:@zrep_000001=10", "x/1:@zrep_000001=11"],
    );
    both.target[0] = state("b/fs/x", "@zrep_000001=10")
        .user("zrep:dest-fs", "b/fs/x", Origin::Received)
        .build();
    assert_eq!(told(&both), ["x refused: PlaceTaken", "y is new at b/fs/y"]);
}

#[test]
fn a_child_that_lacks_the_last_snapshot_or_can_be_written_to_is_told() {
    let both = below(
        &[],
        &[
            "old:@zrep_000001=10",
            "well:@zrep_000001=11 @zrep_000002=12",
            "open:@zrep_000002=13",
        ],
    );
    let mut children = both.target;
    children[0].readonly = true;
    children[1].readonly = true;
    let replica = top("b/fs").replica().build();
    let told: Vec<String> = troubles(&me(), &replica, Some("zrep_000002"), &children)
        .iter()
        .map(|trouble| trouble.told(false))
        .collect();
    assert_eq!(told.len(), 2);
    assert!(
        told[0].starts_with(
            "b/fs/old: was not part of the last sync, has @zrep_000001 and nothing newer; it has no source"
        ),
        "{}",
        told[0]
    );
    assert!(
        told[1].ends_with("Next: `zfs inherit readonly b/fs/open`"),
        "{}",
        told[1]
    );
}
