use std::borrow::Cow;

use super::*;

fn list(pairs: &[(&str, Value<'_>)]) -> NvList {
    let mut list = NvList::new();
    for (name, value) in pairs {
        list.add(name, value.clone()).expect("a valid pair");
    }
    list
}

/// Adds the value, reads it back, and once more after packing and copying.
fn round_trip(value: Value<'_>) {
    let list = list(&[("a b", value.clone())]);
    assert_eq!(list.get("a b"), Some(value.clone()));
    assert_eq!(list.iter().collect::<Vec<_>>(), [("a b", value.clone())]);
    let bytes = list.pack().expect("every type has an encoding");
    let unpacked = NvList::unpack(&bytes).expect("just packed");
    assert_eq!(unpacked.get("a b"), Some(value));
    assert_eq!(unpacked, list);
    assert_eq!(list.clone(), list);
}

#[test]
fn scalars_round_trip() {
    round_trip(Value::Flag);
    round_trip(Value::Bool(true));
    round_trip(Value::Bool(false));
    round_trip(Value::Byte(200));
    round_trip(Value::I8(-1));
    round_trip(Value::U8(u8::MAX));
    round_trip(Value::I16(i16::MIN));
    round_trip(Value::U16(u16::MAX));
    round_trip(Value::I32(i32::MIN));
    round_trip(Value::U32(u32::MAX));
    round_trip(Value::I64(i64::MIN));
    round_trip(Value::U64(u64::MAX));
    round_trip(Value::HrTime(1_700_000_000_000_000_000));
    round_trip(Value::Double(0.5));
}

#[test]
fn strings_round_trip() {
    round_trip(Value::Str(""));
    round_trip(Value::Str("tank/a b@1"));
    round_trip(Value::Str("ä ∞"));
    round_trip(Value::NotUtf8(b"\xff\xfe"));
    round_trip(Value::Strs(vec![]));
    round_trip(Value::Strs(vec![Cow::from("a"), Cow::from(""), Cow::from("b c")]));
}

#[test]
fn arrays_round_trip() {
    round_trip(Value::Bools(vec![true, false, true]));
    round_trip(Value::Bytes(b"\0\x01\xff"));
    round_trip(Value::I8s(&[-1, 0, 1]));
    round_trip(Value::U8s(&[0, 255]));
    round_trip(Value::I16s(&[-1, 2, 3]));
    round_trip(Value::U16s(&[1, u16::MAX]));
    round_trip(Value::I32s(&[i32::MIN, 0]));
    round_trip(Value::U32s(&[1]));
    round_trip(Value::I64s(&[i64::MIN, i64::MAX]));
    round_trip(Value::U64s(&[u64::MAX, 0, 1]));
}

#[test]
fn empty_arrays_round_trip() {
    round_trip(Value::Bools(vec![]));
    round_trip(Value::Bytes(&[]));
    round_trip(Value::U8s(&[]));
    round_trip(Value::I64s(&[]));
    round_trip(Value::U64s(&[]));
    round_trip(Value::Lists(vec![]));
}

#[test]
fn lists_in_lists_round_trip() {
    let inner = list(&[("guid", Value::U64(u64::MAX))]);
    let middle = list(&[("inner", Value::from(&inner)), ("flag", Value::Flag)]);
    round_trip(Value::from(&middle));
    round_trip(Value::Lists(vec![inner.borrow(), middle.borrow()]));
}

#[test]
fn a_list_in_a_list_is_a_copy() {
    let mut inner = list(&[("a", Value::U64(1))]);
    let outer = list(&[("inner", Value::from(&inner))]);
    inner.add("a", 2_u64).expect("a valid pair");
    let kept = outer.get("inner").as_ref().and_then(Value::as_list).expect("a list");
    assert_eq!(kept.get("a"), Some(Value::U64(1)));
    let copy = kept.to_owned();
    drop(outer);
    assert_eq!(copy.get("a"), Some(Value::U64(1)));
}

#[test]
fn a_unique_list_keeps_the_last_value_of_a_name() {
    let mut list = NvList::new();
    list.add("a", 1_u64).expect("a valid pair");
    list.add("a", "two").expect("a valid pair");
    assert_eq!(list.iter().collect::<Vec<_>>(), [("a", Value::Str("two"))]);
}

#[test]
fn a_non_unique_list_keeps_all_values_of_a_name() {
    let mut list = NvList::non_unique();
    list.add("tank/a@1", "x").expect("a valid pair");
    list.add("tank/a@1", "y").expect("a valid pair");
    let pairs: Vec<_> = list.iter().map(|(_, value)| value).collect();
    assert_eq!(pairs, [Value::Str("x"), Value::Str("y")]);
    assert_eq!(list.get("tank/a@1"), Some(Value::Str("x")));
    let bytes = list.pack().expect("every type has an encoding");
    assert_eq!(NvList::unpack(&bytes).expect("just packed"), list);
}

#[test]
fn equality_does_not_depend_on_order_but_on_every_value() {
    let one = list(&[("a", Value::U64(1)), ("b", Value::Flag)]);
    let two = list(&[("b", Value::Flag), ("a", Value::U64(1))]);
    assert_eq!(one, two);
    assert_ne!(one, list(&[("a", Value::U64(1))]));
    assert_ne!(one, list(&[("a", Value::I64(1)), ("b", Value::Flag)]));
    assert_ne!(one, list(&[("a", Value::U64(1)), ("c", Value::Flag)]));
}

#[test]
fn two_iterators_over_one_list_do_not_disturb_each_other() {
    let list = list(&[("a", Value::U64(1)), ("b", Value::U64(2)), ("c", Value::U64(3))]);
    let mut slow = list.iter();
    slow.next();
    let all: Vec<_> = list.iter().map(|(name, _)| name).collect();
    assert_eq!(all, ["a", "b", "c"]);
    assert_eq!(slow.next().map(|(name, _)| name), Some("b"));
    assert_eq!(list.get("a"), Some(Value::U64(1)));
    assert_eq!(slow.next().map(|(name, _)| name), Some("c"));
    assert!(slow.next().is_none());
    assert!(slow.next().is_none(), "the end stays the end");
}

#[test]
fn contents_are_shown_with_everything_inside() {
    let inner = list(&[("value", Value::U64(7))]);
    let list = list(&[("guid", Value::from(&inner)), ("ok", Value::Bool(true))]);
    assert_eq!(
        format!("{list:?}"),
        r#"{"guid": List({"value": U64(7)}), "ok": Bool(true)}"#
    );
    assert_eq!(format!("{:?}", NvList::new()), "{}");
}

#[test]
fn a_zero_byte_is_refused() {
    let mut list = NvList::new();
    for result in [
        list.add("a\0b", 1_u64),
        list.add("a", "x\0y"),
        list.add("a", &["x", "y\0"][..]),
    ] {
        assert_eq!(result.expect_err("C cannot hold it").kind(), Kind::Invalid);
    }
    assert!(list.is_empty());
    assert_eq!(list.get("a\0b"), None);
}

#[test]
fn an_unknown_type_is_refused() {
    let error = NvList::new().add("a", Value::Unknown(99)).expect_err("no such type");
    assert!(error.to_string().contains("type 99 is not known"), "{error}");
}

#[test]
fn garbage_is_not_unpacked() {
    let good = list(&[("a", Value::Str("some text"))])
        .pack()
        .expect("every type has an encoding");
    for bytes in [&b""[..], b"\0", b"garbage garbage garbage", &good[..good.len() - 6]] {
        assert!(NvList::unpack(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn no_flipped_byte_brings_unpacking_down() {
    let inner = list(&[("x", Value::U64s(&[1, 2, 3]))]);
    let good = list(&[("a", Value::Str("text")), ("l", Value::from(&inner))]);
    let good = good.pack().expect("every type has an encoding");
    for at in 0..good.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            if let Ok(list) = NvList::unpack(&bytes) {
                let _ = format!("{list:?}");
            }
        }
    }
}

#[test]
fn typed_views_of_values() {
    assert_eq!(Value::from("a").as_str(), Some("a"));
    assert_eq!(Value::from(1_u64).as_u64(), Some(1));
    assert_eq!(Value::from(-1_i64).as_i64(), Some(-1));
    assert_eq!(Value::from(true).as_bool(), Some(true));
    assert_eq!(Value::Flag.as_bool(), None);
    assert_eq!(Value::from(1_i64).as_u64(), None, "a type is not guessed");
}

#[test]
fn a_list_moves_between_threads() {
    let list = list(&[("a", Value::U64(1))]);
    let list = std::thread::spawn(move || {
        assert_eq!(list.get("a"), Some(Value::U64(1)));
        list
    });
    assert!(!list.join().expect("no panic").is_empty());
}
