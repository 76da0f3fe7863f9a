//! One file for each verb. A verb looks, plans, executes, and says what came of it.

use serde_json::{Value, json};

use crate::cli::Verb;
use crate::execute::Done;
use crate::exit::Exit;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::session::Session;
use crate::settings::BadSetting;
use crate::ui::{Ui, problem_json};
use zfs_ffi::DatasetName;

mod abort;
mod changeconfig;
mod clear;
mod expire;
mod failover;
mod gate;
mod getlastsent;
mod init;
mod list;
mod patience;
mod quiet;
mod refresh;
mod refreshcomplete;
mod refreshpull;
mod rejoin;
mod rollback;
mod sentsync;
mod serve;
mod snaponly;
mod status;
pub(crate) mod sync;
mod synconly;
mod takeover;
mod uptodate;
pub mod version;

/// Runs a verb, and tells its exit code.
pub fn run(verb: &Verb, session: &Session) -> Exit {
    match verb {
        Verb::Init(args) => init::run(args, session),
        Verb::Sync(args) => sync::run(args, session),
        Verb::Status(args) => status::run(args, session),
        Verb::List(args) => list::run(args, session),
        Verb::Getlastsent(args) => getlastsent::run(args, session),
        Verb::Uptodate(args) => uptodate::run(args, session),
        Verb::Expire(args) => expire::run(args, session),
        Verb::Clear(args) => clear::run(args, session),
        Verb::Changeconfig(args) => changeconfig::run(args, session),
        Verb::Sentsync(args) => sentsync::run(args, session),
        Verb::Failover(args) => failover::run(args, session),
        Verb::Takeover(args) => takeover::run(args, session),
        Verb::Rejoin(args) => rejoin::run(args, session),
        Verb::Gate(args) => gate::run(args, session),
        Verb::Refresh(args) => refresh::run(args, session),
        Verb::Snaponly(args) => snaponly::run(args, session),
        Verb::Synconly(args) => synconly::run(args, session),
        Verb::Refreshpull(args) => refreshpull::run(args, session),
        Verb::Refreshcomplete(args) => refreshcomplete::run(args, session),
        Verb::Serve(args) => serve::run(args, session),
        Verb::Version => version::run(&session.ui),
    }
}

/// Whether a verb is a check for monitoring, which wants an answer in any case.
pub fn is_check(verb: &Verb) -> bool {
    matches!(verb, Verb::Status(args) if args.monitor)
}

/// The answer of a check that could not even be begun.
pub fn unknown(ui: &Ui, problem: &Problem) -> Exit {
    status::monitor::unknown(ui, problem)
}

/// Refuses `-R` for a verb that would do something else with one dataset than with a tree.
///
/// # Errors
///
/// The verb works on one dataset.
pub fn require_for_trees(verb: &Verb) -> Result<(), Problem> {
    match verb {
        Verb::Init(_)
        | Verb::Sync(_)
        | Verb::Refresh(_)
        | Verb::Snaponly(_)
        | Verb::Synconly(_)
        | Verb::Expire(_)
        | Verb::Clear(_)
        | Verb::Changeconfig(_)
        | Verb::Failover(_)
        | Verb::Takeover(_)
        | Verb::Rejoin(_)
        | Verb::Gate(_)
        | Verb::Status(_)
        | Verb::List(_)
        | Verb::Getlastsent(_)
        | Verb::Uptodate(_)
        | Verb::Serve(_)
        | Verb::Version => Ok(()),
        Verb::Refreshpull(_) | Verb::Refreshcomplete(_) | Verb::Sentsync(_) => Err(Problem::Setting(BadSetting::new(
            "-R: this verb works on one dataset, and not on those below it",
            "no -R; `zrep sync` and `zrep refresh` take the whole tree of a recursive pairing along",
            "-R",
        ))),
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

/// Does a verb's work on one dataset, which is called `dataset` in what scripts are told.
fn one_result(session: &Session, verb: &str, dataset: &str, one: impl FnOnce() -> Result<Value, Problem>) -> Exit {
    let (result, exit) = match one() {
        Ok(value) => (value, Exit::Success),
        Err(problem) => {
            session.ui.problem(&problem);
            (failed_json(dataset, &problem), problem.exit())
        }
    };
    session
        .ui
        .json(verb, exit == Exit::Success, json!({ "results": [result] }));
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
