//! What the administrator wants a new target to have of its own, beyond what it takes over from its source.

use crate::model::Native;
use crate::native;
use crate::plan::{Action, Object};
use crate::props::{COPIED, DEVICES};
use zfs_ffi::DatasetName;

/// Properties in the words of `zfs set` (`ZREP_CREATE_FLAGS`, `ZREP_INIT_REMOTE_PROPERTIES`). Of two of one name the last counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes(Vec<(String, String)>);

impl FromIterator<(String, String)> for Wishes {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(properties: I) -> Self {
        let mut wishes: Vec<(String, String)> = Vec::new();
        for (name, value) in properties {
            wishes.retain(|(known, _)| *known != name);
            wishes.push((name, value));
        }
        Self(wishes)
    }
}

impl Wishes {
    /// What goes with the stream, so that the first block is written by it already. Another machine takes nothing else from a peer.
    ///
    /// N.B. the kernel takes numbers for words. What has no known number is left to the library, which knows all of them.
    pub(super) fn with_stream(&self) -> Vec<(String, Native)> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), native_of(name, value)?)))
            .collect()
    }

    /// The rest; all of it if the stream came from an earlier attempt.
    fn rest(&self, has_arrived: bool) -> Vec<(String, String)> {
        let rest = self
            .0
            .iter()
            .filter(|(name, value)| has_arrived || native_of(name, value).is_none());
        rest.cloned().collect()
    }

    /// What is set behind the stream on a target of this machine.
    pub(super) fn behind_stream(&self, target: &DatasetName, has_arrived: bool) -> Option<Action> {
        let rest = self.rest(has_arrived);
        let properties: Vec<_> = rest.into_iter().map(|(name, value)| (name, Some(value))).collect();
        (!properties.is_empty()).then(|| Action::Set {
            on: Object::Dataset(target.clone()),
            properties,
        })
    }

    /// What is left for the administrator of another machine to set.
    pub(super) fn note(&self, host: &str, target: &DatasetName, has_arrived: bool) -> Option<String> {
        let rest = self.rest(has_arrived);
        let words: Vec<String> = rest.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!words.is_empty()).then(|| {
            format!(
                "{host}:{target}: {} will not be set: that is for its own machine to say. Set it there.",
                words.join(" ")
            )
        })
    }
}

/// What the kernel is told, if it may come with a stream: what shapes the data, notes, and that it is not mounted by itself.
fn native_of(name: &str, value: &str) -> Option<Native> {
    match name {
        "mountpoint" => ["none", "legacy"]
            .contains(&value)
            .then(|| Native::Text(value.to_owned())),
        "canmount" => match value {
            "off" => Some(Native::Number(0)),
            "noauto" => Some(Native::Number(2)),
            _ => None,
        },
        name if name.contains(':') => Some(Native::Text(value.to_owned())),
        name if COPIED.contains(&name) && !DEVICES.contains(&name) => native::number(name, value)
            .or_else(|| size(name, value))
            .map(Native::Number),
        _ => None,
    }
}

/// `10G` and `none`, of properties that are a number of bytes.
fn size(name: &str, value: &str) -> Option<u64> {
    if !["quota", "refquota", "recordsize", "special_small_blocks"].contains(&name) {
        return None;
    }
    if value == "none" {
        return Some(0);
    }
    let digits = value.trim_end_matches(['K', 'M', 'G', 'T', 'k', 'm', 'g', 't']);
    let shift = match &value[digits.len()..] {
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        "T" | "t" => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(list: &[(&str, &str)]) -> Wishes {
        list.iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn what_may_come_with_a_stream_has_its_kernels_value() {
        let number = |name: &str, number| Some((name.to_owned(), Native::Number(number)));
        let text = |name: &str, text: &str| Some((name.to_owned(), Native::Text(text.to_owned())));
        for (name, value, expected) in [
            ("compression", "gzip", number("compression", 10)),
            ("compression", "zip", None),
            ("recordsize", "128K", number("recordsize", 131_072)),
            ("quota", "10G", number("quota", 10 << 30)),
            ("quota", "none", number("quota", 0)),
            ("quota", "1GB", None),
            ("canmount", "noauto", number("canmount", 2)),
            ("canmount", "on", None),
            ("mountpoint", "none", text("mountpoint", "none")),
            ("mountpoint", "/", None),
            ("volmode", "full", None),
            ("sharenfs", "on", None),
            ("a:b", "c d", text("a:b", "c d")),
        ] {
            let found = wishes(&[(name, value)]).with_stream();
            assert_eq!(found.first(), expected.as_ref(), "{name}={value}");
        }
    }

    #[test]
    fn the_rest_is_set_here_and_told_of_another_machine() {
        let target = DatasetName::new("b/fs").unwrap();
        let wished = wishes(&[("atime", "on"), ("atime", "off"), ("mountpoint", "/b"), ("a:b", "c")]);
        for (has_arrived, words) in [(false, "mountpoint=/b"), (true, "atime=off mountpoint=/b a:b=c")] {
            let action = wished.behind_stream(&target, has_arrived).unwrap();
            assert_eq!(action.to_string(), format!("set {words} on b/fs"));
            let note = wished.note("beta", &target, has_arrived).unwrap();
            assert!(
                note.starts_with(&format!("beta:b/fs: {words} will not be set")),
                "{note}"
            );
        }
        let all_go = wishes(&[("atime", "on")]);
        assert_eq!(all_go.behind_stream(&target, false), None);
        assert_eq!(all_go.note("beta", &target, false), None);
    }
}
