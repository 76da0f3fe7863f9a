//! One file for each verb. A verb looks, plans, executes, and says what came of it.

use serde_json::{Value, json};

use crate::cli::Verb;
use crate::execute::Done;
use crate::exit::Exit;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::session::Session;
use crate::ui::problem_json;
use zfs_ffi::DatasetName;

mod abort;
mod expire;
mod failover;
mod gate;
mod init;
mod list;
mod patience;
mod refresh;
mod rejoin;
mod serve;
mod status;
mod sync;
mod takeover;
pub mod version;

/// Runs a verb, and tells its exit code.
pub fn run(verb: &Verb, session: &Session) -> Exit {
    match verb {
        Verb::Init(args) => init::run(args, session),
        Verb::Sync(args) => sync::run(args, session),
        Verb::Status(args) => status::run(args, session),
        Verb::List(args) => list::run(args, session),
        Verb::Expire(args) => expire::run(args, session),
        Verb::Failover(args) => failover::run(args, session),
        Verb::Takeover(args) => takeover::run(args, session),
        Verb::Rejoin(args) => rejoin::run(args, session),
        Verb::Gate(args) => gate::run(args, session),
        Verb::Refresh(args) => refresh::run(args, session),
        Verb::Serve(args) => serve::run(args, session),
        Verb::Version => version::run(&session.ui),
    }
}

/// Does a verb's work on one dataset after the other. One that cannot be done does not stop the others.
fn for_each(
    session: &Session,
    verb: &str,
    names: Result<Vec<DatasetName>, Problem>,
    mut one: impl FnMut(&DatasetName) -> Result<Value, Problem>,
) -> Exit {
    let names = match names {
        Ok(names) => names,
        Err(problem) => return fail(session, verb, &problem),
    };
    let mut exit = Exit::Success;
    let mut results = Vec::with_capacity(names.len());
    for name in names {
        results.push(one(&name).unwrap_or_else(|problem| {
            session.ui.problem(&problem);
            exit = exit.and(problem.exit());
            failed_json(name.as_str(), &problem)
        }));
    }
    session
        .ui
        .json(verb, exit == Exit::Success, json!({ "results": results }));
    exit
}

/// The end of a verb that failed as a whole.
fn fail(session: &Session, verb: &str, problem: &Problem) -> Exit {
    session.ui.problem(problem);
    session
        .ui
        .json(verb, false, json!({ "error": problem_json(problem), "results": [] }));
    problem.exit()
}

/// What a plan would do, for `--dry-run`.
fn show_plan(session: &Session, dataset: &str, plan: &Plan) {
    for note in &plan.notes {
        session.ui.say(&format!("note: {note}"));
    }
    if plan.stages.is_empty() {
        session.ui.say(&format!("{dataset}: nothing to do."));
    }
    plan.lines().iter().for_each(|line| session.ui.say(line));
}

/// A plan, and what was done of it, for scripts.
fn result_json(dataset: &str, plan: &Plan, done: Option<&Done>) -> Value {
    let created = done.and_then(Done::created);
    json!({
        "dataset": dataset,
        "ok": true,
        "notes": plan.notes,
        "plan": plan.lines(),
        "executed": done.is_some(),
        "snapshot": created.map(|(name, _)| name.to_string()),
        // As text: many readers of JSON keep no more than 53 bits of a number.
        "guid": created.map(|(_, guid)| guid.to_string()),
        "bytes": done.map(Done::bytes),
    })
}

/// A dataset that was refused or failed, for scripts.
fn failed_json(dataset: &str, problem: &Problem) -> Value {
    json!({ "dataset": dataset, "ok": false, "error": problem_json(problem) })
}
