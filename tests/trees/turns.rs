//! Trees whose roles are turned.

use zrep::exit::Exit;
use zrep::host::fake::Fake;
use zrep::model::Origin;
use zrep::policy::{Grant, Policy};

use crate::support::Machines;

use crate::grown::{COPY, TOP, assert_equal, grow, init, names, paired, rename, set, snapshot, state, tree};

#[test]
fn a_tree_is_turned_and_turned_back_without_a_full_stream() {
    let machines = paired(&["one", "one/deep", "vol"]);
    machines.alpha.write("src/a b/one", b"the last");
    let guids = |host: &Fake, top: &str| -> Vec<_> {
        ["", "/one", "/one/deep", "/vol"]
            .map(|child| state(host, &format!("{top}{child}")).unwrap().guid)
            .to_vec()
    };
    let (alpha, beta) = (guids(&machines.alpha, TOP), guids(&machines.beta, COPY));
    assert_eq!(machines.on_alpha(&["failover", TOP]), Exit::Success);
    assert_equal(&machines, &["one", "one/deep", "vol"]);
    for (host, top, readonly) in [(&machines.alpha, TOP, true), (&machines.beta, COPY, false)] {
        for child in ["", "/one", "/one/deep", "/vol"] {
            assert_eq!(
                state(host, &format!("{top}{child}")).unwrap().readonly,
                readonly,
                "{top}{child}"
            );
        }
    }
    machines.beta.write("dst/a copy/one", b"on the other side");
    assert_eq!(machines.on_beta(&["sync", COPY]), Exit::Success);
    assert_equal(&machines, &["one", "one/deep", "vol"]);
    assert_eq!(machines.on_alpha(&["takeover", TOP]), Exit::Success);
    machines.alpha.write("src/a b/one/deep", b"back");
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_equal(&machines, &["one", "one/deep", "vol"]);
    assert_eq!(
        (guids(&machines.alpha, TOP), guids(&machines.beta, COPY)),
        (alpha, beta)
    );
}

#[test]
fn a_failover_is_not_begun_with_a_child_that_cannot_be_brought_over() {
    let machines = paired(&["one", "two"]);
    snapshot(&machines.beta, "dst/a copy/one@mine");
    assert_eq!(machines.on_alpha(&["failover", TOP]), Exit::Failure);
    let top = state(&machines.alpha, TOP).unwrap();
    assert_eq!(
        (
            top.readonly,
            top.user.contains_key("zrep:lock-pid"),
            top.user.contains_key("zrep:intent")
        ),
        (false, false, false)
    );
}

#[test]
fn a_failover_whose_child_does_not_arrive_gives_the_tree_back_as_it_was() {
    let machines = paired(&["one", "two"]);
    // Seen only by the one that receives.
    machines.beta.write("dst/a copy/two", b"busy");
    let own = || {
        let one = state(&machines.alpha, "src/a b/one").unwrap();
        (one.readonly, one.readonly_origin)
    };
    set(&machines.alpha, "src/a b/one", "readonly", Some("off"));
    assert_eq!(machines.on_alpha(&["failover", TOP]), Exit::Failure);
    assert_eq!(own(), (false, Origin::Local));
    for child in ["", "/one", "/two"] {
        assert!(
            !state(&machines.alpha, &format!("{TOP}{child}")).unwrap().readonly,
            "{child}"
        );
    }
    let top = state(&machines.alpha, TOP).unwrap();
    assert_eq!(
        (
            top.user["zrep:master"].value.as_str(),
            top.user.contains_key("zrep:intent")
        ),
        ("yes", false)
    );
    assert_eq!(machines.on_alpha(&["sync", "-f", TOP]), Exit::Success);
    assert_eq!(machines.on_alpha(&["failover", TOP]), Exit::Success);
    assert_equal(&machines, &["one", "two"]);
    assert_eq!(own(), (true, Origin::Inherited));
}

#[test]
fn a_takeover_alone_makes_a_snapshot_of_each_and_the_old_tree_follows() {
    let machines = paired(&["one", "two"]);
    assert_eq!(machines.on_beta(&["takeover", "-L", COPY]), Exit::Success);
    for child in ["", "/one", "/two"] {
        let state = state(&machines.beta, &format!("{COPY}{child}")).unwrap();
        assert_eq!((state.readonly, state.snapshots.len()), (false, 2), "{child}");
    }
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Failure);
    for child in ["", "/one", "/two"] {
        assert!(
            state(&machines.alpha, &format!("{TOP}{child}")).unwrap().readonly,
            "{child}"
        );
    }
    assert_eq!(machines.on_alpha(&["rejoin", TOP]), Exit::Success);
    assert_equal(&machines, &["one", "two"]);
}

#[test]
fn a_tree_that_has_something_of_its_own_is_kept_aside_as_a_whole() {
    let machines = paired(&["one", "two", "two/deep"]);
    machines.alpha.write("src/a b/two", b"only here");
    grow(&machines.alpha, "src/a b/late");
    assert_eq!(machines.on_beta(&["takeover", "-L", COPY]), Exit::Success);
    rename(&machines.beta, "dst/a copy/two", "dst/a copy/moved");
    machines.beta.write("dst/a copy/moved/deep", b"by the new master");
    assert_eq!(machines.on_alpha(&["rejoin", TOP]), Exit::Success);
    assert_equal(&machines, &["one", "moved", "moved/deep"]);
    let aside = "src/a b_diverged_e1";
    assert!(
        machines
            .alpha
            .read(&format!("{aside}/two"))
            .unwrap()
            .ends_with(b"only here")
    );
    assert_eq!(names(&machines.alpha, aside), ["late", "one", "two", "two/deep"]);
    assert_eq!(names(&machines.alpha, TOP), ["moved", "moved/deep", "one"]);
    let kept = state(&machines.alpha, aside).unwrap();
    assert!(
        kept.user.keys().all(|name| !name.starts_with("zrep:")),
        "{:?}",
        kept.user
    );
    let replica = state(&machines.alpha, TOP).unwrap();
    assert_eq!(replica.user["zrep:recursive"].value, "yes");
    assert!(replica.readonly);
    assert_eq!(machines.on_beta(&["failover", COPY]), Exit::Success);
    assert_equal(&machines, &["one", "moved", "moved/deep"]);
}

#[test]
fn a_replica_that_keeps_what_its_master_has_destroyed_is_not_set_aside() {
    let machines = paired(&["one", "two"]);
    assert_eq!(machines.on_alpha(&["failover", TOP]), Exit::Success);
    machines.beta.destroy("dst/a copy/two");
    assert_eq!(machines.on_beta(&["sync", COPY]), Exit::Success);
    assert_eq!(machines.on_alpha(&["rejoin", TOP]), Exit::Success);
    assert_eq!(names(&machines.alpha, "src"), ["a b", "a b/one", "a b/two"]);
    assert_equal(&machines, &["one"]);
}

#[test]
fn a_replica_that_has_gone_a_way_of_its_own_is_set_aside() {
    let machines = paired(&["one", "two"]);
    assert_eq!(machines.on_alpha(&["failover", TOP]), Exit::Success);
    snapshot(&machines.alpha, "src/a b/two@mine");
    machines.beta.write("dst/a copy/two", b"more");
    assert_eq!(machines.on_beta(&["sync", COPY]), Exit::Failure);
    assert_eq!(machines.on_alpha(&["rejoin", TOP]), Exit::Success);
    assert_equal(&machines, &["one", "two"]);
    let kept = state(&machines.alpha, "src/a b_diverged_e1/two").unwrap();
    assert!(kept.snapshots.iter().any(|found| found.name == "mine"));
}

#[test]
fn what_receives_for_another_tag_keeps_its_name_when_a_tree_is_set_aside() {
    let machines = paired(&["one"]);
    grow(&machines.alpha, "src/a b/inbox");
    set(
        &machines.alpha,
        "src/a b/inbox",
        "zrep:x:dest-fs",
        Some("src/a b/inbox"),
    );
    machines.alpha.write("src/a b/one", b"only here");
    assert_eq!(machines.on_beta(&["takeover", "-L", COPY]), Exit::Success);
    assert_eq!(machines.on_alpha(&["rejoin", TOP]), Exit::Success);
    assert_eq!(names(&machines.alpha, TOP), ["inbox", "one"]);
    assert_eq!(names(&machines.alpha, "src/a b_diverged_e1"), ["one"]);
}

#[test]
fn a_sync_waits_for_a_top_that_is_no_replica_yet() {
    let machines = paired(&["one"]);
    assert_eq!(machines.on_alpha(&["failover", TOP]), Exit::Success);
    let pair = state(&machines.alpha, TOP).unwrap().user;
    let has_pair = |there: bool| {
        for key in ["src-fs", "src-host", "dest-fs", "dest-host"].map(|key| format!("zrep:{key}")) {
            set(
                &machines.alpha,
                TOP,
                &key,
                pair.get(&key).filter(|_| there).map(|found| found.value.as_str()),
            );
        }
    };
    // As a rejoin has it whose tree has not grown to its end.
    has_pair(false);
    grow(&machines.beta, "dst/a copy/two");
    assert_eq!(machines.on_beta(&["sync", COPY]), Exit::Failure);
    assert_eq!(names(&machines.alpha, TOP), ["one"]);
    has_pair(true);
    assert_eq!(machines.on_beta(&["sync", COPY]), Exit::Success);
    assert_equal(&machines, &["one", "two"]);
}

#[test]
fn a_tree_does_not_rejoin_a_master_of_one_dataset() {
    let machines = paired(&["one"]);
    machines.alpha.write("src/a b/one", b"only here");
    assert_eq!(machines.on_beta(&["takeover", "-L", COPY]), Exit::Success);
    set(&machines.beta, COPY, "zrep:recursive", None);
    assert_eq!(machines.on_alpha(&["rejoin", TOP]), Exit::Failure);
    assert_eq!(names(&machines.alpha, "src"), ["a b", "a b/one"]);
}

#[test]
fn a_peer_with_rules_replicates_a_tree_and_turns_it() {
    let only = |text: &str| Policy::Only {
        source: "a test".into(),
        grants: vec![Grant::parse(text).unwrap()],
    };
    let machines = tree(
        only("src/a b:send:control"),
        only("dst/a copy:receive:control"),
        &["one", "one/deep"],
    );
    assert_eq!(init(&machines), Exit::Success);
    for round in 0..7 {
        machines.alpha.write("src/a b/one/deep", format!("{round}").as_bytes());
        assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
        assert_eq!(machines.on_beta(&["refresh", COPY]), Exit::Success);
    }
    assert_equal(&machines, &["one", "one/deep"]);
    for (host, top) in [(&machines.alpha, TOP), (&machines.beta, COPY)] {
        assert_eq!(
            state(host, &format!("{top}/one/deep")).unwrap().snapshots.len(),
            5,
            "{top}"
        );
    }
    rename(&machines.alpha, "src/a b/one", "src/a b/two");
    grow(&machines.alpha, "src/a b/three");
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    assert_equal(&machines, &["two", "two/deep", "three"]);
    assert_eq!(machines.on_alpha(&["failover", TOP]), Exit::Success);
    assert!(!state(&machines.beta, "dst/a copy/three").unwrap().readonly);
    assert_equal(&machines, &["two", "two/deep", "three"]);
}

#[test]
fn a_peer_cannot_write_into_a_tree_that_has_become_the_master() {
    let only = |text: &str| Policy::Only {
        source: "a test".into(),
        grants: vec![Grant::parse(text).unwrap()],
    };
    let machines = tree(Policy::User, only("dst/a copy:receive"), &["one"]);
    assert_eq!(init(&machines), Exit::Success);
    let pair =
        |machines: &Machines| [TOP, "src/a b/one"].map(|name| state(&machines.alpha, name).unwrap().snapshots.len());
    let before = pair(&machines);
    assert_eq!(machines.on_beta(&["takeover", "-L", COPY]), Exit::Success);
    let there = names(&machines.beta, COPY);
    grow(&machines.alpha, "src/a b/new");
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Failure);
    assert_eq!((pair(&machines), names(&machines.beta, COPY)), (before, there));
}

#[test]
fn a_pairing_that_is_recursive_on_one_side_only_is_refused_until_it_is_so_on_both() {
    let machines = paired(&["one"]);
    set(&machines.alpha, TOP, "zrep:recursive", None);
    for line in [["sync", TOP], ["failover", TOP]] {
        assert_eq!(machines.on_alpha(&line), Exit::Failure, "{line:?}");
    }
    assert_eq!(machines.on_alpha(&["-R", "sync", TOP]), Exit::Success);
    set(&machines.beta, COPY, "zrep:recursive", None);
    assert_eq!(machines.on_alpha(&["failover", TOP]), Exit::Failure);
    // What this machine sends, it says itself.
    assert_eq!(machines.on_alpha(&["sync", TOP]), Exit::Success);
    machines.alpha.write("src/a b/one", b"more");
    assert_eq!(machines.on_alpha(&["failover", TOP]), Exit::Success);
    assert_equal(&machines, &["one"]);
}
