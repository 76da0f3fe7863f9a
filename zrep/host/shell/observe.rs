//! Reading what is there: all of a dataset in one round trip.

use std::collections::BTreeMap;

use super::answer::Answer;
use super::parse::{basic_state, bookmarks_of, copied, short_of, snapshots_of, three, user, user_names};
use super::{Shell, error, token};
use crate::host::{Error, ErrorKind};
use crate::model::{Origin, Setting, Snapshot, State};
use crate::ssh::quoted;
use zfs_ffi::DatasetName;

/// So many snapshots are named in one command line.
const AT_ONCE: usize = 200;

/// What every dataset has. `inconsistent` is not listed among `all`.
const BASIC: &str = "type,guid,readonly,encryption,written,referenced,inconsistent";

/// The steps of a glance. The last one is about a receive that was interrupted.
///
/// N.B. `zfs send` fails where the sender's snapshot is not on this machine, behind what it was asked for.
fn basics(name: &str) -> Vec<String> {
    let name = quoted(name);
    let get = format!("zfs get -Hp -o value receive_resume_token {name}");
    vec![
        format!("zfs get -Hp -o property,value,source {BASIC} {name}"),
        format!("zfs get -Hp -o property,source all {name}"),
        format!("zfs get -Hp -o property,value,source all {name}"),
        format!("token=$({get}) && case $token in -|'') ;; *) zfs send -nvt \"$token\" 2>&1 || : ;; esac"),
    ]
}

fn list(kind: &str, columns: &str, name: &str) -> String {
    format!("zfs list -Hp -t {kind} -d 1 -o {columns} -s createtxg {}", quoted(name))
}

fn list_snapshots(name: &DatasetName) -> String {
    list("snapshot", "name,guid,createtxg,creation", name.as_str())
}

impl Shell {
    /// Everything about a dataset, or `None` if it is not there.
    pub(super) fn state(&self, name: &DatasetName) -> Result<Option<State>, Error> {
        let lists = [
            list_snapshots(name),
            list("bookmark", "name,guid,createtxg", name.as_str()),
        ];
        let answers = self.look(&[basics(name.as_str()), lists.to_vec()].concat())?;
        let Some(answers) = self.found(answers)? else {
            return Ok(None);
        };
        let [basics @ .., snapshots, bookmarks] = answers.as_slice() else {
            return Err(self.unreadable(name));
        };
        Ok(Some(State {
            snapshots: snapshots_of(name, &snapshots.out),
            bookmarks: bookmarks_of(name, &bookmarks.out),
            ..self.basic(name, basics)?
        }))
    }

    /// The same without its snapshots and bookmarks.
    pub(super) fn state_alone(&self, name: &DatasetName) -> Result<Option<State>, Error> {
        let answers = self.look(&basics(name.as_str()))?;
        let found = self.found(answers)?;
        found.map(|answers| self.basic(name, &answers)).transpose()
    }

    fn basic(&self, name: &DatasetName, answers: &[Answer]) -> Result<State, Error> {
        let [basic, names, all, token] = answers else {
            return Err(self.unreadable(name));
        };
        let partial = match token.out.trim() {
            "" => None,
            text => Some(token::partial(text).ok_or_else(|| self.unreadable(name))?),
        };
        Ok(State {
            user: match user(&names.out, &all.out) {
                Some(user) => user,
                None => self.user_one_by_one(name, &names.out)?,
            },
            copied: copied(&all.out),
            partial,
            host: self.host.to_string(),
            ..basic_state(name, &basic.out).ok_or_else(|| self.unreadable(name))?
        })
    }

    /// N.B. a value may hold line breaks, and what follows them can look like any other property. So each is asked for alone.
    fn user_one_by_one(&self, name: &DatasetName, names: &str) -> Result<BTreeMap<String, Setting>, Error> {
        let named: Vec<(&str, Origin)> = user_names(names)
            .filter(|(property, _)| !property.starts_with('-'))
            .collect();
        let get = |property: &str| format!("zfs get -Hp -o value {} {}", quoted(property), quoted(name.as_str()));
        let steps: Vec<String> = named.iter().map(|(property, _)| get(property)).collect();
        let answers = self.look_all(&steps)?;
        let values = answers
            .into_iter()
            .map(|answer| answer.out.strip_suffix('\n').unwrap_or(&answer.out).to_owned());
        Ok(named
            .into_iter()
            .zip(values)
            .map(|((property, origin), value)| (property.to_owned(), Setting { value, origin }))
            .collect())
    }

    /// The snapshots that are younger than a transaction group, with the properties of their own; none of a dataset that is not there.
    pub(super) fn younger(&self, name: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error> {
        let answers = self.look(&[list_snapshots(name)])?;
        let Some(listed) = self.found(answers)? else {
            return Ok(Vec::new());
        };
        let listed: String = listed.into_iter().map(|answer| answer.out).collect();
        let mut snapshots = snapshots_of(name, &listed);
        snapshots.retain(|snapshot| snapshot.createtxg > txg);
        for some in snapshots.chunks_mut(AT_ONCE) {
            self.add_properties(name, some)?;
        }
        Ok(snapshots)
    }

    fn add_properties(&self, name: &DatasetName, snapshots: &mut [Snapshot]) -> Result<(), Error> {
        let full = snapshots
            .iter()
            .filter_map(|snapshot| name.snapshot(&snapshot.name).ok());
        let full: Vec<String> = full.map(|snapshot| quoted(snapshot.as_str())).collect();
        let get = format!("zfs get -Hp -s local -o name,property,value all {}", full.join(" "));
        let Some(got) = self.found(self.look(&[get])?)? else {
            return Ok(());
        };
        for (on, property, value) in got.iter().flat_map(|answer| answer.out.lines()).filter_map(three) {
            let on = short_of(name, on);
            let snapshot = snapshots.iter_mut().find(|snapshot| Some(snapshot.name.as_str()) == on);
            if let Some(snapshot) = snapshot.filter(|_| property.contains(':')) {
                snapshot.user.insert(property.to_owned(), value.to_owned());
            }
        }
        Ok(())
    }

    /// The names of all filesystems and volumes that have a property of their own.
    pub(super) fn having(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        let get = "zfs get -H -o name -t filesystem,volume -s local,received";
        let answers = self.look_all(&[format!("{get} {}", quoted(property))])?;
        let mut found: Vec<DatasetName> = answers
            .iter()
            .flat_map(|answer| answer.out.lines())
            .filter_map(|name| DatasetName::new(name).ok())
            .collect();
        found.sort();
        Ok(found)
    }

    fn unreadable(&self, what: &DatasetName) -> Error {
        let text = format!(
            "{what}: zfs on host {} answers in a way that is not understood",
            self.host
        );
        Error::new(ErrorKind::Other, text)
    }

    /// The answers, or `None` if what they are about is not there.
    fn found(&self, answers: Vec<Answer>) -> Result<Option<Vec<Answer>>, Error> {
        let failed = answers.last().filter(|answer| answer.status != 0);
        match failed.map(|answer| error::of_zfs(self.host.as_str(), &answer.err)) {
            None => Ok(Some(answers)),
            Some(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Some(error) => Err(error),
        }
    }
}
