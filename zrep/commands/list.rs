//! `zrep list`

use serde_json::{Map, Value, json};

use super::fail;
use crate::cli::ListArgs;
use crate::exit::Exit;
use crate::model::{Origin, Side, State};
use crate::plan::condition;
use crate::plan::pairing::{Identity, link_of};
use crate::problem::Problem;
use crate::props::View;
use crate::refusal::Refusal;
use crate::session::Session;
use zfs_ffi::DatasetName;

mod snapshots;

/// Names the paired datasets, one on a line; with `-v` tells what is set on each, with `-s` names the snapshots instead.
pub(super) fn run(args: &ListArgs, session: &Session) -> Exit {
    if args.snapshots {
        return snapshots::run(args, session);
    }
    match operands(args, session) {
        Ok(Operands { names, exit }) => {
            let details = names.iter().map(|name| one(args, session, name)).collect::<Vec<_>>();
            let exit = details.iter().filter_map(|(_, exit)| *exit).fold(exit, Exit::and);
            let names: Vec<&str> = names.iter().map(DatasetName::as_str).collect();
            let results: Vec<Value> = details.into_iter().filter_map(|(detail, _)| detail).collect();
            let fields = json!({ "datasets": names, "results": results });
            session.ui.json("list", exit == Exit::Success, fields);
            exit
        }
        Err(problem) => fail(session, "list", &problem),
    }
}

/// The datasets that are listed, and whether all that were named are there.
struct Operands {
    names: Vec<DatasetName>,
    exit: Exit,
}

fn operands(args: &ListArgs, session: &Session) -> Result<Operands, Problem> {
    let all = |names| Operands {
        names,
        exit: Exit::Success,
    };
    match (args.datasets.is_empty(), args.masters) {
        (true, true) => session.masters().map(all),
        (true, false) => session.paired().map(all),
        (false, _) => named(args, session),
    }
}

/// Of the datasets that were named those that are paired. The others are passed over, but they must be there.
fn named(args: &ListArgs, session: &Session) -> Result<Operands, Problem> {
    let mut found = Operands {
        names: Vec::new(),
        exit: Exit::Success,
    };
    for word in &args.datasets {
        let name = DatasetName::new(word)?;
        match session.require(Side::Source, &name) {
            Ok(state) if is_listed(args, &session.settings.me, &state) => found.names.push(name),
            Ok(_) => {}
            Err(problem) => {
                session.ui.problem(&problem);
                found.exit = found.exit.and(problem.exit());
            }
        }
    }
    Ok(found)
}

fn is_listed(args: &ListArgs, me: &Identity, state: &State) -> bool {
    let view = View::new(state, &me.tag);
    let is_ours = || link_of(me, state).is_ok_and(|link| me.is_here(&link.src_host));
    view.is_paired() && (!args.masters || view.is_master() && is_ours())
}

/// What is said of one dataset, and for scripts where more than its name is wanted.
fn one(args: &ListArgs, session: &Session, name: &DatasetName) -> (Option<Value>, Option<Exit>) {
    if !args.verbose {
        session.ui.say(name.as_str());
        return (None, None);
    }
    match detail(session, name) {
        Ok(value) => {
            if args.datasets.is_empty() {
                session.ui.say("");
            }
            (Some(value), None)
        }
        Err(problem) => {
            session.ui.problem(&problem);
            (None, Some(problem.exit()))
        }
    }
}

/// N.B. the first lines are shell zrep's: scripts read them. What is indented is ours.
fn detail(session: &Session, name: &DatasetName) -> Result<Value, Problem> {
    let me = &session.settings.me;
    let state = session.require_with_marks(Side::Source, name)?;
    let view = View::new(&state, &me.tag);
    let link = link_of(me, &state).map_err(|why| Refusal::source(name, why))?;
    let last = view.last_sent().map(|last| format!("{name}@{}", last.name));
    let properties = set_here(&state);
    let role = if view.is_master() { "master" } else { "replica" };
    session.ui.say(&format!("{name}:"));
    for (property, value) in &properties {
        session.ui.columns(&[property, value]);
    }
    session.ui.say(&format!(
        "last snapshot synced: {}",
        last.as_deref().unwrap_or_default()
    ));
    session.ui.say(&format!(
        "    {role} in epoch {}: {}:{} -> {}:{}",
        view.epoch(),
        link.src_host,
        link.src_fs,
        link.dest_host,
        link.dest_fs
    ));
    if view.is_recursive() {
        session.ui.say("    recursive: all datasets below are part of it");
    }
    let condition = condition::of(me, &state);
    if let Some(told) = condition.told(&state) {
        session.ui.say(&format!("    {told}"));
    }
    let properties: Map<String, Value> = properties
        .into_iter()
        .map(|(name, value)| (name, json!(value)))
        .collect();
    Ok(json!({
        "dataset": name.as_str(),
        "role": role,
        "epoch": view.epoch(),
        "last_sent": last,
        "condition": condition.word(),
        "next_command": condition.next_command(&state),
        "properties": properties,
    }))
}

/// The user properties that are set on the dataset itself or came with a stream, and `readonly` where it is one of these.
fn set_here(state: &State) -> Vec<(String, String)> {
    let is_own = |origin: Origin| matches!(origin, Origin::Local | Origin::Received);
    let readonly = is_own(state.readonly_origin).then(|| {
        let value = if state.readonly { "on" } else { "off" };
        ("readonly".to_owned(), value.to_owned())
    });
    let user = state.user.iter().filter(|(_, setting)| is_own(setting.origin));
    let user = user.map(|(name, setting)| (name.clone(), setting.value.clone()));
    readonly.into_iter().chain(user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notation::state;

    #[test]
    fn what_is_inherited_is_not_set_here() {
        let state = state("b/fs", "")
            .replica()
            .user("zrep:savecount", "3", Origin::Inherited)
            .user("my:note", "x", Origin::Local)
            .build();
        let found = set_here(&state);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "readonly",
                "my:note",
                "zrep:dest-fs",
                "zrep:dest-host",
                "zrep:src-fs",
                "zrep:src-host"
            ]
        );
    }
}
