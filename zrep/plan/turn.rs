//! The new roles of two datasets, as lists of properties.

use crate::intent::Intent;
use crate::model::{Kind, Link, Origin, State};
use crate::plan::pairing::{Identity, is_source};
use crate::plan::{Action, Before, Object, Stage};
use crate::props::{Key, View};

/// The new roles of two datasets.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The epoch that begins.
    pub epoch: u64,
    up: Vec<(String, Option<String>)>,
    cleared: Vec<(String, Option<String>)>,
    old: State,
    down: Vec<(String, Option<String>)>,
}

impl Turn {
    /// `new` becomes the master of `epoch`, and `old` its replica.
    pub fn of(me: &Identity, old: &State, new: &State, link: &Link, epoch: u64) -> Self {
        // N.B. `link` is that of a side which may have been turned already.
        let is_unturned = link.src_fs == old.name.as_str() && (link.dest_fs != link.src_fs || is_source(me, link, old));
        let (old_host, new_host) = if is_unturned {
            (&link.src_host, &link.dest_host)
        } else {
            (&link.dest_host, &link.src_host)
        };
        let swapped = Link {
            src_host: if new.host.is_empty() {
                me.host.clone()
            } else {
                new.host.clone()
            },
            src_fs: new.name.to_string(),
            dest_host: old_host.clone(),
            dest_fs: old.name.to_string(),
        };
        let none = |key| (me.tag.property(key), None);
        let number = (me.tag.property(Key::Epoch), Some(epoch.to_string()));
        // N.B. the order tells how far a change has come that was cut off: the role first, and the pair of the old master last.
        let mut up = vec![(me.tag.property(Key::Master), Some("yes".into())), number.clone()];
        up.extend(pair(me, &swapped).into_iter().rev());
        let mut down = vec![
            none(Key::Master),
            none(Key::Intent),
            none(Key::Fenced),
            none(Key::LockTime),
            none(Key::LockPid),
            number,
        ];
        down.extend(pair(
            me,
            &Link {
                src_host: new_host.clone(),
                ..swapped
            },
        ));
        Self {
            epoch,
            up,
            cleared: vec![none(Key::Intent), none(Key::Fenced)],
            old: old.clone(),
            down,
        }
    }

    /// The new master's part, if it is still prepared for this attempt.
    pub fn raised(&self, me: &Identity, new: &State, nonce: &str) -> Vec<Stage> {
        let prepared = Intent::Prepared {
            epoch: self.epoch,
            nonce: nonce.to_owned(),
        };
        let mut actions = vec![
            expect(me, new, Key::Master),
            expect(me, new, Key::Epoch),
            expect_value(me, new, Key::Intent, Some(prepared.to_string())),
        ];
        actions.extend(self.up(new));
        vec![Stage::target(actions), Stage::target(mount(new))]
    }

    /// What is missing of the new master's part.
    pub fn completed(&self, me: &Identity, new: &State) -> Vec<Stage> {
        let view = View::new(new, &me.tag);
        let stands = |(name, value): &(String, Option<String>)| {
            new.user.get(name).map(|setting| &setting.value) == value.as_ref()
        };
        let is_whole = self.up.iter().all(stands) && view.intent_text().is_none();
        let mut actions: Vec<Action> = if is_whole {
            writable(new).into_iter().collect()
        } else {
            self.up(new)
        };
        // N.B. this may arrive late: when somebody else has completed it, and turned the pair back.
        if !actions.is_empty() {
            let observed = [Key::Master, Key::Epoch, Key::Intent].map(|key| expect(me, new, key));
            actions.splice(0..0, observed);
        }
        vec![Stage::target(actions), Stage::target(mount(new))]
    }

    fn up(&self, new: &State) -> Vec<Action> {
        let set = |properties: &[(String, Option<String>)]| Action::Set {
            on: Object::Dataset(new.name.clone()),
            properties: properties.to_vec(),
        };
        let mut actions = vec![set(&self.up), set(&self.cleared)];
        actions.extend(writable(new));
        actions
    }

    /// The old master's part. It is lowered last: as long as it says that it is the master, what is missing is found.
    pub fn lowered(&self) -> Stage {
        Stage::source(vec![Action::Set {
            on: Object::Dataset(self.old.name.clone()),
            properties: self.down.clone(),
        }])
    }
}

/// The condition that a property is what was observed.
pub fn expect(me: &Identity, state: &State, key: Key) -> Action {
    let setting = state.user.get(&me.tag.property(key));
    let local = setting.filter(|setting| setting.origin == Origin::Local);
    expect_value(me, state, key, local.map(|setting| setting.value.clone()))
}

pub fn expect_value(me: &Identity, state: &State, key: Key, value: Option<String>) -> Action {
    Action::Expect {
        dataset: state.name.clone(),
        property: me.tag.property(key),
        value,
    }
}

/// Takes back the `readonly=on` that made the dataset a replica; what it inherits is the operator's own wish.
pub fn writable(target: &State) -> Option<Action> {
    (target.readonly_origin == Origin::Local).then(|| Action::Set {
        on: Object::Dataset(target.name.clone()),
        properties: vec![("readonly".into(), None)],
    })
}

/// Mounts a filesystem; a volume has nothing to mount.
pub fn mount(target: &State) -> Vec<Action> {
    match target.kind {
        Kind::Filesystem => vec![Action::Mount(target.name.clone())],
        Kind::Volume => Vec::new(),
    }
}

/// Mounts all filesystems of a tree. A parent stands before its children.
pub fn mount_all(below: &[State]) -> Vec<Action> {
    below.iter().flat_map(mount).collect()
}

/// Lets the children of a tree follow its top when that becomes read-only: a `readonly=off` of their own is taken away. A `readonly=on` of their own is their administrator's
/// wish, whatever the top is.
pub fn following(below: &[State]) -> Vec<Action> {
    let names = below
        .iter()
        .filter(|state| is_writable_by_itself(state))
        .map(|state| state.name.clone());
    names
        .map(|name| Action::Set {
            on: Object::Dataset(name),
            properties: vec![("readonly".into(), None)],
        })
        .collect()
}

/// What was set there before, for an undo.
pub fn before_following(below: &[State]) -> Vec<Before> {
    let names = below
        .iter()
        .filter(|state| is_writable_by_itself(state))
        .map(|state| state.name.clone());
    names
        .map(|name| Before {
            on: Object::Dataset(name),
            property: "readonly".into(),
            value: "off".into(),
        })
        .collect()
}

fn is_writable_by_itself(state: &State) -> bool {
    matches!(state.readonly_origin, Origin::Local | Origin::Received) && !state.readonly
}

/// The four properties of a pair, the source's first. In this order a side that becomes the target never loses the other one's name; in the
/// reverse order a side that becomes the source.
pub fn pair(me: &Identity, link: &Link) -> Vec<(String, Option<String>)> {
    let Link {
        src_host,
        src_fs,
        dest_host,
        dest_fs,
    } = link;
    [
        (Key::SrcFs, src_fs),
        (Key::SrcHost, src_host),
        (Key::DestFs, dest_fs),
        (Key::DestHost, dest_host),
    ]
    .map(|(key, value)| (me.tag.property(key), Some(value.clone())))
    .to_vec()
}
