//! Two machines with a tree, and what is asked of them.

use zfs_ffi::{DatasetName, SnapshotName};
use zrep::exit::Exit;
use zrep::host::Host;
use zrep::host::fake::Fake;
use zrep::model::{Kind, State};
use zrep::plan::{Action, IfHeld, Object};
use zrep::policy::Policy;

use crate::support::Machines;

pub(super) const TOP: &str = "src/a b";
pub(super) const COPY: &str = "dst/a copy";

/// A tree of a top and of these below it, each with data of its own.
pub(super) fn tree(of_alpha: Policy, of_beta: Policy, below: &[&str]) -> Machines {
    let machines = Machines::new(of_alpha, of_beta);
    machines.alpha.write(TOP, b"top");
    for name in below {
        grow(&machines.alpha, &format!("{TOP}/{name}"));
    }
    machines
}

pub(super) fn grow(host: &Fake, name: &str) {
    let kind = if name.contains("vol") {
        Kind::Volume
    } else {
        Kind::Filesystem
    };
    host.create(name, kind);
    host.write(name, name.as_bytes());
}

pub(super) fn paired(below: &[&str]) -> Machines {
    let machines = tree(Policy::User, Policy::User, below);
    assert_eq!(init(&machines), Exit::Success);
    machines
}

pub(super) fn init(machines: &Machines) -> Exit {
    machines.on_alpha(&["-R", "init", TOP, "beta", COPY])
}

pub(super) fn state(host: &Fake, name: &str) -> Option<State> {
    host.observe(&DatasetName::new(name).unwrap()).unwrap()
}

pub(super) fn names(host: &Fake, top: &str) -> Vec<String> {
    let below = host.observe_below(&DatasetName::new(top).unwrap()).unwrap();
    below
        .iter()
        .map(|state| state.name.as_str()[top.len() + 1..].to_owned())
        .collect()
}

/// What is below both, with the same data and the same newest snapshot.
pub(super) fn is_equal(machines: &Machines, child: &str) -> bool {
    let (one, other) = (format!("{TOP}{child}"), format!("{COPY}{child}"));
    let newest = |host: &Fake, name: &str| {
        state(host, name).and_then(|state| state.newest().map(|newest| (newest.guid, newest.name.clone())))
    };
    machines.alpha.read(&one) == machines.beta.read(&other)
        && newest(&machines.alpha, &one) == newest(&machines.beta, &other)
}

pub(super) fn assert_equal(machines: &Machines, children: &[&str]) {
    assert!(is_equal(machines, ""), "the tops differ");
    for child in children {
        assert!(is_equal(machines, &format!("/{child}")), "{child} differs");
    }
}

pub(super) fn rename(host: &Fake, from: &str, to: &str) {
    let (from, to) = (DatasetName::new(from).unwrap(), DatasetName::new(to).unwrap());
    host.apply(&[Action::Rename { from, to }]).unwrap();
}

pub(super) fn snapshot(host: &Fake, name: &str) {
    host.apply(&[Action::Snapshot(SnapshotName::new(name).unwrap())])
        .unwrap();
}

pub(super) fn set(host: &Fake, name: &str, property: &str, value: Option<&str>) {
    let on = Object::Dataset(DatasetName::new(name).unwrap());
    let properties = vec![(property.to_owned(), value.map(str::to_owned))];
    host.apply(&[Action::Set { on, properties }]).unwrap();
}

pub(super) fn destroy_snapshots(host: &Fake, name: &str) {
    for found in state(host, name).unwrap().snapshots {
        let snapshot = DatasetName::new(name).unwrap().snapshot(&found.name).unwrap();
        host.apply(&[Action::Destroy {
            snapshot,
            guid: found.guid,
            if_held: IfHeld::Fail,
        }])
        .unwrap();
    }
}
