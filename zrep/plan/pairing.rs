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
    match (view.is_master(), view.intent()) {
        (false, _) => src_of(me, &link).map_err(refuse),
        (true, Some(Intent::Prepared { .. })) if !is_source(me, &link, state) => {
            other_end(me, &link, state).map_err(refuse)
        }
        (true, _) => Err(refuse(master_already(view))),
    }
}

/// Why a master takes nothing over. One that was superseded is not well by that.
pub fn master_already(view: View<'_>) -> Why {
    match view.fenced() {
        Some(epoch) if epoch > view.epoch() => Why::Fenced { epoch },
        Some(_) | None => Why::MasterAlready,
    }
}

/// Whether a pair names `state` as its source.
pub fn is_source(me: &Identity, link: &Link, state: &State) -> bool {
    link.src_fs == state.name.as_str() && is_at(me, &link.src_host, state)
}

/// Whether a pair names `state` as its target.
pub fn is_target(me: &Identity, link: &Link, state: &State) -> bool {
    link.dest_fs == state.name.as_str() && is_at(me, &link.dest_host, state)
}

/// Whether a pair names `state` as one of its ends. A dataset that was renamed, or a clone that took its origin's place, carries the
/// properties of a pair that it is not part of.
pub fn is_named(link: &Link, state: &State) -> bool {
    [&link.src_fs, &link.dest_fs].contains(&&state.name.to_string())
}

/// The other end of a pair that may have been swapped in part: host and dataset that are not those of `state`.
///
/// N.B. the other end's name is always written before one's own is written over it, so it stands there at each moment.
pub fn other_names<'a>(me: &Identity, link: &'a Link, state: &State) -> (&'a str, &'a str) {
    let own = state.name.as_str();
    let is_dest = link.src_fs == own && link.dest_fs != own;
    let dataset = if is_dest { &link.dest_fs } else { &link.src_fs };
    let host = match (is_at(me, &link.src_host, state), is_at(me, &link.dest_host, state)) {
        (true, false) => &link.dest_host,
        (false, true) => &link.src_host,
        (true, true) | (false, false) if is_dest => &link.dest_host,
        (true, true) | (false, false) => &link.src_host,
    };
    (host, dataset)
}

/// The same as a place.
pub fn other_end(me: &Identity, link: &Link, state: &State) -> Result<Place, Why> {
    let (host, dataset) = other_names(me, link, state);
    place(me, (Key::SrcHost, host), (Key::SrcFs, dataset))
}

/// The pair of a new master, which may be swapped in part still, as it is or will be.
pub fn link_of_new(me: &Identity, new: &State) -> Result<Link, Why> {
    let link = link_of(me, new)?;
    let is_begun = matches!(View::new(new, &me.tag).intent(), Some(Intent::Prepared { .. }));
    if !is_begun || is_source(me, &link, new) {
        return Ok(link);
    }
    let (host, dataset) = other_names(me, &link, new);
    Ok(Link {
        src_host: if new.host.is_empty() { &me.host } else { &new.host }.clone(),
        src_fs: new.name.to_string(),
        dest_host: host.to_owned(),
        dest_fs: dataset.to_owned(),
    })
}

/// Whether a pair is that of an old master which stepped down and was cut off while its pair was swapped.
pub fn is_torn(me: &Identity, link: &Link, old: &State, new: &State) -> bool {
    let hosts = [&link.src_host, &link.dest_host];
    let names = [&link.src_fs, &link.dest_fs];
    let is_between = hosts.iter().all(|host| is_at(me, host, old) || is_at(me, host, new))
        && names
            .iter()
            .all(|name| *name == old.name.as_str() || *name == new.name.as_str());
    let is_whole =
        is_source(me, link, old) && is_target(me, link, new) || is_source(me, link, new) && is_target(me, link, old);
    is_between && !is_whole
}

/// Refuses a child of a recursive pairing: all that is said and done of it, is of the top.
pub fn require_no_child(me: &Identity, state: &State) -> Result<(), Why> {
    match View::new(state, &me.tag).top() {
        None => Ok(()),
        Some(top) => {
            let tag = me.tag.to_string();
            Err(Why::InsideRecursive { top, tag })
        }
    }
}

/// The pair as it stands on `state`.
pub fn link_of(me: &Identity, state: &State) -> Result<Link, Why> {
    require_no_child(me, state)?;
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
    let swapped = of_new.is_ok_and(|link| is_source(me, &link, new) && link.dest_fs == old.name.as_str());
    let stopped = old.readonly && old.readonly_origin == Origin::Local;
    // N.B. both may have the same name, on two machines.
    let unturned = link_of(me, old).is_ok_and(|link| {
        is_source(me, &link, old) && link.dest_fs == new.name.as_str() || is_torn(me, &link, old, new)
    });
    let unfinished = View::new(old, &me.tag).is_master() || unturned;
    View::new(new, &me.tag).is_master() && swapped && stopped && unfinished
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::{me, state};
    use crate::plan::turn::pair;

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
    fn the_other_end_is_known_at_each_moment_of_a_swap() {
        let link = |src: &str, dest: &str| {
            let (src_host, src_fs) = src.split_once(':').unwrap();
            let (dest_host, dest_fs) = dest.split_once(':').unwrap();
            Link {
                src_host: src_host.into(),
                src_fs: src_fs.into(),
                dest_host: dest_host.into(),
                dest_fs: dest_fs.into(),
            }
        };
        for (own, far) in [("t/own", "t/other"), ("t/same", "t/same")] {
            let state = state(own, "").build();
            let (here, there) = (format!("here:{own}"), format!("far:{far}"));
            let mut raised = pair(&me(), &link(&here, &there));
            raised.reverse();
            let lowered = pair(&me(), &link(&there, &here));
            for (mut now, steps) in [(link(&there, &here), raised), (link(&here, &there), lowered)] {
                for (property, value) in steps {
                    assert_eq!(other_names(&me(), &now, &state), ("far", far), "{now:?}");
                    let value = value.unwrap();
                    match property.as_str() {
                        "zrep:src-host" => now.src_host = value,
                        "zrep:src-fs" => now.src_fs = value,
                        "zrep:dest-host" => now.dest_host = value,
                        _ => now.dest_fs = value,
                    }
                }
                assert_eq!(other_names(&me(), &now, &state), ("far", far), "{now:?}");
            }
        }
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
