use super::*;

/// `None` if the name is accepted, or a part of the reason why not.
type Expected = Option<&'static str>;

fn check_table<T>(new: fn(&str) -> Result<T, NameError>, table: &[(&str, Expected)]) {
    for (name, expected) in table {
        match (new(name), expected) {
            (Ok(_), None) => {}
            (Ok(_), Some(reason)) => panic!("{name:?} was accepted, but: {reason}"),
            (Err(error), None) => panic!("refused: {error}"),
            (Err(error), Some(reason)) => {
                assert!(error.reason().contains(reason), "{error}, expected {reason:?}");
            }
        }
    }
}

#[test]
fn dataset_names() {
    check_table(
        DatasetName::new,
        &[
            ("tank", None),
            ("Tank/a b/c-d_e.f:g", None),
            ("tank/0", None),
            ("tank/...", None),
            ("tank/ ", None),
            ("", Some("at least one character")),
            ("0tank", Some("begins with a letter")),
            (" tank/a", Some("begins with a letter")),
            ("/tank", Some("empty component")),
            ("tank/", Some("empty component")),
            ("tank//a", Some("empty component")),
            ("tank/.", Some(r#""." and "..""#)),
            ("../x", Some(r#""." and "..""#)),
            ("tank/../x", Some(r#""." and "..""#)),
            ("tank/%recv", Some("belong to ZFS")),
            ("tank/$ORIGIN", Some("belong to ZFS")),
            ("tank/übung", Some("'ü' is not allowed")),
            ("tank/a;b", Some("';' is not allowed")),
            ("tank/a\nb", Some(r"'\n' is not allowed")),
            ("tank/a\0b", Some(r"'\0' is not allowed")),
            ("tank/a,b", Some("',' is not allowed")),
            ("tank@1", Some("without @ and #")),
            ("tank/a#1", Some("without @ and #")),
        ],
    );
}

#[test]
fn snapshot_names() {
    check_table(
        SnapshotName::new,
        &[
            ("tank@1", None),
            ("tank/a b@c d_2026-11-22T20:00:00.5", None),
            ("tank", Some("expected dataset@snapshot")),
            ("tank#1", Some("expected dataset@snapshot")),
            ("tank@", Some("empty component")),
            ("@1", Some("empty component")),
            ("tank@1@2", Some("expected dataset@snapshot")),
            ("tank@1#2", Some("expected dataset@snapshot")),
            ("tank#1@2", Some("expected dataset@snapshot")),
            ("tank@1/a", Some("expected dataset@snapshot")),
            ("tank@..", Some(r#""." and "..""#)),
            ("tank@%x", Some("belong to ZFS")),
            ("tank/@1", Some("empty component")),
            ("tank@ä", Some("'ä' is not allowed")),
        ],
    );
}

#[test]
fn bookmark_names() {
    check_table(
        BookmarkName::new,
        &[
            ("tank#1", None),
            ("tank/a b#c d", None),
            ("tank@1", Some("expected dataset#bookmark")),
            ("tank#1#2", Some("expected dataset#bookmark")),
            ("tank#", Some("empty component")),
        ],
    );
}

#[test]
fn a_name_has_at_most_255_bytes() {
    let longest = format!("tank/{}", "a".repeat(250));
    assert_eq!(longest.len(), 255);
    assert!(DatasetName::new(&longest).is_ok());
    let error = DatasetName::new(&format!("{longest}a")).expect_err("256 bytes are too many");
    assert!(
        error.to_string().contains("256 bytes, but a name has at most 255"),
        "{error}"
    );

    let longest = format!("tank@{}", "a".repeat(250));
    assert!(SnapshotName::new(&longest).is_ok());
    assert!(SnapshotName::new(&format!("{longest}a")).is_err());
}

#[test]
fn length_counts_bytes_and_a_long_name_is_cut_between_characters() {
    let error = DatasetName::new(&"ü".repeat(128)).expect_err("256 bytes are too many");
    assert_eq!(error.name().chars().count(), 41);
}

#[test]
fn a_dataset_has_at_most_50_components() {
    let deepest = format!("t{}", "/a".repeat(49));
    assert!(DatasetName::new(&deepest).is_ok());
    assert!(SnapshotName::new(&format!("{deepest}@1")).is_ok());
    let error = DatasetName::new(&format!("{deepest}/a")).expect_err("51 components");
    assert_eq!(error.reason(), "a dataset has at most 50 components");
}

#[test]
fn the_error_shows_the_name_escaped() {
    let error = DatasetName::new("tank/a\tb").expect_err("a tab is not allowed");
    assert!(
        error.to_string().starts_with(r#""tank/a\tb": character '\t'"#),
        "{error}"
    );
}

#[test]
fn parts_of_a_dataset_name() {
    let name = DatasetName::new("tank/a b/c").expect("a valid name");
    assert_eq!(name.pool(), "tank");
    assert_eq!(name.last(), "c");
    let parent = name.parent().expect("not a pool's root");
    assert_eq!(parent.as_str(), "tank/a b");
    let root = parent.parent().expect("not a pool's root");
    assert_eq!((root.as_str(), root.pool(), root.last()), ("tank", "tank", "tank"));
    assert_eq!(root.parent(), None);
    assert_eq!(root.child("a b/c"), Ok(name.clone()));
    assert!(root.child("").is_err());
    assert!(root.child("../x").is_err());
    assert_eq!(name.below(&root), Some("a b/c"));
    assert_eq!(name.below(&name), None);
    let sibling = DatasetName::new("tank/a bc").expect("a valid name");
    assert_eq!(sibling.below(&parent), None, "a common prefix is not an ancestor");
}

#[test]
fn parts_of_snapshot_and_bookmark_names() {
    let dataset = DatasetName::new("tank/a b").expect("a valid name");
    let snapshot = dataset.snapshot("one two").expect("a valid name");
    assert_eq!(snapshot.as_str(), "tank/a b@one two");
    assert_eq!(snapshot.short(), "one two");
    assert_eq!(snapshot.dataset(), dataset);
    let bookmark = dataset.bookmark("three").expect("a valid name");
    assert_eq!(bookmark.as_str(), "tank/a b#three");
    assert_eq!(bookmark.short(), "three");
    assert_eq!(bookmark.dataset(), dataset);
    assert_eq!(HistoryPoint::from(snapshot).to_string(), "tank/a b@one two");
    assert_eq!(HistoryPoint::from(bookmark).to_string(), "tank/a b#three");
}

#[test]
fn names_sort_and_show_like_their_text() {
    let mut names = ["tank/b", "tank", "tank/a"].map(|name| DatasetName::new(name).expect("valid"));
    names.sort();
    assert_eq!(
        format!("{names:?}"),
        r#"[DatasetName("tank"), DatasetName("tank/a"), DatasetName("tank/b")]"#
    );
    assert_eq!(format!("{:>6}|", names[0]), "  tank|");
    assert_eq!("tank/a".parse(), Ok(names[1].clone()));
}
