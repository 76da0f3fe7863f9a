//! Recursive pairings, between two machines in memory that reach each other through the protocol, and on one.

mod grown;
#[path = "../support/mod.rs"]
mod support;
mod turns;

use zfs_ffi::DatasetName;
use zrep::exit::Exit;
use zrep::host::Host;
use zrep::host::fake::Fake;
use zrep::model::{Kind, Origin};
use zrep::policy::Policy;

use support::Machines;

use grown::{COPY, TOP, assert_equal, destroy_snapshots, grow, init, names, paired, rename, set, state, tree};

#[test]
fn init_brings_the_whole_tree_and_leaves_nothing_on_the_children() {
    let machines = paired(&["one", "one/deep", "vol 1"]);
    assert_equal(&machines, &["one", "one/deep", "vol 1"]);
    assert_eq!(names(&machines.beta, COPY), ["one", "one/deep", "vol 1"]);
    for child in ["one", "one/deep", "vol 1"] {
        let replica = state(&machines.beta, &format!("{COPY}/{child}")).unwrap();
        assert_eq!(
            (replica.readonly, replica.readonly_origin),
            (true, Origin::Inherited),
            "{child}"
        );
        assert!(
            replica.user.values().all(|setting| setting.origin == Origin::Inherited),
            "{child}: {:?}",
            replica.user
        );
    }
    let top = state(&machines.beta, COPY).unwrap();
    assert_eq!(
        (
            top.user["zrep:recursive"].value.as_str(),
            top.user["zrep:recursive"].origin
        ),
        ("yes", Origin::Received)
    );
    let marks = |name: &str| {
        machines
            .alpha
            .snapshots_since(&DatasetName::new(name).unwrap(), 0)
            .unwrap()
            .iter()
            .filter(|found| !found.user.is_empty())
            .count()
    };
    assert_eq!((marks(TOP), marks("src/a b/one")), (1, 0));
}

#[test]
fn a_sync_in_two_halves_sends_what_was_there_at_the_first() {
    let machines = paired(&["one", "one/deep"]);
    machines.alpha.write("src/a b/one", b"!");
    assert_eq!(machines.on_alpha(&["-R", "snaponly", TOP]), Exit::Success);
    grow(&machines.alpha, "src/a b/late");
    assert_eq!(machines.on_alpha(&["-R", "synconly", TOP]), Exit::Success);
    assert_equal(&machines, &["one", "one/deep"]);
    assert_eq!(names(&machines.beta, COPY), ["one", "one/deep"]);
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_equal(&machines, &["late", "one", "one/deep"]);
}

#[test]
fn half_a_sync_of_a_tree_that_is_none_yet_is_refused() {
    let machines = tree(Policy::User, Policy::User, &["one"]);
    assert_eq!(machines.on_alpha(&["init", TOP, "beta", COPY]), Exit::Success);
    let snapshots = || state(&machines.alpha, TOP).unwrap().snapshots.len();
    for verb in ["snaponly", "synconly"] {
        let before = snapshots();
        assert_eq!(machines.on_alpha(&["-R", verb, TOP]), Exit::Failure, "{verb}");
        assert_eq!(snapshots(), before);
        assert_eq!(machines.on_alpha(&[verb, TOP]), Exit::Success, "{verb}");
    }
}

#[test]
fn a_sync_takes_the_tree_along_by_itself() {
    let machines = paired(&["one", "one/deep"]);
    for round in 0..7 {
        machines
            .alpha
            .write("src/a b/one/deep", format!("more {round}").as_bytes());
        let line: &[&str] = if round % 2 == 0 {
            &["sync", TOP]
        } else {
            &["-R", "sync", TOP]
        };
        assert_eq!(machines.on_alpha(line), Exit::Success);
        assert_equal(&machines, &["one", "one/deep"]);
    }
    // The savecount is five, for each child as for the top.
    for (host, top) in [(&machines.alpha, TOP), (&machines.beta, COPY)] {
        for child in ["", "/one", "/one/deep"] {
            assert_eq!(
                state(host, &format!("{top}{child}")).unwrap().snapshots.len(),
                5,
                "{top}{child}"
            );
        }
    }
}

#[test]
fn all_snapshots_of_a_sync_are_of_one_transaction() {
    let machines = paired(&["one", "two"]);
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_eq!(machines.on_beta(&["refresh", COPY]), Exit::Success);
    let all: Vec<Vec<u64>> = ["", "/one", "/two"]
        .map(|child| {
            state(&machines.alpha, &format!("{TOP}{child}"))
                .unwrap()
                .snapshots
                .iter()
                .map(|found| found.createtxg)
                .collect()
        })
        .to_vec();
    assert_eq!(all[0].len(), 3);
    assert!(all.iter().all(|txgs| *txgs == all[0]), "{all:?}");
}

#[test]
fn a_tree_of_sixty_with_a_rename_a_new_a_destroyed_and_a_busy_child_ends_equal_but_for_the_one_that_is_named() {
    let children: Vec<String> = (0..59).map(|number| format!("d{number:02}")).collect();
    let refs: Vec<&str> = children.iter().map(String::as_str).collect();
    let machines = paired(&refs);
    for child in &children {
        machines.alpha.write(&format!("{TOP}/{child}"), b"more");
    }
    rename(&machines.alpha, "src/a b/d07", "src/a b/renamed");
    grow(&machines.alpha, "src/a b/d05/new");
    machines.alpha.destroy("src/a b/d20");
    // Somebody has written to one of the replicas.
    machines.beta.write("dst/a copy/d30", b"busy");
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Failure);
    let well: Vec<&str> = refs
        .iter()
        .copied()
        .filter(|child| !["d07", "d20", "d30"].contains(child))
        .chain(["renamed", "d05/new"])
        .collect();
    assert_equal(&machines, &well);
    assert!(state(&machines.beta, "dst/a copy/d07").is_none());
    // What was destroyed on the source is kept, read-only, as it was.
    let kept = state(&machines.beta, "dst/a copy/d20").unwrap();
    assert_eq!((kept.readonly, kept.snapshots.len()), (true, 1));
    // The one that failed has no new snapshot on the source, and goes on from its base.
    assert_eq!(state(&machines.alpha, "src/a b/d30").unwrap().snapshots.len(), 1);
    assert_eq!(machines.on_alpha(&["sync", "-f", TOP]), Exit::Success);
    assert_equal(&machines, &["d30", "renamed", "d05/new"]);
}

#[test]
fn a_renamed_subtree_moves_as_a_whole_and_into_a_new_parent() {
    let machines = paired(&["x", "x/1", "x/2", "y"]);
    rename(&machines.alpha, "src/a b/x", "src/a b/z");
    grow(&machines.alpha, "src/a b/home");
    rename(&machines.alpha, "src/a b/y", "src/a b/home/y");
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_equal(&machines, &["z", "z/1", "z/2", "home", "home/y"]);
    assert_eq!(names(&machines.beta, COPY), ["home", "home/y", "z", "z/1", "z/2"]);
}

#[test]
fn a_new_child_in_the_place_of_a_renamed_one_waits_for_the_renaming() {
    let machines = paired(&["x", "x/1"]);
    rename(&machines.alpha, "src/a b/x", "src/a b/old");
    grow(&machines.alpha, "src/a b/x");
    grow(&machines.alpha, "src/a b/x/1");
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_equal(&machines, &["x", "x/1", "old", "old/1"]);
}

#[test]
fn what_has_another_ones_name_is_refused_and_kept() {
    let machines = paired(&["x", "y"]);
    machines.alpha.destroy("src/a b/x");
    grow(&machines.alpha, "src/a b/x");
    let before = machines.beta.read("dst/a copy/x");
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Failure);
    assert_eq!(machines.beta.read("dst/a copy/x"), before);
    assert_equal(&machines, &["y"]);
    rename(&machines.beta, "dst/a copy/x", "dst/a copy/x.kept");
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_equal(&machines, &["x", "y"]);
}

#[test]
fn two_children_that_have_traded_places_are_refused_both() {
    let machines = paired(&["x", "y", "z"]);
    for (from, to) in [("x", "tmp"), ("y", "x"), ("tmp", "y")] {
        rename(&machines.alpha, &format!("{TOP}/{from}"), &format!("{TOP}/{to}"));
    }
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Failure);
    assert_equal(&machines, &["z"]);
    rename(&machines.beta, "dst/a copy/x", "dst/a copy/tmp");
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_equal(&machines, &["x", "y", "z"]);
}

#[test]
fn the_loop_takes_a_tree_along_and_a_child_in_trouble_does_not_stop_it() {
    let machines = paired(&["one", "two"]);
    grow(&machines.alpha, "src/a b/new");
    machines.beta.write("dst/a copy/two", b"busy");
    machines.alpha.write("src/a b/one", b"more");
    let rounds = ["sync", TOP, "--every", "0s", "--rounds", "3"];
    assert_eq!(machines.on_alpha(&rounds), Exit::Failure);
    assert_equal(&machines, &["one", "new"]);
    assert_eq!(state(&machines.alpha, TOP).unwrap().snapshots.len(), 4);
    assert!(!state(&machines.alpha, TOP).unwrap().user.contains_key("zrep:lock-pid"));
}

#[test]
fn a_dry_run_changes_nothing() {
    let machines = tree(Policy::User, Policy::User, &["one"]);
    let everything = |machines: &Machines| (machines.alpha.dump(), machines.beta.dump());
    let before = everything(&machines);
    assert_eq!(
        machines.on_alpha(&["-R", "init", "-n", TOP, "beta", COPY]),
        Exit::Success
    );
    assert_eq!(everything(&machines), before);
    assert_eq!(init(&machines), Exit::Success);
    rename(&machines.alpha, "src/a b/one", "src/a b/two");
    let before = everything(&machines);
    for line in [
        vec!["sync", "-n", TOP],
        vec!["failover", "-n", TOP],
        vec!["expire", "-n", TOP],
    ] {
        assert_eq!(machines.on_alpha(&line), Exit::Success, "{line:?}");
    }
    for line in [
        vec!["refresh", "-n", COPY],
        vec!["takeover", "-n", COPY],
        vec!["takeover", "-L", "-n", COPY],
    ] {
        assert_eq!(machines.on_beta(&line), Exit::Success, "{line:?}");
    }
    assert_eq!(everything(&machines), before);
}

#[test]
fn an_init_that_was_cut_off_is_completed_with_its_children() {
    let machines = tree(Policy::User, Policy::User, &["one", "two"]);
    machines.alpha.write("src/a b/two", &[7; 20_000]);
    machines.beta.limit("dst", 15_000);
    assert_eq!(init(&machines), Exit::Failure);
    machines.beta.limit("dst", 1 << 30);
    assert_eq!(init(&machines), Exit::Success);
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_equal(&machines, &["one", "two"]);
}

#[test]
fn pairings_are_not_nested() {
    let machines = tree(Policy::User, Policy::User, &["one", "one/deep"]);
    assert_eq!(
        machines.on_alpha(&["init", "src/a b/one", "beta", "dst/single"]),
        Exit::Success
    );
    assert_eq!(init(&machines), Exit::Failure);
    assert!(state(&machines.beta, COPY).is_none());
    let machines = paired(&["one", "one/deep"]);
    assert_eq!(
        machines.on_alpha(&["init", "src/a b/one", "beta", "dst/single"]),
        Exit::Failure
    );
    machines.alpha.create("src/other", Kind::Filesystem);
    assert_eq!(
        machines.on_alpha(&["init", "src/other", "beta", "dst/a copy/inside"]),
        Exit::Failure
    );
    assert_eq!(names(&machines.beta, COPY), ["one", "one/deep"]);
}

#[test]
fn a_child_is_no_side_of_a_pairing_to_any_verb() {
    let machines = paired(&["one"]);
    for line in [
        vec!["clear", "-f", "src/a b/one"],
        vec!["changeconfig", "-f", "src/a b/one", "beta", "dst/a copy/one"],
        vec!["sentsync", "src/a b/one@zrep_000000"],
        vec!["sync", "src/a b/one"],
        vec!["failover", "src/a b/one"],
    ] {
        assert_eq!(machines.on_alpha(&line), Exit::Failure, "{line:?}");
    }
    assert_eq!(machines.on_beta(&["clear", "-f", "dst/a copy/one"]), Exit::Failure);
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_equal(&machines, &["one"]);
}

#[test]
fn recursion_is_agreed_upon_at_init() {
    let machines = tree(Policy::User, Policy::User, &["one"]);
    assert_eq!(machines.on_alpha(&["init", TOP, "beta", COPY]), Exit::Success);
    for line in [["-R", "sync", TOP], ["-R", "failover", TOP], ["expire", "-R", TOP]] {
        assert_eq!(machines.on_alpha(&line), Exit::Failure, "{line:?}");
    }
    machines.beta.create("dst/a copy/own", Kind::Filesystem);
    assert_eq!(machines.on_beta(&["-R", "takeover", "-L", COPY]), Exit::Success);
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Failure);
}

#[test]
fn a_tree_of_shell_zrep_is_adopted() {
    let machines = paired(&["one", "two"]);
    set(&machines.alpha, TOP, "zrep:recursive", None);
    set(&machines.beta, COPY, "zrep:recursive", None);
    grow(&machines.alpha, "src/a b/new");
    assert_eq!(machines.on_alpha(&["-R", "sync", TOP]), Exit::Success);
    assert_equal(&machines, &["one", "two", "new"]);
    let recursive = |host: &Fake, name: &str| state(host, name).unwrap().user["zrep:recursive"].value.clone();
    assert_eq!(
        (recursive(&machines.alpha, TOP), recursive(&machines.beta, COPY)),
        ("yes".into(), "yes".into())
    );
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_equal(&machines, &["one", "two", "new"]);
}

#[test]
fn a_tree_is_expired_as_a_whole() {
    let machines = paired(&["one"]);
    for _ in 0..4 {
        assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    }
    set(&machines.alpha, TOP, "zrep:savecount", Some("2"));
    set(&machines.beta, COPY, "zrep:savecount", Some("2"));
    assert_eq!(machines.on_alpha(&["expire", TOP]), Exit::Success);
    for (host, top) in [(&machines.alpha, TOP), (&machines.beta, COPY)] {
        for child in ["", "/one"] {
            assert_eq!(
                state(host, &format!("{top}{child}")).unwrap().snapshots.len(),
                2,
                "{top}{child}"
            );
        }
    }
}

#[test]
fn a_base_that_is_lost_on_one_child_is_a_refusal_of_that_child() {
    let machines = paired(&["one", "two"]);
    destroy_snapshots(&machines.alpha, "src/a b/one");
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Failure);
    assert_equal(&machines, &["two"]);
}
