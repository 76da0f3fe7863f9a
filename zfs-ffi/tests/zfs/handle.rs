//! `Handle` and `Dataset`.

use std::fs;

use zfs_ffi::{DatasetName, DatasetType, Handle, Kind, PropertyValue, Source};

use crate::lab::{Lab, failed};

#[test]
fn datasets_are_opened_by_name() {
    let Some(lab) = Lab::new("open") else { return };
    let a = lab.filesystem("a a");
    let one = lab.snapshot(&a, "1");
    let open = lab.handle.dataset(&a).expect("open");
    assert_eq!((open.name(), open.kind()), (a.as_str(), DatasetType::Filesystem));
    let open = lab.handle.snapshot(&one).expect("open");
    assert_eq!((open.name(), open.kind()), (one.as_str(), DatasetType::Snapshot));

    let error = failed(lab.handle.dataset(&lab.name("none")));
    assert_eq!(error.kind(), Kind::NotFound);
    assert_eq!(error.subject(), lab.name("none").as_str());
    let none = DatasetName::new("no such pool/x").expect("a valid name");
    assert_eq!(failed(lab.handle.dataset(&none)).kind(), Kind::NotFound);
}

#[test]
fn a_handle_works_on_another_thread() {
    let Some(lab) = Lab::new("thread") else { return };
    let handle = Handle::open().expect("several handles are fine");
    let name = lab.root.clone();
    let kind = std::thread::spawn(move || handle.dataset(&name).map(|dataset| dataset.kind()));
    assert_eq!(kind.join().expect("no panic").expect("open"), DatasetType::Filesystem);
}

#[test]
fn children_roots_and_snapshots_are_listed() {
    let Some(lab) = Lab::new("list") else { return };
    let pool = DatasetName::new(lab.root.pool()).expect("a valid name");
    assert!(lab.handle.roots().expect("list").contains(&pool));
    let (a, b) = (lab.filesystem("a"), lab.filesystem("b b"));
    lab.filesystem("b b/c");
    let mut children = lab.handle.dataset(&lab.root).expect("open").children().expect("list");
    children.sort();
    assert_eq!(children, [a.clone(), b], "direct ones only");

    let open = lab.handle.dataset(&a).expect("open");
    assert_eq!(open.snapshots().expect("list"), []);
    let names = ["z", "a", "m m"].map(|short| lab.snapshot(&a, short));
    let snapshots = open.snapshots().expect("list");
    let listed: Vec<_> = snapshots.iter().map(|snapshot| snapshot.name.clone()).collect();
    assert_eq!(listed, names, "oldest first");
    assert!(snapshots.is_sorted_by_key(|snapshot| snapshot.createtxg));
    assert_eq!(snapshots[0].guid, lab.guid(&names[0]));
    assert!(snapshots[0].creation > 1_600_000_000);
}

#[test]
fn properties_are_set_inherited_and_read() {
    let Some(lab) = Lab::new("properties") else { return };
    let a = lab.filesystem("a");
    let b = lab.filesystem("a/b");
    let open = lab.handle.dataset(&a).expect("open");
    open.set(&[("readonly", "on"), ("x:y", "text with spaces, ü"), ("x:empty", "")])
        .expect("set");
    let mut below = lab.handle.dataset(&b).expect("open");

    let all = lab.handle.dataset(&a).expect("open").properties().expect("read");
    assert_eq!(all.u64("readonly"), Some(1));
    assert_eq!(all.get("readonly").expect("it is set").source, Source::Local);
    assert_eq!(all.str("x:y"), Some("text with spaces, ü"));
    assert_eq!(all.str("x:empty"), Some(""));
    assert_eq!(all.get("guid").expect("a statistic").source, Source::None);

    let inherited = below.user_properties().expect("read");
    let inherited = inherited.get("x:y").expect("it is inherited");
    assert_eq!(inherited.source, Source::InheritedFrom(a.as_str().to_owned()));
    let readonly = below.property("readonly").expect("read").expect("every dataset has it");
    assert_eq!(readonly.value, PropertyValue::String("on".to_owned()));
    assert_eq!(readonly.source, Source::InheritedFrom(a.as_str().to_owned()));
    let copies = below
        .property("copies")
        .expect("read")
        .expect("every filesystem has it");
    assert_eq!(copies.source, Source::Default);
    assert_eq!(below.property("no such property").expect("read"), None);

    open.inherit("x:y", false).expect("inherit");
    open.inherit("readonly", false).expect("inherit");
    assert!(
        below.user_properties().expect("read").get("x:y").is_some(),
        "as it was when opened"
    );
    below.refresh();
    assert!(below.user_properties().expect("read").get("x:y").is_none());
    assert_eq!(below.properties().expect("read").u64("readonly").unwrap_or_default(), 0);
}

#[test]
fn a_refused_property_is_explained_by_libzfs() {
    let Some(lab) = Lab::new("bad property") else { return };
    let a = lab.filesystem("a");
    let open = lab.handle.dataset(&a).expect("open");
    let error = failed(open.set(&[("readonly", "perhaps")]));
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().contains("readonly"), "{error}");
    let error = failed(open.set(&[("guid", "1")]));
    assert_eq!(error.kind(), Kind::Invalid);
    let error = failed(open.set(&[("no such", "1")]));
    assert_eq!(error.kind(), Kind::Invalid);
}

#[test]
fn a_filesystem_is_mounted_and_unmounted() {
    let Some(lab) = Lab::new("mount") else { return };
    let a = lab.filesystem("a");
    let open = lab.handle.dataset(&a).expect("open");
    open.mount().expect("nothing to do without a mountpoint");
    assert_eq!(open.is_mounted(), None);

    let place = lab.mountpoint(&a);
    let text = place.to_str().expect("a path in ASCII");
    open.set(&[("mountpoint", text), ("canmount", "noauto")]).expect("set");
    let open = lab.handle.dataset(&a).expect("open");
    open.mount().expect("mount");
    assert_eq!(open.is_mounted(), Some(place.clone()));
    let file = fs::File::create(place.join("open file")).expect("create");
    failed(open.unmount(false));
    drop(file);
    open.unmount(false).expect("unmount");
    assert_eq!(open.is_mounted(), None);
}

/// `libzfs` remounts, which fails while a file is open for writing, after it has set the property.
#[test]
fn readonly_is_set_although_libzfs_says_it_failed() {
    let Some(lab) = Lab::new("readonly") else { return };
    let a = lab.filesystem("a");
    let place = lab.mountpoint(&a);
    let text = place.to_str().expect("a path in ASCII");
    lab.handle
        .dataset(&a)
        .expect("open")
        .set(&[("mountpoint", text)])
        .expect("set");
    let open = lab.handle.dataset(&a).expect("open");
    if open.is_mounted().is_none() {
        open.mount().expect("mount");
    }
    let file = fs::File::create(place.join("open file")).expect("create");
    let result = open.set(&[("readonly", "on")]);
    eprintln!("with a file open for writing: {result:?}");
    let all = lab.handle.dataset(&a).expect("open").properties().expect("read");
    assert_eq!(all.u64("readonly"), Some(1));
    drop(file);
    open.unmount(true).expect("unmount");
}

#[test]
fn written_bytes_are_counted_from_a_snapshot() {
    let Some(lab) = Lab::new("written") else { return };
    let a = lab.filesystem("a");
    lab.snapshot(&a, "1");
    lab.write(&a, "file", 1 << 20);
    lab.core.wait_synced(lab.root.pool()).expect("sync");
    let open = lab.handle.dataset(&a).expect("open");
    let written = open.written_since("1").expect("read");
    assert!(written >= 1 << 20, "{written}");
    assert_eq!(failed(open.written_since("none")).kind(), Kind::NotFound);
}
