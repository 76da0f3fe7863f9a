use super::*;

/// `{name -> {"value", "source"}}`, as the kernel has it.
fn list(entries: &[(&str, Value<'_>, Option<&str>)]) -> NvList {
    let mut list = NvList::new();
    for (name, value, source) in entries {
        let mut entry = NvList::new();
        entry.add("value", value.clone()).expect("a valid pair");
        if let Some(source) = source {
            entry.add("source", *source).expect("a valid pair");
        }
        list.add(name, &entry).expect("a valid pair");
    }
    list
}

fn source_of(source: Option<&str>) -> Source {
    let list = list(&[("x:y", Value::Str("v"), source)]);
    let properties = Properties::from_list(list.borrow(), "tank/a b");
    properties.get("x:y").expect("it is in the list").source.clone()
}

#[test]
fn the_source_is_told_by_the_place() {
    assert_eq!(source_of(None), Source::None);
    assert_eq!(source_of(Some("")), Source::Default);
    assert_eq!(source_of(Some("$recvd")), Source::Received);
    assert_eq!(source_of(Some("tank/a b")), Source::Local);
    assert_eq!(source_of(Some("tank")), Source::InheritedFrom("tank".to_owned()));
    assert_eq!(
        source_of(Some("tank/a b@1")),
        Source::InheritedFrom("tank/a b@1".to_owned())
    );
}

#[test]
fn values_are_text_or_numbers() {
    let list = list(&[
        ("guid", Value::U64(u64::MAX), None),
        ("x:empty", Value::Str(""), Some("tank")),
        ("x:bytes", Value::NotUtf8(b"a\xffb"), Some("tank")),
        ("x:odd", Value::Flag, Some("tank")),
    ]);
    let properties = Properties::from_list(list.borrow(), "tank");
    assert_eq!(properties.u64("guid"), Some(u64::MAX));
    assert_eq!(properties.str("guid"), None, "a number is not text");
    assert_eq!(properties.str("x:empty"), Some(""), "empty is not absent");
    assert_eq!(properties.str("x:bytes"), Some("a\u{fffd}b"));
    assert_eq!(properties.get("x:odd"), None);
    assert_eq!(properties.get("x:absent"), None);
    assert_eq!(properties.len(), 3);
    assert_eq!(
        properties.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["guid", "x:bytes", "x:empty"]
    );
}

#[test]
fn an_entry_of_another_shape_is_left_out() {
    let mut list = list(&[("guid", Value::U64(1), None)]);
    list.add("flat", "text").expect("a valid pair");
    list.add("hollow", &NvList::new()).expect("a valid pair");
    let properties = Properties::from_list(list.borrow(), "tank");
    assert_eq!(properties.len(), 1);
}
