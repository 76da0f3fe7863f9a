//! The streams of a sync: from where they begin, and what must happen on the target first.

use super::{Request, bad_name};
use crate::model::{Guid, Kind, Partial, Snapshot, State, StreamFlags};
use crate::names::Naming;
use crate::plan::base::{Common, require_common};
use crate::plan::pairing::{Identity, require_master, require_replica};
use crate::plan::preferences::Preferences;
use crate::plan::standing::require_unfenced;
use crate::plan::{Action, Base, BaseName, IfHeld, Transfer};
use crate::props::{Key, Tag, View, is_below, snapshot_by_guid};
use crate::refusal::{Refusal, Why, counted};
use zfs_ffi::SnapshotName;

/// How the data gets to the target: what must happen there first, and from where the streams begin.
pub(in crate::plan) struct Stream<'a> {
    pub(in crate::plan) common: Common<'a>,
    pub(in crate::plan) resume: Option<Resume>,
    /// The source's snapshots that travel before the new one.
    pub(in crate::plan) before: Vec<&'a Snapshot>,
    /// What makes the target ready.
    pub(in crate::plan) prepare: Vec<Action>,
    /// How many of the target's snapshots `prepare` destroys.
    pub(in crate::plan) discards: usize,
    pub(in crate::plan) notes: Vec<String>,
    flags: StreamFlags,
}

/// An interrupted stream that can go on.
pub(in crate::plan) struct Resume {
    partial: Partial,
    pub(in crate::plan) short: String,
    base: Option<Base>,
}

impl<'a> Stream<'a> {
    pub(in crate::plan) fn plan(
        me: &Identity,
        source: &'a State,
        target: &'a State,
        request: &Request,
    ) -> Result<Self, Refusal> {
        require_master(me, source)?;
        require_replica(me, source, target)?;
        require_unfenced(me, source)?;
        Self::between(me, source, target, request)
    }

    /// The same without a look at roles: for the children of a recursive pairing, whose roles are those of the top.
    pub(in crate::plan) fn between(
        me: &Identity,
        source: &'a State,
        target: &'a State,
        request: &Request,
    ) -> Result<Self, Refusal> {
        let (force, preferences) = (request.force, request.preferences);
        require_same_kind(source, target)?;
        let common = require_common(me, source, target)?;
        let is_given_up = is_given_up(me, (source, target), common.target_only);
        if !common.target_only.is_empty() && !force && !is_given_up {
            return Err(diverged(source, target, &common));
        }
        let flags = preferences.stream(flags(me, source, target)?, target.encrypted);
        let mut stream = Self {
            common,
            resume: None,
            before: Vec::new(),
            prepare: Vec::new(),
            discards: 0,
            notes: Vec::new(),
            flags,
        };
        stream.plan_partial(source, target)?;
        if force || is_given_up {
            stream.plan_rollback(target)?;
        }
        stream.before = stream.intermediates(me, source, preferences);
        Ok(stream)
    }

    /// Goes on with an interrupted receive where its snapshot still exists, and drops it where not. What belongs to another
    /// sender is left alone.
    fn plan_partial(&mut self, source: &State, target: &State) -> Result<(), Refusal> {
        let Some(partial) = &target.partial else { return Ok(()) };
        let base = partial.from_guid.map(|guid| base_of(source, guid));
        match (snapshot_by_guid(source, partial.to_guid), &base) {
            // N.B. what a stream is written with comes from the target: it must not talk a source out of its encryption.
            (Some(_), _) if partial.point.stream.raw != self.flags.raw => {
                self.notes.push(format!(
                    "{}: dropping the interrupted receive of {}: it is not of the kind that is sent here.",
                    target.name, partial.to_name
                ));
                self.prepare.push(Action::DiscardPartial(target.name.clone()));
            }
            (Some(snapshot), None | Some(Some(_))) => {
                self.notes.push(format!(
                    "{}: going on with the interrupted receive of @{}, {} bytes of which are there.",
                    target.name, snapshot.name, partial.point.bytes
                ));
                self.resume = Some(Resume {
                    partial: partial.clone(),
                    short: snapshot.name.clone(),
                    base: base.clone().flatten(),
                });
            }
            (None, _) if !is_from(partial, source) => {
                let why = Why::ForeignPartial {
                    to_name: partial.to_name.clone(),
                    to_guid: partial.to_guid,
                };
                return Err(Refusal::target(&target.name, why));
            }
            (Some(_), Some(None)) | (None, _) => {
                self.notes.push(format!(
                    "{}: dropping the interrupted receive of {}: the source does not have it any more.",
                    target.name, partial.to_name
                ));
                self.prepare.push(Action::DiscardPartial(target.name.clone()));
            }
        }
        Ok(())
    }

    /// What `-f` does, and says that it does: destroys the target's own snapshots behind the base, and what was written since.
    fn plan_rollback(&mut self, target: &State) -> Result<(), Refusal> {
        let Common {
            target_only, on_target, ..
        } = self.common;
        if self.resume.take().is_some() {
            self.prepare.push(Action::DiscardPartial(target.name.clone()));
        }
        let base = target
            .snapshot_name(&on_target.name)
            .map_err(|error| bad_name(target, error))?;
        let names: Vec<&str> = target_only.iter().map(|snapshot| snapshot.name.as_str()).collect();
        let and_these = if names.is_empty() {
            String::new()
        } else {
            format!(" ({})", names.join(", "))
        };
        self.notes.push(format!(
            "{}: rolling back to @{}. This discards {}{and_these} and whatever was written to it since ({} bytes are known of).",
            target.name,
            on_target.name,
            counted(names.len(), "snapshot"),
            target.written
        ));
        self.discards = target_only.len();
        for snapshot in target_only {
            let name = target
                .snapshot_name(&snapshot.name)
                .map_err(|error| bad_name(target, error))?;
            self.prepare.push(Action::Destroy {
                snapshot: name,
                guid: snapshot.guid,
                if_held: IfHeld::Fail,
            });
        }
        self.prepare.push(Action::Rollback(base));
        Ok(())
    }

    /// The source's snapshots between the base and the new one that are replicated, too, oldest first.
    fn intermediates(&self, me: &Identity, source: &'a State, preferences: Preferences) -> Vec<&'a Snapshot> {
        if !preferences.sends_intermediates(&me.tag) {
            return Vec::new();
        }
        let resumed = self
            .resume
            .as_ref()
            .and_then(|resume| snapshot_by_guid(source, resume.partial.to_guid));
        let since = resumed.map_or(self.common.source_txg, |snapshot| snapshot.createtxg);
        source
            .snapshots
            .iter()
            .filter(|snapshot| snapshot.createtxg > since)
            .collect()
    }

    pub(in crate::plan) fn is_up_to_date(&self, source: &State, target: &State) -> bool {
        let is_base = source
            .newest()
            .is_some_and(|newest| newest.guid == self.common.base.guid);
        is_base && source.written == 0 && target.partial.is_none() && self.prepare.is_empty()
    }

    /// The streams up to a snapshot that the plan itself makes.
    pub(in crate::plan) fn transfers(
        &self,
        source: &State,
        target: &State,
        new: &SnapshotName,
        into: SnapshotName,
    ) -> Result<Vec<Transfer>, Refusal> {
        let (mut transfers, base) = self.leading(source, target, &self.before)?;
        transfers.push(Transfer {
            snapshot: new.clone(),
            guid: None,
            base: Some(base),
            into,
            flags: self.flags,
            resume: None,
            creation: None,
        });
        Ok(transfers)
    }

    /// The streams up to a snapshot that is there already and that the target lacks.
    pub(in crate::plan) fn transfers_up_to(
        &self,
        takes_others_along: bool,
        source: &State,
        target: &State,
        last: &Snapshot,
    ) -> Result<Vec<Transfer>, Refusal> {
        let is_resumed = |resume: &Resume| resume.partial.to_guid == last.guid;
        let up_to: Vec<&Snapshot> = if takes_others_along {
            let older = self.before.iter().copied();
            older.filter(|snapshot| snapshot.createtxg <= last.createtxg).collect()
        } else if self.resume.as_ref().is_some_and(is_resumed) {
            Vec::new()
        } else {
            vec![last]
        };
        Ok(self.leading(source, target, &up_to)?.0)
    }

    /// What goes on with an interrupted stream, then the streams of `snapshots`, and the base for what may follow.
    fn leading(
        &self,
        source: &State,
        target: &State,
        snapshots: &[&Snapshot],
    ) -> Result<(Vec<Transfer>, Base), Refusal> {
        let mut base = self.common.base.clone();
        let mut transfers = Vec::new();
        if let Some(Resume {
            partial,
            short,
            base: from,
        }) = &self.resume
        {
            let step = Step {
                short,
                guid: partial.to_guid,
                base: from.clone(),
                flags: partial.point.stream,
            };
            let transfer = step.transfer(source, target)?;
            base = Base {
                guid: partial.to_guid,
                name: BaseName::Snapshot(transfer.snapshot.clone()),
            };
            transfers.push(Transfer {
                resume: Some(partial.point),
                ..transfer
            });
        }
        for snapshot in snapshots {
            let step = Step {
                short: &snapshot.name,
                guid: snapshot.guid,
                base: Some(base),
                flags: self.flags,
            };
            let transfer = step.transfer(source, target)?;
            base = Base {
                guid: snapshot.guid,
                name: BaseName::Snapshot(transfer.snapshot.clone()),
            };
            transfers.push(transfer);
        }
        Ok((transfers, base))
    }
}

/// One stream of several.
struct Step<'a> {
    short: &'a str,
    guid: Guid,
    base: Option<Base>,
    flags: StreamFlags,
}

impl Step<'_> {
    fn transfer(self, source: &State, target: &State) -> Result<Transfer, Refusal> {
        let snapshot = source
            .snapshot_name(self.short)
            .map_err(|error| Refusal::source(&source.name, Why::BadSnapshotName(error)))?;
        let into = target
            .snapshot_name(self.short)
            .map_err(|error| bad_name(target, error))?;
        Ok(Transfer {
            snapshot,
            guid: Some(self.guid),
            base: self.base,
            into,
            flags: self.flags,
            resume: None,
            creation: None,
        })
    }
}

/// How the streams are written: what is encrypted leaves as it is, unless the administrator of the source wants it otherwise.
fn flags(me: &Identity, source: &State, target: &State) -> Result<StreamFlags, Refusal> {
    let may_be_clear = View::new(source, &me.tag).may_leave_in_the_clear();
    match (source.encrypted, target.encrypted, may_be_clear) {
        (true, true, _) => Ok(StreamFlags::raw()),
        (true, false, false) => Err(Refusal::target(
            &target.name,
            Why::InTheClear {
                source: source.name.clone(),
                property: me.tag.property(Key::Clear),
            },
        )),
        (true, false, true) | (false, true | false, _) => Ok(StreamFlags::plain()),
    }
}

fn base_of(source: &State, guid: Guid) -> Option<Base> {
    if let Some(snapshot) = snapshot_by_guid(source, guid) {
        return Some(Base {
            guid,
            name: BaseName::Snapshot(source.snapshot_name(&snapshot.name).ok()?),
        });
    }
    let bookmark = source.bookmarks.iter().find(|bookmark| bookmark.guid == guid)?;
    Some(Base {
        guid,
        name: BaseName::Bookmark(source.bookmark_name(&bookmark.name).ok()?),
    })
}

fn is_from(partial: &Partial, source: &State) -> bool {
    partial.to_name.split('@').next() == Some(source.name.as_str())
}

fn require_same_kind(source: &State, target: &State) -> Result<(), Refusal> {
    let same = matches!(
        (source.kind, target.kind),
        (Kind::Filesystem, Kind::Filesystem) | (Kind::Volume, Kind::Volume)
    );
    if same {
        Ok(())
    } else {
        Err(Refusal::target(
            &target.name,
            Why::OtherKind {
                source: source.kind,
                target: target.kind,
            },
        ))
    }
}

/// Whether all that only the target has came from the source, where another tag's pairing has let it expire since.
///
/// N.B. snapshots of others travel before zrep's own. If that one does not come to be, the target is left with one of another tag as its newest, and a loop of
/// that tag gives it up within seconds. Nobody else makes one of such a name on a replica, unless it is sent on under that tag.
fn is_given_up(me: &Identity, (source, target): (&State, &State), target_only: &[Snapshot]) -> bool {
    let is_sent_under = |tag: &Tag, from: &State| {
        let top = from.user.get(&tag.property(Key::SrcFs)).map(|pair| pair.value.as_str());
        top.is_some_and(|top| top == from.name.as_str() || is_below(from.name.as_str(), top))
    };
    let is_of_other = |snapshot: &Snapshot| {
        let tag = snapshot.name.rsplit_once('_').and_then(|(tag, _)| Tag::new(tag).ok());
        tag.filter(|tag| *tag != me.tag && Naming::of(tag, &snapshot.name).is_own())
            .is_some_and(|tag| is_sent_under(&tag, source) && !is_sent_under(&tag, target))
    };
    // N.B. `written` is of the last transaction group on disk; only what is read-only was not written to since.
    let is_untouched = target.readonly && target.written == 0;
    !target_only.is_empty() && is_untouched && target_only.iter().all(is_of_other)
}

fn diverged(source: &State, target: &State, common: &Common<'_>) -> Refusal {
    let why = Why::Diverged {
        common: common.on_target.name.clone(),
        target_only: common
            .target_only
            .iter()
            .map(|snapshot| snapshot.name.clone())
            .collect(),
        source: source.name.clone(),
    };
    Refusal::target(&target.name, why)
}
