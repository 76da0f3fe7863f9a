//! `zrep list -s`: all snapshots of datasets and of those below them, by whomever, with their times.

use serde_json::{Value, json};

use super::super::fail;
use crate::cli::ListArgs;
use crate::clock;
use crate::exit::Exit;
use crate::model::{Side, Snapshot};
use crate::problem::Problem;
use crate::session::Session;
use zfs_ffi::DatasetName;

/// The format in which `zfs list` shows a time.
const TIME: &str = "%a %b %e %k:%M %Y";

/// Names the snapshots, oldest first, of one dataset after the other; of this host's masters if none is named.
pub(super) fn run(args: &ListArgs, session: &Session) -> Exit {
    match lists(args, session) {
        Ok(lists) => {
            if lists.is_empty() {
                session.ui.note("no master on this host.");
            }
            lists.iter().for_each(|list| say(session, list));
            let results: Vec<Value> = lists.iter().map(json_of).collect();
            session.ui.json("list", true, json!({ "results": results }));
            Exit::Success
        }
        Err(problem) => fail(session, "list", &problem),
    }
}

/// A dataset, and the snapshots of it and of those below it.
struct List {
    dataset: DatasetName,
    snapshots: Vec<(DatasetName, Snapshot)>,
}

fn lists(args: &ListArgs, session: &Session) -> Result<Vec<List>, Problem> {
    let names = match args.datasets.as_slice() {
        [] => session.masters()?,
        words => words
            .iter()
            .map(|word| Ok(DatasetName::new(word)?))
            .collect::<Result<_, Problem>>()?,
    };
    let list = |dataset: DatasetName| {
        let mut snapshots = Vec::new();
        collect(session, &dataset, &mut snapshots)?;
        Ok(List { dataset, snapshots })
    };
    names.into_iter().map(list).collect()
}

fn collect(session: &Session, name: &DatasetName, into: &mut Vec<(DatasetName, Snapshot)>) -> Result<(), Problem> {
    let state = session.require_with_marks(Side::Source, name)?;
    into.extend(state.snapshots.into_iter().map(|snapshot| (name.clone(), snapshot)));
    for child in session.children(name)? {
        collect(session, &child, into)?;
    }
    Ok(())
}

fn say(session: &Session, list: &List) {
    let rows = list.snapshots.iter().map(|(dataset, snapshot)| {
        let time = clock::formatted(snapshot.creation, TIME);
        (format!("{dataset}@{}", snapshot.name), time)
    });
    let rows: Vec<(String, String)> = [("NAME".to_owned(), "CREATION".to_owned())]
        .into_iter()
        .chain(rows)
        .collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, time) in rows {
        session.ui.say(&format!("{name:<width$}  {time}"));
    }
}

fn json_of(list: &List) -> Value {
    let one = |(dataset, snapshot): &(DatasetName, Snapshot)| {
        json!({
            "name": format!("{dataset}@{}", snapshot.name),
            "guid": snapshot.guid.to_string(),
            "creation": snapshot.creation,
        })
    };
    json!({
        "dataset": list.dataset.as_str(),
        "ok": true,
        "snapshots": list.snapshots.iter().map(one).collect::<Vec<_>>(),
    })
}
