//! What a peer may ask of this machine. The peer's word counts for nothing here: names are looked up in this machine's own rules, roles in
//! this machine's own local properties.
//!
//! `docs/security.md` says what is guarded against.

use std::fmt;

use crate::names::Naming;
use crate::plan::{Action, IfHeld, Object};
use crate::props::{Key, Tag};
use zfs_ffi::{DatasetName, SnapshotName};

/// What a peer may do in a tree of datasets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Send streams into it, mark what has arrived, let expire what this side's own savecount gives up.
    Receive,
    /// Make zrep's snapshots, lock, and read the data.
    Send,
    /// Change roles: who is master, what is read-only, what is mounted; roll back.
    Control,
}

impl Right {
    const ALL: [Self; 3] = [Self::Receive, Self::Send, Self::Control];

    fn word(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Send => "send",
            Self::Control => "control",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A tree of datasets, and what a peer may do in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    tree: DatasetName,
    rights: Vec<Right>,
}

impl Grant {
    /// Reads `DATASET[:RIGHT]...`; without a right it is `receive`.
    ///
    /// # Errors
    ///
    /// A text that is not of this form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        let mut rights = Vec::new();
        // N.B. a dataset's name may hold colons itself: only the words at its end are rights.
        while let Some((before, right)) = rest
            .rsplit_once(':')
            .and_then(|(before, word)| Some((before, right_of(word)?)))
        {
            rights.push(right);
            rest = before;
        }
        if rights.is_empty() {
            rights.push(Right::Receive);
        }
        let tree =
            DatasetName::new(rest).map_err(|error| format!("{error}; expected DATASET[:receive|send|control]..."))?;
        Ok(Self { tree, rights })
    }

    fn covers(&self, dataset: &DatasetName) -> bool {
        is_within(dataset.as_str(), self.tree.as_str())
    }
}

fn right_of(word: &str) -> Option<Right> {
    Right::ALL.into_iter().find(|right| right.word() == word)
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The rules for one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// Whoever logs in as this user may do through zrep what zrep would do for the user here.
    User,
    /// Only this.
    Only {
        /// Where the rules stand, for messages.
        source: String,
        /// The rules. None of them: nothing.
        grants: Vec<Grant>,
    },
}

/// A request that the rules forbid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// What was asked, what for, and which rule is missing.
    pub text: String,
    /// What an administrator would have to allow.
    pub hint: String,
}

/// What becomes of an action that a peer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Do,
    /// It is done if this side's own count gives the snapshot up; otherwise the snapshot stays.
    IfExpired,
    /// It is done if the snapshot was made in this session: it is an undo.
    IfMadeHere,
}

impl Policy {
    /// Looks whether `right` is given for `dataset`.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn require(&self, right: Right, dataset: &DatasetName) -> Result<(), Denied> {
        let Self::Only { source, grants } = self else {
            return Ok(());
        };
        if grants
            .iter()
            .any(|grant| grant.covers(dataset) && grant.rights.contains(&right))
        {
            return Ok(());
        }
        Err(denied(
            format!("{right} of {dataset} is not allowed by {source}"),
            &format!("`--allow {dataset}:{right}`"),
        ))
    }

    /// Looks whether the rules hold for `wished`: they were given for the tag `own`. By a tag of its choice a peer would make zrep's own what
    /// somebody else has named `daily_20260101`.
    ///
    /// # Errors
    ///
    /// They do not.
    pub fn require_tag(&self, own: &Tag, wished: &Tag) -> Result<(), Denied> {
        match self {
            Self::Only { source, .. } if own != wished => Err(denied(
                format!("tag {wished} is not allowed by {source}, which is for tag {own}"),
                &format!("`--tag {wished}`"),
            )),
            Self::User | Self::Only { .. } => Ok(()),
        }
    }

    /// Looks whether anything may be done with `dataset`.
    ///
    /// # Errors
    ///
    /// Nothing may.
    pub fn require_any(&self, dataset: &DatasetName) -> Result<(), Denied> {
        let Self::Only { source, .. } = self else { return Ok(()) };
        if Right::ALL.into_iter().any(|right| self.require(right, dataset).is_ok()) {
            return Ok(());
        }
        Err(denied(
            format!("{dataset} is not covered by {source}"),
            &format!("`--allow {dataset}:receive`"),
        ))
    }

    /// Whether `dataset` lies above one that is allowed: its existence may be known, and no more.
    pub fn is_above(&self, dataset: &DatasetName) -> bool {
        match self {
            Self::User => false,
            Self::Only { grants, .. } => grants
                .iter()
                .any(|grant| is_within(grant.tree.as_str(), dataset.as_str())),
        }
    }

    /// Whether the peer may name commands to be run here.
    pub fn may_run_commands(&self) -> bool {
        matches!(self, Self::User)
    }

    /// Judges one action of a peer.
    ///
    /// # Errors
    ///
    /// It is forbidden, by the rules or at all.
    pub fn judge(&self, tag: &Tag, action: &Action) -> Result<Verdict, Denied> {
        match action {
            Action::Expect { dataset, property, .. } => {
                self.require_any(dataset)?;
                own_property(tag, property).map(|_| Verdict::Do)
            }
            Action::ExpectNewest { dataset, .. } => self.require_any(dataset).map(|()| Verdict::Do),
            Action::Snapshot(name) => {
                self.require(Right::Send, &name.dataset())?;
                own_snapshot(tag, name).map(|()| Verdict::Do)
            }
            Action::Set {
                on: Object::Snapshot(name),
                properties,
            } => self.judge_mark(tag, name, properties),
            Action::Set {
                on: Object::Dataset(name),
                properties,
            } => self.judge_set(tag, name, properties),
            Action::Destroy { snapshot, if_held, .. } => self.judge_destroy(tag, snapshot, *if_held),
            Action::Rollback(name) => self.require(Right::Control, &name.dataset()).map(|()| Verdict::Do),
            // Who has its files mapped is told to those only who may stop them.
            Action::Mount(name) | Action::Replay(name) | Action::Unmount(name) | Action::ExpectUnmapped(name) => {
                self.require(Right::Control, name).map(|()| Verdict::Do)
            }
            Action::ExpectUnwritten(name) => self.require_any(name).map(|()| Verdict::Do),
            // Which ones may be renamed, a second look tells.
            Action::Rename { from, to } => {
                self.require(Right::Receive, from)?;
                self.require(Right::Receive, to).map(|()| Verdict::Do)
            }
            Action::Clone { .. } | Action::Promote(_) => Err(never(format!("{action}: no peer may do this"))),
            Action::DiscardPartial(name) | Action::DestroyUnreceived(name) => {
                self.require(Right::Receive, name).map(|()| Verdict::Do)
            }
        }
    }

    /// On snapshots there is one property to set: that they have arrived.
    fn judge_mark(
        &self,
        tag: &Tag,
        name: &SnapshotName,
        properties: &[(String, Option<String>)],
    ) -> Result<Verdict, Denied> {
        self.require_any(&name.dataset())?;
        require_some(name.as_str(), properties)?;
        own_snapshot(tag, name)?;
        match properties
            .iter()
            .find(|(property, _)| *property != tag.property(Key::Sent))
        {
            None => Ok(Verdict::Do),
            Some((property, _)) => Err(never(format!(
                "{property} on {name}: a peer may set {} there",
                tag.property(Key::Sent)
            ))),
        }
    }

    fn judge_set(
        &self,
        tag: &Tag,
        name: &DatasetName,
        properties: &[(String, Option<String>)],
    ) -> Result<Verdict, Denied> {
        self.require_any(name)?;
        require_some(name.as_str(), properties)?;
        for (property, _) in properties {
            self.require(right_to_set(tag, property)?, name)?;
        }
        Ok(Verdict::Do)
    }

    fn judge_destroy(&self, tag: &Tag, name: &SnapshotName, if_held: IfHeld) -> Result<Verdict, Denied> {
        let dataset = name.dataset();
        self.require_any(&dataset)?;
        match (if_held, self) {
            (IfHeld::Keep, _) => own_snapshot(tag, name).map(|()| Verdict::IfExpired),
            (IfHeld::Fail, Self::User) => Ok(Verdict::Do),
            (IfHeld::Fail, Self::Only { .. }) => own_snapshot(tag, name).map(|()| Verdict::IfMadeHere),
        }
    }
}

/// A change of nothing still takes a transaction and a line in the pool's history.
fn require_some(name: &str, properties: &[(String, Option<String>)]) -> Result<(), Denied> {
    if properties.is_empty() {
        return Err(never(format!("set nothing on {name}: a change without properties")));
    }
    Ok(())
}

/// The right that a property of a dataset takes. Native properties other than `readonly` are nobody's business but this machine's.
fn right_to_set(tag: &Tag, property: &str) -> Result<Right, Denied> {
    if property == "readonly" {
        return Ok(Right::Control);
    }
    match own_property(tag, property)? {
        Key::LockPid | Key::LockTime => Ok(Right::Send),
        Key::SrcFs
        | Key::SrcHost
        | Key::DestFs
        | Key::DestHost
        | Key::Savecount
        | Key::Master
        | Key::Intent
        | Key::Fenced
        | Key::Recursive => Ok(Right::Control),
        Key::Gate | Key::Clear => Err(never(format!(
            "property {property:?} is for this machine's administrator to set"
        ))),
        // A replica hears its master's epoch. It makes nobody the master.
        Key::Sent | Key::LastSent | Key::LastSentTime | Key::Epoch => Ok(Right::Receive),
    }
}

fn own_property(tag: &Tag, property: &str) -> Result<Key, Denied> {
    Key::ALL
        .into_iter()
        .find(|key| tag.property(*key) == property)
        .ok_or_else(|| never(format!("property {property:?} is none that zrep sets for a peer")))
}

fn own_snapshot(tag: &Tag, name: &SnapshotName) -> Result<(), Denied> {
    if Naming::of(tag, name.short()).is_own() {
        return Ok(());
    }
    Err(never(format!("{name} was not named by zrep: a peer may not touch it")))
}

fn denied(text: String, allow: &str) -> Denied {
    Denied {
        text,
        hint: format!("its administrator can add {allow} to `zrep serve`, or a line to /etc/zrep/serve.conf"),
    }
}

fn never(text: String) -> Denied {
    Denied {
        text,
        hint: "no rule allows this; do it on that machine itself".into(),
    }
}

#[cfg(test)]
mod tests;
