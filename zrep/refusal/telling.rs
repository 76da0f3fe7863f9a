//! The words of each refusal.

use super::{Telling, Why, counted, quoted};

impl Why {
    /// Whether it is a lock that a loop holds.
    pub fn is_a_loop(&self) -> bool {
        matches!(self, Self::Locked { command: Some(command), .. } if command.contains("--every"))
    }

    pub(super) fn telling(&self, dataset: &str) -> Telling {
        let pasted = quoted(dataset);
        let tell = |what: String, expected: String, found: String, help: String| Telling {
            what,
            expected,
            found,
            help,
        };
        match self {
            Self::Missing => tell(
                "dataset does not exist".into(),
                "a filesystem or volume of this name".into(),
                "none; its pool may not be imported".into(),
                "look at `zfs list` and `zpool import`".into(),
            ),
            Self::NothingReceived => tell(
                "has not received its first snapshot yet".into(),
                "at least one whole snapshot".into(),
                "a receive that was interrupted, or is under way".into(),
                "complete it with `zrep init` on the source's side".into(),
            ),
            Self::TargetGone { source, host } => tell(
                "dataset does not exist".into(),
                format!("the replica of {source}"),
                "none; its pool may not be imported".into(),
                format!(
                    "`zpool import` if it only is out of reach; `zrep init {} {host} {pasted}` sends everything anew",
                    quoted(source.as_str())
                ),
            ),
            Self::NotPaired { tag } => tell(
                format!("has no {tag} pairing"),
                format!("properties {tag}:dest-fs and {tag}:dest-host set on it"),
                "none of its own".into(),
                format!("set up a pairing with `zrep init {pasted} HOST TARGET`; `zrep list` shows the ones there are"),
            ),
            Self::AlreadyPaired { with, master, tag } => tell(
                format!("is paired with {with} already"),
                format!("no {tag}: properties on it, or the same target as before"),
                if *master {
                    format!("{tag}:master=yes")
                } else {
                    format!("{tag}:dest-fs, without {tag}:master")
                },
                if *master {
                    format!("`zrep sync {pasted}` brings that up to date; another tag (-t) is for a second target")
                } else {
                    format!("`zrep status {pasted}` shows that pairing; another tag (-t) is for a second one")
                },
            ),
            Self::NotMaster { tag, master } => tell(
                "is not the master".into(),
                format!("{tag}:master=yes, set on the dataset itself"),
                master
                    .as_ref()
                    .map_or("no master".into(), |master| format!("a replica of {master}")),
                format!(
                    "if you have just turned the pair, that is done. Otherwise run the command where the master is; `zrep takeover {pasted}` makes this side the master"
                ),
            ),
            Self::OtherHost { found, me } => tell(
                format!("belongs to host {found}"),
                format!("src-host={me}, this host"),
                format!("src-host={found}"),
                format!("run the command on {found}; if this host was renamed, set ZREP_SRC_HOST={found}"),
            ),
            Self::BadHostInProperty { property, error } => tell(
                format!("{property}: {error}"),
                "the name of a host".into(),
                "a value that zrep does not pass on to ssh".into(),
                format!("`zfs get {property} {pasted}` shows who set it where; set it right, or `zfs inherit` it"),
            ),
            Self::SplitBrain { tag, other, finish } => tell(
                format!("{other} is master, too"),
                "one master".into(),
                "two; what either has written since the last sync is not on the other".into(),
                finish.clone().unwrap_or_else(|| {
                    let end = |name: &str| {
                        format!(
                            "`zfs set readonly=on {}` and `zfs inherit {tag}:master {}`",
                            quoted(name),
                            quoted(name)
                        )
                    };
                    format!(
                        "decide which side goes on, and save what you need from the other; to end its role: {}, or {}",
                        end(dataset),
                        end(other)
                    )
                }),
            ),
            Self::Superseded { epoch, own, other } => tell(
                format!("was superseded: {other} is the master, in epoch {epoch}"),
                format!("no side with an epoch above {own}, the one of {dataset}"),
                format!("epoch {epoch} on {other}"),
                format!(
                    "nothing is sent between the two until it has rejoined: `zrep rejoin {pasted}`, typed on its machine, makes it the replica, and keeps what only it has"
                ),
            ),
            Self::Fenced { epoch } => tell(
                format!("was superseded in epoch {epoch}, and is fenced"),
                "a master that no other side has superseded".into(),
                format!("the other side was made the master while this one could not be reached (epoch {epoch})"),
                format!("`zrep rejoin {pasted}` makes it the replica, and keeps aside what only it has"),
            ),
            Self::BadEpoch { property, found } => tell(
                format!("{property} is no number"),
                "a number from 0 up, as zrep sets it".into(),
                format!("{property}={found:?}"),
                format!(
                    "look at {property} on the other side; the master's is the higher one: `zfs set {property}=… {pasted}`"
                ),
            ),
            Self::InDoubt { other } => tell(
                format!("a failover to {other} was cut off, and may have passed its point of no return"),
                format!("{other} in reach, to tell which side is the master"),
                "no answer".into(),
                format!(
                    "any zrep command settles it as soon as {other} answers; if it is gone for good: `zrep failover --abort --force {pasted}`"
                ),
            ),
            Self::NotSuperseded { other } => tell(
                format!("was not superseded: {other} is not the master"),
                "a master on the other side, of a later epoch".into(),
                format!("{other}, which is a replica"),
                format!("`zrep sync {pasted}` goes on as before; what diverged on {other} is rejoined there"),
            ),
            Self::NotEncrypted => tell(
                "is not encrypted, and can only be sent in the clear".into(),
                "an encrypted source, for --raw".into(),
                "encryption=off".into(),
                "leave --raw out, or replicate a copy of it that lies below an encrypted dataset".into(),
            ),
            Self::InTheClear { source, property } => tell(
                format!("is not encrypted, and {source} is"),
                "an encrypted target: what is encrypted leaves raw".into(),
                "a target that would hold the data in the clear".into(),
                format!(
                    "`zrep init` to another target sends it raw; if it shall leave in the clear: `zfs set {property}=yes {}`",
                    quoted(source.as_str())
                ),
            ),
            Self::BadGate { property, found } => tell(
                format!("{property} is neither strict nor open"),
                "strict (read-only while its peer cannot be asked) or open".into(),
                format!("{property}={found:?}"),
                format!("`zfs set {property}=strict {pasted}`"),
            ),
            Self::NothingBegun => tell(
                "no failover was begun that could be given up".into(),
                "a failover that was cut off".into(),
                "none".into(),
                format!("`zrep status -v {pasted}` shows the pairing"),
            ),
            Self::MasterAlready => tell(
                "is the master already".into(),
                "a replica".into(),
                "the master of its pairing".into(),
                format!("there is nothing to take over or to fetch; `zrep status -v {pasted}` shows the pairing"),
            ),
            Self::Locked {
                pid,
                command,
                since,
                property,
            } => tell(
                format!(
                    "process {pid}{} works on it",
                    command.as_ref().map(|c| format!(" ({c})")).unwrap_or_default()
                ),
                "no lock, or one of a process that has ended".into(),
                format!(
                    "{property}={pid}{}",
                    since.as_ref().map(|t| format!(", since {t}")).unwrap_or_default()
                ),
                if self.is_a_loop() {
                    format!(
                        "it syncs for ever, and is in the middle of a long round: type the command again later, or end it there (`kill {pid}`), and start it again afterwards"
                    )
                } else {
                    format!("wait until it has finished; if that process is no zrep: `zfs inherit {property} {pasted}`")
                },
            ),
            Self::TargetExists => tell(
                "exists already, and init does not overwrite".into(),
                "no dataset of this name".into(),
                "one that this pairing has not made".into(),
                format!(
                    "choose another name{}",
                    if dataset.contains('/') {
                        format!(
                            ", or move it away: `zfs rename {pasted} {}`",
                            quoted(&format!("{dataset}.old"))
                        )
                    } else {
                        String::new()
                    }
                ),
            ),
            Self::NoParent { parent, is_volume } => tell(
                format!("{parent} cannot hold it"),
                format!("a filesystem {parent}"),
                if *is_volume {
                    "a volume".into()
                } else {
                    "nothing of that name; its pool may not be imported".into()
                },
                match (is_volume, parent.contains('/')) {
                    (true, _) => "choose a target below a filesystem".into(),
                    (false, true) => format!("`zfs create -p {}`, or `zpool import`", quoted(parent)),
                    (false, false) => {
                        "`zpool import` shows the pools that could be imported; `zpool list` those that are".into()
                    }
                },
            ),
            Self::Overlap { other } => tell(
                format!("it and {other} overlap"),
                "two datasets of which neither contains the other".into(),
                format!("{dataset} and {other}"),
                "choose a target elsewhere".into(),
            ),
            Self::NoCommonSnapshot {
                source,
                source_newest,
                target_newest,
                host,
            } => tell(
                format!("has no snapshot in common with {source}"),
                "the last sent snapshot on both sides, with the same guid".into(),
                format!(
                    "newest on the source: {}; newest here: {}",
                    or_none(source_newest),
                    or_none(target_newest)
                ),
                format!(
                    "it cannot be updated any more: keep it as `zfs rename {pasted} {}`, then `zrep init {} {host} {pasted}` sends everything anew",
                    quoted(&format!("{dataset}.old")),
                    quoted(source.as_str())
                ),
            ),
            Self::Diverged {
                common,
                target_only,
                source,
            } => tell(
                format!(
                    "has {} that {source} does not have",
                    counted(target_only.len(), "snapshot")
                ),
                format!("{common} as its newest snapshot"),
                format!("newer than that: {}", target_only.join(", ")),
                format!(
                    "`zrep sync -f {}` rolls it back to {common} and discards them; `zfs clone` one of them first if you need it",
                    quoted(source.as_str())
                ),
            ),
            Self::BadSavecount { found, property } => tell(
                format!("{property} is not a number from 1 up"),
                "how many snapshots to keep, such as 5".into(),
                format!("{property}={found:?}"),
                format!("`zfs set {property}=5 {pasted}`"),
            ),
            Self::BadNameInProperty { property, error } => tell(
                format!("{property}: {error}"),
                "the name of a dataset".into(),
                format!("{error}"),
                format!("correct it with `zfs set {property}=… {pasted}`"),
            ),
            Self::OtherKind { source, target } => tell(
                format!("is a {target}"),
                format!("a {source}, as its source"),
                format!("a {target}"),
                "set the pairing up again with another target".into(),
            ),
            Self::ForeignPartial { to_name, to_guid } => tell(
                format!("holds an interrupted receive of {to_name}, which is not of this pairing"),
                "no interrupted receive, or one of the source's snapshots".into(),
                format!("guid {to_guid}"),
                format!("let its sender finish it, or drop it with `zfs receive -A {pasted}`"),
            ),
            Self::BadSnapshotName(error) => tell(
                format!("{error}"),
                "room for a snapshot's name behind the dataset's (255 bytes in all)".into(),
                format!("{} bytes", dataset.len()),
                "use a shorter name".into(),
            ),
            Self::Snapshot(why) => why.telling(dataset),
            Self::NotConfirmed { verb, would, asked } => tell(
                format!("{verb} destroys, and nobody has agreed to that"),
                "the word yes on a terminal, or -f".into(),
                if *asked {
                    "another word".into()
                } else {
                    "no terminal to ask on".into()
                },
                format!("`zrep {verb} -f {pasted}` does this: {}", would.join("; ")),
            ),
            Self::Renamed { pair } => tell(
                "is not the dataset that its zrep properties speak of".into(),
                format!("one whose properties name {dataset}"),
                format!("those of {pair}"),
                "it was renamed: give it its name back (`zfs rename`), or name the dataset that replaced it".into(),
            ),
            Self::Nested { top, tag } => tell(
                format!("has a pairing of its own within the recursive pairing of {top}"),
                format!("no {tag}: properties on it, or a top that is not recursive"),
                format!("{tag}:dest-fs set on it; neither it nor what is below it is replicated with {top}"),
                format!(
                    "give up one of the two pairings (`zfs inherit {tag}:dest-fs {pasted}`, and so on for its {tag}: properties), or set it up with another tag (-t)"
                ),
            ),
            Self::InsideRecursive { top, tag } => tell(
                format!("lies in the tree of {top}, which is paired recursively"),
                format!("a dataset that no recursive pairing of tag {tag} takes along"),
                format!("{tag}:recursive=yes on {top}"),
                format!(
                    "name {} instead, which takes it along; a second target of it is for another tag (-t), and a new target goes elsewhere",
                    quoted(top.as_str())
                ),
            ),
            Self::BadChildName { child, error } => tell(
                format!("{child} cannot have a name below it: {error}"),
                "names that ZFS allows on both sides".into(),
                child.to_string(),
                format!("give {} a shorter name", quoted(child.as_str())),
            ),
            Self::PlaceTaken { source } => tell(
                format!(
                    "is not a replica of {source}: they have no snapshot in common, or another child is to get this name"
                ),
                "no dataset of this name, or one with a snapshot of that child".into(),
                format!(
                    "a dataset that zrep keeps, because it may be the last copy of what was destroyed on the other side; {source} is not replicated"
                ),
                format!(
                    "`zfs rename {pasted} NEW-NAME` keeps it; once nobody needs it, destroy it. The next sync sends {source} in full"
                ),
            ),
            Self::ParentMissing { source } => tell(
                format!("cannot be received: what {source} lies in is not there"),
                "the dataset that it lies in".into(),
                "none; it was refused itself, or has traded places with another one".into(),
                "see to the dataset above it first".into(),
            ),
            Self::NotRecursive { child, tag } => tell(
                "is not paired recursively".into(),
                format!(
                    "{tag}:recursive=yes, which `zrep -R init` sets, or children on the target that have snapshots of those on the source"
                ),
                format!("a pairing of this dataset alone, with {child} below it"),
                format!(
                    "leave -R (or ZREP_R=-R) out to replicate it alone; pair what is below it by itself, or set up a recursive pairing under another tag: `zrep -t TAG -R init {pasted} HOST TARGET`"
                ),
            ),
            Self::RecursiveOnOneSide {
                other,
                property,
                command,
            } => tell(
                format!("is not paired recursively, and {other} is"),
                format!("{property}=yes on both sides, or on none"),
                format!("it is set on {other} only"),
                format!(
                    "`{command}` makes both recursive; `zfs inherit {property} {}`, typed on its machine, none",
                    quoted(other.as_str())
                ),
            ),
            Self::NotAloneBelow { other, to } => tell(
                format!("was renamed on the source, and has {other} in it, which is no part of this pairing"),
                "nothing below it but what the pairing has made".into(),
                other.to_string(),
                format!(
                    "rename it by hand where that is right: `zfs rename {pasted} {}`; or move {other} elsewhere first",
                    quoted(to.as_str())
                ),
            ),
            Self::TargetUnpaired { source } => tell(
                format!("has no pair, although {source} names it as its target"),
                "a replica, or one that names the same two datasets".into(),
                "none; perhaps a `zrep rejoin` there was cut off, or the pair was cleared on one side".into(),
                format!(
                    "there: `zrep rejoin {pasted}` where that was cut off; else `zrep changeconfig` there, which makes it the replica again"
                ),
            ),
            Self::LosesItsParent => tell(
                "would lose its place: what it lies in is kept aside, and the new master has nothing of it".into(),
                "a dataset that the new master has, too, for what has a pairing of its own".into(),
                "one that was made behind the last sync".into(),
                format!(
                    "move it for now: `zfs rename {pasted} NAME` with a name outside of this tree; then the same command again"
                ),
            ),
            Self::NotForTrees { what, help } => tell(
                format!("is paired recursively, and {what}"),
                "a pairing of one dataset".into(),
                "a pairing of a tree".into(),
                help.clone(),
            ),
            Self::NotMutual { tag, other, found } => tell(
                format!("does not name {other} as its other side"),
                format!("src-fs and dest-fs that name {dataset} and {other}"),
                found.clone(),
                format!(
                    "if they are a pair: `zfs set {tag}:dest-fs={} {}` on the master, and `zfs set {tag}:src-fs=` with the master's name on the replica",
                    quoted(other),
                    pasted
                ),
            ),
        }
    }
}

fn or_none(name: &Option<String>) -> &str {
    name.as_deref().unwrap_or("none")
}
