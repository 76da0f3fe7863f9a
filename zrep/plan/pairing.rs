//! Who is who: from the properties of one dataset to the other end of its pairing.

use std::fmt;

use crate::hostname::HostName;
use crate::intent::Intent;
use crate::model::{Link, Origin, State};
use crate::props::{Key, Tag, View};
use crate::refusal::{Refusal, Why};
use zfs_ffi::DatasetName;

/// The name that this machine has in pairings, and the tag that is being looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `ZREP_SRC_HOST`, or the host's name up to the first dot.
    pub host: String,
    /// The tag.
    pub tag: Tag,
}

impl Identity {
    /// Whether `host`, as it stands in a property, is this machine.
    pub fn is_here(&self, host: &str) -> bool {
        host == "localhost" || host == self.host
    }
}

/// A dataset, and the machine that it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The machine; `None` is this one.
    pub host: Option<HostName>,
    /// The dataset.
    pub dataset: DatasetName,
}

impl Place {
    /// The dataset of this name on this machine.
    pub fn here(dataset: DatasetName) -> Self {
        Self { host: None, dataset }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(f, "{host}:{}", self.dataset),
            None => self.dataset.fmt(f),
        }
    }
}

/// Whether `host`, as it stands in a property, is the machine that `state` was observed on.
pub fn is_at(me: &Identity, host: &str, state: &State) -> bool {
    let own = if state.host.is_empty() { &me.host } else { &state.host };
    host == "localhost" || host == own
}

/// The target that a master sends to. Refuses unless `state` is a master, of the host that it is on.
pub fn target_of(me: &Identity, state: &State) -> Result<Place, Refusal> {
    let refuse = |why| Refusal::source(&state.name, why);
    let link = link_of(me, state).map_err(refuse)?;
    if !View::new(state, &me.tag).is_master() {
        return Err(refuse(not_master(me, &link)));
    }
    if !is_at(me, &link.src_host, state) {
        return Err(refuse(Why::OtherHost {
            found: link.src_host,
            me: me.host.clone(),
        }));
    }
    place(me, (Key::DestHost, &link.dest_host), (Key::DestFs, &link.dest_fs)).map_err(refuse)
}

/// The source that a replica receives from. Refuses a master.
pub fn source_of(me: &Identity, state: &State) -> Result<Place, Refusal> {
    let refuse = |why| Refusal::target(&state.name, why);
    let link = link_of(me, state).map_err(refuse)?;
    let view = View::new(state, &me.tag);
    let is_half_made = matches!(view.intent(), Some(Intent::Prepared { .. })) && link.src_fs != state.name.as_str();
    if view.is_master() && !is_half_made {
        return Err(refuse(Why::MasterAlready));
    }
    place(me, (Key::SrcHost, &link.src_host), (Key::SrcFs, &link.src_fs)).map_err(refuse)
}

/// The pair as it stands on `state`.
pub fn link_of(me: &Identity, state: &State) -> Result<Link, Why> {
    View::new(state, &me.tag).link().ok_or_else(|| Why::NotPaired {
        tag: me.tag.to_string(),
    })
}

/// Refuses to send from a side that is not the master.
pub fn require_master(me: &Identity, source: &State) -> Result<(), Refusal> {
    let refuse = |why| Refusal::source(&source.name, why);
    let link = link_of(me, source).map_err(refuse)?;
    if View::new(source, &me.tag).is_master() {
        Ok(())
    } else {
        Err(refuse(not_master(me, &link)))
    }
}

fn not_master(me: &Identity, link: &Link) -> Why {
    let master = format!("{}:{}", link.src_host, link.src_fs);
    Why::NotMaster {
        tag: me.tag.to_string(),
        master: Some(master),
    }
}

/// The target's end of a pair.
pub fn dest_of(me: &Identity, link: &Link) -> Result<Place, Why> {
    place(me, (Key::DestHost, &link.dest_host), (Key::DestFs, &link.dest_fs))
}

/// The source's end of a pair.
pub fn src_of(me: &Identity, link: &Link) -> Result<Place, Why> {
    place(me, (Key::SrcHost, &link.src_host), (Key::SrcFs, &link.src_fs))
}

fn place(me: &Identity, host: (Key, &str), dataset: (Key, &str)) -> Result<Place, Why> {
    let name = DatasetName::new(dataset.1).map_err(|error| Why::BadNameInProperty {
        property: me.tag.property(dataset.0),
        error,
    })?;
    if me.is_here(host.1) {
        return Ok(Place::here(name));
    }
    let host = HostName::new(host.1).map_err(|error| Why::BadHostInProperty {
        property: me.tag.property(host.0),
        error,
    })?;
    Ok(Place {
        host: Some(host),
        dataset: name,
    })
}

/// Refuses a target that claims to be master, too. `finish` is the command that ends a failover which was cut off.
pub fn require_replica(me: &Identity, source: &State, target: &State) -> Result<(), Refusal> {
    if !View::new(target, &me.tag).is_master() {
        return Ok(());
    }
    let finish = is_half_turned(me, source, target)
        .then(|| format!("a failover was cut off behind its point of no return, and {} is the master now: `zrep failover {}` completes it", target.name, source.name));
    Err(Refusal::source(
        &source.name,
        Why::SplitBrain {
            tag: me.tag.to_string(),
            other: target.name.to_string(),
            finish,
        },
    ))
}

/// Whether the two are in the middle of a failover that has passed its point of no return: the new master is made, the old one
/// is read-only and has not stepped down completely.
pub fn is_half_turned(me: &Identity, old: &State, new: &State) -> bool {
    let of_new = link_of(me, new);
    let swapped = of_new.is_ok_and(|link| {
        link.src_fs == new.name.as_str() && is_at(me, &link.src_host, new) && link.dest_fs == old.name.as_str()
    });
    let stopped = old.readonly && old.readonly_origin == Origin::Local;
    // N.B. both may have the same name, on two machines.
    let unturned = link_of(me, old).is_ok_and(|link| {
        link.src_fs == old.name.as_str() && is_at(me, &link.src_host, old) && link.dest_fs == new.name.as_str()
    });
    let unfinished = View::new(old, &me.tag).is_master() || unturned;
    View::new(new, &me.tag).is_master() && swapped && stopped && unfinished
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, state};

    #[test]
    fn a_master_tells_its_target() {
        let master = state("a/fs", "").master().build();
        assert_eq!(target_of(&me(), &master).unwrap().to_string(), "b/fs");
        let far = state("a/fs", "")
            .master()
            .user("zrep:dest-host", "far", Origin::Local)
            .build();
        assert_eq!(target_of(&me(), &far).unwrap().to_string(), "far:b/fs");
    }

    #[test]
    fn each_thing_that_is_wrong_with_a_master_has_its_own_refusal() {
        let refused = |state: State| target_of(&me(), &state).unwrap_err().telling().what;
        let with = |name: &str, value: &str| state("a/fs", "").master().user(name, value, Origin::Local).build();
        assert_eq!(refused(state("a/fs", "").build()), "has no zrep pairing");
        assert_eq!(
            refused(state("a/fs", "").paired(Origin::Received).build()),
            "is not the master"
        );
        assert_eq!(refused(with("zrep:src-host", "old-name")), "belongs to host old-name");
        assert!(refused(with("zrep:dest-host", "-oProxyCommand=reboot")).contains("is no host name"));
        assert!(refused(with("zrep:dest-fs", "b/$(reboot)")).starts_with("zrep:dest-fs:"));
    }

    #[test]
    fn a_target_that_is_master_too_is_split_brain_unless_a_failover_was_cut_off() {
        let source = state("a/fs", "").master().build();
        let target = state("b/fs", "").master().build();
        let help = require_replica(&me(), &source, &target).unwrap_err().telling().help;
        assert!(help.contains("decide which side"), "{help}");

        let stopped = state("a/fs", "")
            .master()
            .with(|state| (state.readonly, state.readonly_origin) = (true, Origin::Local))
            .build();
        let turned = state("b/fs", "")
            .master()
            .user("zrep:src-fs", "b/fs", Origin::Local)
            .user("zrep:dest-fs", "a/fs", Origin::Local)
            .build();
        let help = require_replica(&me(), &stopped, &turned).unwrap_err().telling().help;
        assert!(help.contains("`zrep failover a/fs` completes it"), "{help}");
    }
}
