use super::*;
use crate::model::notation::{me, request, state};

fn new_master() -> State {
    state("b/fs", "@zrep_000001=1! @zrep_000002=2! @zrep_000003=9")
        .master()
        .user("zrep:src-fs", "b/fs", Origin::Local)
        .user("zrep:dest-fs", "a/fs", Origin::Local)
        .user("zrep:dest-host", "here", Origin::Local)
        .user("zrep:epoch", "1", Origin::Local)
        .build()
}

fn lines(old: Option<State>, renamed: Option<State>) -> Vec<String> {
    let (name, aside) = (
        DatasetName::new("a/fs").unwrap(),
        DatasetName::new("a/fs_diverged_e1").unwrap(),
    );
    let scene = Scene {
        name: &name,
        old: old.as_ref(),
        aside: &aside,
        renamed: renamed.as_ref(),
        children: &[DatasetName::new("a/fs/child").unwrap()],
        new: &new_master(),
        below: &Below::default(),
    };
    plan(&me(), &scene, &request().locking).unwrap().lines()
}

fn fenced(name: &str, line: &str) -> State {
    state(name, line)
        .master()
        .user("zrep:fenced", "1", Origin::Local)
        .with(|state| {
            (state.readonly, state.readonly_origin) = (true, Origin::Local);
            state.written = 7;
        })
        .build()
}

#[test]
fn the_tail_is_kept_under_its_own_name_and_the_base_under_the_old_one() {
    let lines = lines(Some(fenced("a/fs", "@zrep_000001=1! @zrep_000002=2! @mine=5")), None);
    assert_eq!(
        lines[5..11],
        [
            "source: snapshot a/fs@diverged_e1",
            "-- point of no return --",
            "source: rename a/fs to a/fs_diverged_e1",
            "source: clone a/fs_diverged_e1@zrep_000002 as a/fs",
            "source: promote a/fs",
            "source: rename a/fs_diverged_e1/child to a/fs/child",
        ]
    );
    assert!(
        lines
            .iter()
            .all(|line| !line.contains("destroy") && !line.contains("roll back"))
    );
    assert!(lines.last().unwrap().ends_with("on a/fs_diverged_e1"));
}

#[test]
fn without_a_tail_it_only_steps_down() {
    let mut old = fenced("a/fs", "@zrep_000001=1! @zrep_000002=2!");
    old.written = 0;
    let lines = lines(Some(old), None);
    assert!(
        lines
            .iter()
            .all(|line| !line.contains("rename") && !line.contains("clone"))
    );
    assert!(lines.last().unwrap().contains("zrep:master inherited"));
}

/// A tree: `x` and what is below it have diverged, `late` was made behind the last sync.
fn tree(of: &str) -> Vec<State> {
    let named = |rest: &str, line: &str| {
        let written = |state: &mut State| state.written = 3;
        state(&format!("{of}/{rest}"), line).with(written).build()
    };
    vec![
        named("late", "@mine=30"),
        named("x", "@zrep_000001=10 @zrep_000002=11"),
        named("x/y", "@zrep_000002=20"),
    ]
}

fn tree_lines(old: Option<(State, Vec<State>)>, renamed: Option<State>) -> Vec<String> {
    let (name, aside) = (
        DatasetName::new("a/fs").unwrap(),
        DatasetName::new("a/fs_diverged_e1").unwrap(),
    );
    let (old, of_old) = old.unzip();
    let below = Below {
        old: of_old.unwrap_or_default(),
        renamed: renamed.iter().flat_map(|_| tree("a/fs_diverged_e1")).collect(),
        new: vec![
            state("b/fs/moved", "@zrep_000002=11").build(),
            state("b/fs/x/y", "@zrep_000002=20").build(),
        ],
    };
    let scene = Scene {
        name: &name,
        old: old.as_ref(),
        aside: &aside,
        renamed: renamed.as_ref(),
        children: &[],
        new: &new_master(),
        below: &below,
    };
    plan(&me(), &scene, &request().locking).unwrap().lines()
}

#[test]
fn a_tree_is_kept_aside_as_a_whole_and_what_the_new_master_has_grows_anew() {
    let old = fenced("a/fs", "@zrep_000001=1! @zrep_000002=2!");
    assert_eq!(
        tree_lines(Some((old, tree("a/fs"))), None)[5..26],
        [
            "source: snapshot a/fs@diverged_e1",
            "source: snapshot a/fs/late@diverged_e1",
            "source: snapshot a/fs/x@diverged_e1",
            "source: snapshot a/fs/x/y@diverged_e1",
            "source: unmount a/fs/x/y",
            "source: unmount a/fs/x",
            "source: unmount a/fs/late",
            "source: unmount a/fs",
            "-- point of no return --",
            "source: rename a/fs to a/fs_diverged_e1",
            "source: clone a/fs_diverged_e1@zrep_000002 as a/fs",
            "source: promote a/fs",
            "source: clone a/fs_diverged_e1/x@zrep_000002 as a/fs/x",
            "source: promote a/fs/x",
            "source: clone a/fs_diverged_e1/x/y@zrep_000002 as a/fs/x/y",
            "source: promote a/fs/x/y",
            "source: set readonly=on zrep:src-fs=b/fs zrep:src-host=here zrep:dest-fs=a/fs zrep:dest-host=here zrep:epoch=1 zrep:savecount=3 on a/fs",
            "source: set canmount=noauto on a/fs_diverged_e1",
            "source: set canmount=noauto on a/fs_diverged_e1/late",
            "source: set canmount=noauto on a/fs_diverged_e1/x",
            "source: set canmount=noauto on a/fs_diverged_e1/x/y",
        ]
    );
}

#[test]
fn names_that_would_become_too_long_are_refused_before_anything_is_done() {
    let (name, aside) = (
        DatasetName::new("a/fs").unwrap(),
        DatasetName::new("a/fs_diverged_e1").unwrap(),
    );
    let old = fenced("a/fs", "@zrep_000001=1! @zrep_000002=2!");
    let long = format!("a/fs/{}", "x".repeat(245));
    let of_old = |name: &str, line: &str| Below {
        old: vec![state(name, line).build()],
        ..Below::default()
    };
    let snapshot = format!("@{}=1", "s".repeat(245));
    for below in [of_old(&long, ""), of_old("a/fs/x", &snapshot)] {
        let scene = Scene {
            name: &name,
            old: Some(&old),
            aside: &aside,
            renamed: None,
            children: &[],
            new: &new_master(),
            below: &below,
        };
        let refused = plan(&me(), &scene, &request().locking).unwrap_err();
        assert!(matches!(refused.why, Why::BadChildName { .. }), "{refused}");
    }
}

#[test]
fn a_tree_that_was_cut_off_is_gone_on_with_where_it_stopped() {
    let renamed = || Some(fenced("a/fs_diverged_e1", "@zrep_000001=1! @zrep_000002=2!"));
    let first = |of_old: Option<(State, Vec<State>)>| first_deed(&tree_lines(of_old, renamed()));
    let top = || state("a/fs", "@zrep_000002=2").replica().build();
    let promoted = || state("a/fs/x", "@zrep_000002=11").build();
    let clone = |name: &str| state(name, "").build();
    for (there, expected) in [
        (None, "source: clone a/fs_diverged_e1@zrep_000002 as a/fs"),
        (Some((clone("a/fs"), vec![])), "source: promote a/fs"),
        (
            Some((top(), vec![])),
            "source: clone a/fs_diverged_e1/x@zrep_000002 as a/fs/x",
        ),
        (Some((top(), vec![clone("a/fs/x")])), "source: promote a/fs/x"),
        (
            Some((top(), vec![promoted()])),
            "source: clone a/fs_diverged_e1/x/y@zrep_000002 as a/fs/x/y",
        ),
        (
            Some((top(), vec![promoted(), clone("a/fs/x/y")])),
            "source: promote a/fs/x/y",
        ),
    ] {
        assert_eq!(first(there), expected);
    }
}

/// The first thing that is done to a dataset, behind the lock and the unmounting.
fn first_deed(lines: &[String]) -> String {
    let is_deed = |line: &&String| line.contains("clone ") || line.contains("promote ") || line.contains("readonly=on");
    lines.iter().find(is_deed).cloned().unwrap_or_default()
}

#[test]
fn what_was_cut_off_is_gone_on_with() {
    let renamed = || fenced("a/fs_diverged_e1", "@zrep_000001=1! @zrep_000002=2!");
    let going_on = lines(None, Some(renamed()));
    assert_eq!(
        going_on[..3],
        [
            "source: expect no zrep:lock-pid on a/fs_diverged_e1",
            "source: set zrep:lock-pid=42 zrep:lock-time=20261122180000 on a/fs_diverged_e1",
            "-- point of no return --",
        ]
    );
    assert_eq!(
        first_deed(&going_on),
        "source: clone a/fs_diverged_e1@zrep_000002 as a/fs"
    );
    let clone = state("a/fs", "").build();
    assert_eq!(first_deed(&lines(Some(clone), Some(renamed()))), "source: promote a/fs");
}

#[test]
fn the_top_of_a_tree_that_is_a_replica_already_is_not_made_one_again() {
    let renamed = || Some(fenced("a/fs_diverged_e1", "@mine=30"));
    let promoted = |role: bool| {
        let top = state("a/fs", "@zrep_000001=1! @zrep_000002=2!");
        if role { top.replica() } else { top }.build()
    };
    let sets_role = |top| {
        let lines = tree_lines(Some((top, Vec::new())), renamed());
        lines.iter().any(|line| line.contains("readonly=on"))
    };
    assert!(sets_role(promoted(false)));
    assert!(!sets_role(promoted(true)));
}

#[test]
fn who_becomes_the_master_in_the_meantime_is_not_set_aside() {
    let old = fenced("a/fs", "@zrep_000001=1! @zrep_000002=2!");
    let expected = [
        "source: expect zrep:master=yes on a/fs",
        "source: expect no zrep:epoch on a/fs",
        "source: expect no zrep:intent on a/fs",
    ];
    assert_eq!(lines(Some(old.clone()), None)[..3], expected);
    let without_tail = State { written: 0, ..old };
    assert_eq!(lines(Some(without_tail), None)[..3], expected);
}

#[test]
fn a_lock_that_marks_what_was_cut_off_is_put_back_if_nothing_comes_of_it() {
    let (name, aside) = (
        DatasetName::new("a/fs").unwrap(),
        DatasetName::new("a/fs_diverged_e1").unwrap(),
    );
    let renamed = state("a/fs_diverged_e1", "@zrep_000002=2")
        .master()
        .user("zrep:lock-pid", "41", Origin::Local)
        .build();
    let scene = Scene {
        name: &name,
        old: None,
        aside: &aside,
        renamed: Some(&renamed),
        children: &[],
        new: &new_master(),
        below: &Below::default(),
    };
    let Locking::Take { holder, .. } = request().locking else {
        panic!("it takes its lock")
    };
    let seen = lock::Seen::Dead;
    let plan = plan(&me(), &scene, &Locking::Take { holder, seen }).unwrap();
    let on = Object::Dataset(aside.clone());
    assert_eq!(plan.value_before(&on, "zrep:lock-pid"), Some("41".to_owned()));
}

#[test]
fn nobody_may_go_on_with_what_another_one_goes_on_with() {
    let (name, aside) = (
        DatasetName::new("a/fs").unwrap(),
        DatasetName::new("a/fs_diverged_e1").unwrap(),
    );
    let renamed = state("a/fs_diverged_e1", "@zrep_000002=2")
        .master()
        .user("zrep:lock-pid", "41", Origin::Local)
        .build();
    let scene = Scene {
        name: &name,
        old: None,
        aside: &aside,
        renamed: Some(&renamed),
        children: &[],
        new: &new_master(),
        below: &Below::default(),
    };
    let Locking::Take { holder, .. } = request().locking else {
        panic!("it takes its lock")
    };
    let seen = lock::Seen::Alive { command: None };
    let refused = plan(&me(), &scene, &Locking::Take { holder, seen }).unwrap_err();
    assert!(matches!(refused.why, Why::Locked { .. }), "{refused}");
}

#[test]
fn what_the_new_master_has_begun_in_an_old_place_is_left_to_it() {
    let renamed = || Some(fenced("a/fs_diverged_e1", "@mine=30"));
    let top = || state("a/fs", "@zrep_000002=2").replica().build();
    let begun = state("a/fs/x", "").with(|state| state.inconsistent = true).build();
    let going_on = tree_lines(Some((top(), vec![begun])), renamed());
    assert!(
        going_on.iter().all(|line| !line.ends_with("promote a/fs/x")),
        "{going_on:#?}"
    );
}

#[test]
fn a_child_begins_anew_with_the_newest_that_any_of_the_new_masters_has() {
    let (name, aside) = (
        DatasetName::new("a/fs").unwrap(),
        DatasetName::new("a/fs_diverged_e1").unwrap(),
    );
    let old = fenced("a/fs", "@zrep_000001=1! @zrep_000002=2!");
    let below = Below {
        old: vec![state("a/fs/x", "@zrep_000001=10 @zrep_000002=11").build()],
        renamed: Vec::new(),
        // A clone of an old state comes first.
        new: vec![
            state("b/fs/clone", "@zrep_000001=10").build(),
            state("b/fs/x", "@zrep_000001=10 @zrep_000002=11").build(),
        ],
    };
    let scene = Scene {
        name: &name,
        old: Some(&old),
        aside: &aside,
        renamed: None,
        children: &[],
        new: &new_master(),
        below: &below,
    };
    let lines = plan(&me(), &scene, &request().locking).unwrap().lines();
    let expected = "source: clone a/fs_diverged_e1/x@zrep_000002 as a/fs/x".to_owned();
    assert!(lines.contains(&expected), "{lines:#?}");
}

#[test]
fn what_would_lose_its_place_is_named_before_anything_is_done() {
    let (name, aside) = (
        DatasetName::new("a/fs").unwrap(),
        DatasetName::new("a/fs_diverged_e1").unwrap(),
    );
    let old = fenced("a/fs", "@zrep_000001=1! @zrep_000002=2!");
    let late = |top: &str| vec![state(&format!("{top}/late"), "@mine=30").build()];
    let below = Below {
        old: late("a/fs"),
        ..Below::default()
    };
    let nested = [DatasetName::new("a/fs/late/nested").unwrap()];
    let scene = Scene {
        name: &name,
        old: Some(&old),
        aside: &aside,
        renamed: None,
        children: &nested,
        new: &new_master(),
        below: &below,
    };
    let refused = plan(&me(), &scene, &request().locking).unwrap_err();
    assert_eq!(
        (refused.dataset.as_str(), refused.why),
        ("a/fs/late/nested", Why::LosesItsParent)
    );
    // Behind the renaming there is no way back: it stays, and that is said.
    let renamed = fenced("a/fs_diverged_e1", "@zrep_000001=1! @zrep_000002=2!");
    let nested = [DatasetName::new("a/fs_diverged_e1/late/nested").unwrap()];
    let below = Below {
        renamed: late("a/fs_diverged_e1"),
        ..Below::default()
    };
    let scene = Scene {
        old: None,
        renamed: Some(&renamed),
        children: &nested,
        below: &below,
        ..scene
    };
    let plan = plan(&me(), &scene, &request().locking).unwrap();
    assert!(
        plan.notes
            .iter()
            .any(|note| note.starts_with("a/fs_diverged_e1/late/nested stays")),
        "{:?}",
        plan.notes
    );
    assert!(plan.lines().iter().all(|line| !line.contains("rename")));
}
