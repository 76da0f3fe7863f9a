//! `zrep failover SOURCE`

use serde_json::json;

use super::{failed_json, result_json, show_plan};
use crate::cli::FailoverArgs;
use crate::execute::{self, Done, Failure, Job};
use crate::exit::Exit;
use crate::host::Applied;
use crate::model::{Side, State};
use crate::plan::Action;
use crate::plan::failover::{self, Request};
use crate::plan::pairing::{Identity, link_of};
use crate::problem::Problem;
use crate::session::{Pair, Session, UntilBegun};
use crate::ui::Progress;
use zfs_ffi::DatasetName;

/// Turns a pairing round, asked for on the source's side.
pub(super) fn run(args: &FailoverArgs, session: &Session) -> Exit {
    finish(session, "failover", &args.dataset, turn_from_source(args, session))
}

fn turn_from_source(args: &FailoverArgs, session: &Session) -> Result<serde_json::Value, Problem> {
    let source = DatasetName::new(&args.dataset)?;
    turn(session, args.dry_run, || session.pair_of_source(&source))
}

/// Turns the pairing round that `observe` finds.
pub(super) fn turn(
    session: &Session,
    dry_run: bool,
    observe: impl FnOnce() -> Result<Pair, Problem>,
) -> Result<serde_json::Value, Problem> {
    let lock = (!dry_run).then(|| session.file_lock()).transpose()?;
    let Pair { source, target, ends } = observe()?;
    let me = &session.settings.me;
    let request = Request {
        locking: session.locking(&source, &ends)?,
        now: session.now(),
        force: false,
        changed_only: false,
    };
    for (side, host, state) in [
        (Side::Source, &ends.source, &source),
        (Side::Target, &ends.target, &target),
    ] {
        host.may_turn(&state.name).map_err(|error| Problem::Host {
            side: Some(side),
            dataset: state.name.to_string(),
            error,
        })?;
    }
    let plan = failover::plan(me, &source, &target, &request)?;
    let Some(lock) = lock else {
        show_plan(session, source.name.as_str(), &plan);
        return Ok(result_json(source.name.as_str(), &plan, None));
    };
    plan.notes.iter().for_each(|note| session.ui.note(note));
    session
        .ui
        .say(&format!("Setting readonly on local {}, then syncing", source.name));
    let watcher = session.ui.watcher(Progress::IfTerminal);
    let done = execute::run(
        Job {
            ends,
            plan: plan.clone(),
        },
        &UntilBegun::new(&watcher, lock),
    )?;
    say_turned(session, me, &source, &target);
    say_kept(session, &done);
    Ok(result_json(source.name.as_str(), &plan, Some(&done)))
}

fn say_turned(session: &Session, me: &Identity, source: &State, target: &State) {
    let host = link_of(me, source).map_or_else(|_| me.host.clone(), |link| link.dest_host);
    session.ui.say(&format!("Setting master on {host}:{}", target.name));
    session.ui.say(&format!(
        "{} is the master now, and writable. {} is its replica, and read-only.",
        target.name, source.name
    ));
}

/// Says what could not be done, without harm to the roles.
pub(super) fn say_kept(session: &Session, done: &Done) {
    for (_, action, applied) in &done.applied {
        if let Applied::Kept { reason } = applied {
            let what = match action {
                Action::Destroy { snapshot, .. } => format!("{snapshot}: was kept"),
                other => format!("could not {other}"),
            };
            session.ui.note(&format!("{what}: {reason}"));
        }
    }
}

/// Says how the verb ended.
pub(super) fn finish(session: &Session, verb: &str, dataset: &str, result: Result<serde_json::Value, Problem>) -> Exit {
    match result {
        Ok(value) => {
            session.ui.json(verb, true, json!({ "results": [value] }));
            Exit::Success
        }
        Err(problem) => {
            session.ui.problem(&problem);
            if let Problem::Failed(Failure {
                begun: true,
                committed: false,
                not_undone,
                ..
            }) = &problem
                && not_undone.is_empty()
            {
                session
                    .ui
                    .note("nothing was turned: the master is the one that it was, and can be written to as before.");
            }
            session
                .ui
                .json(verb, false, json!({ "results": [failed_json(dataset, &problem)] }));
            problem.exit()
        }
    }
}

/// Looks at a replica alone, and at how old what it has is.
pub(super) fn replica(session: &Session, name: &DatasetName) -> Result<State, Problem> {
    session.require_with_marks(Side::Target, name)
}
