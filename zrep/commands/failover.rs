//! `zrep failover SOURCE`

use serde_json::json;

use super::patience::patiently;
use super::sync::tree as sync_tree;
use super::{abort, failed_json, result_json, show_plan};
use crate::cli::FailoverArgs;
use crate::contact::{self, Purpose};
use crate::execute::{self, Done, Ends, Failure, Job};
use crate::exit::Exit;
use crate::gap::Gap;
use crate::host::{Applied, ErrorKind};
use crate::model::{Below, Side, State};
use crate::plan::failover::{self, Request};
use crate::plan::pairing::{Identity, link_of};
use crate::plan::{Action, Plan, sync};
use crate::problem::Problem;
use crate::refusal::quoted;
use crate::session::{Pair, Session, UntilBegun};
use crate::ui::Progress;
use zfs_ffi::DatasetName;

mod alone;

/// Turns a pairing round, asked for on the source's side; or gives that up.
pub(super) fn run(args: &FailoverArgs, session: &Session) -> Exit {
    let result = match (args.abort, args.local) {
        (true, _) => abort::give_up(args, session),
        (false, true) => alone::step_down(args, session),
        (false, false) => turn_from_source(args, session),
    };
    finish(session, "failover", &args.dataset, result)
}

fn turn_from_source(args: &FailoverArgs, session: &Session) -> Result<serde_json::Value, Problem> {
    let source = DatasetName::new(&args.dataset)?;
    let wish = Wish {
        unmount: args.unmount,
        force: args.force,
        dry_run: args.dry_run,
    };
    turn(session, wish, || session.pair_of_source_at(&source, args.host.as_ref()))
}

/// What the user asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) unmount: bool,
    /// Roll the target back first.
    pub(super) force: bool,
    pub(super) dry_run: bool,
}

/// How often a failover is begun anew because something was written between the last snapshot and the point of no return.
const ATTEMPTS: usize = 3;

/// Turns the pairing round that `observe` finds.
pub(super) fn turn(
    session: &Session,
    wish: Wish,
    observe: impl Fn() -> Result<Pair, Problem>,
) -> Result<serde_json::Value, Problem> {
    let mut tried = 0;
    loop {
        match patiently(session, || turn_once(session, wish, tried, &observe)) {
            Err(Problem::Failed(failure)) if is_overtaken(&failure) && tried + 1 < ATTEMPTS => {
                session.ui.note(&format!("{failure}; beginning anew."));
                tried += 1;
            }
            result => return result,
        }
    }
}

/// Whether it was undone because something was observed that did not last.
fn is_overtaken(failure: &Failure) -> bool {
    failure.error.kind == ErrorKind::Unexpected && !failure.committed && failure.not_undone.is_empty()
}

fn turn_once(
    session: &Session,
    wish: Wish,
    tried: usize,
    observe: &impl Fn() -> Result<Pair, Problem>,
) -> Result<serde_json::Value, Problem> {
    let lock = (!wish.dry_run).then(|| session.file_lock()).transpose()?;
    let purpose = if wish.dry_run { Purpose::Look } else { Purpose::Turn };
    let pair = contact::meet(session, purpose, observe)?;
    let below = sync_tree::require(session, &pair)?
        .then(|| pair.below.clone())
        .flatten();
    let Pair {
        source, target, ends, ..
    } = pair;
    let me = &session.settings.me;
    let request = Request {
        sync: sync::Request {
            locking: session.locking(&source, &ends)?,
            now: session.now(),
            force: wish.force,
            changed_only: false,
            preferences: session.settings.preferences,
        },
        unmount: wish.unmount,
        tried,
    };
    may_turn(&ends, &source, &target)?;
    let plans = failover::plan_all(me, (&source, &target), below.as_ref(), &request)?;
    let plans: Vec<Plan> = plans.into_iter().map(session.revise).collect();
    let plan = Plan::merged(&plans);
    let Some(lock) = lock else {
        show_plan(session, source.name.as_str(), &plan);
        return Ok(result_json(source.name.as_str(), &plan, None));
    };
    plan.notes.iter().for_each(|note| session.ui.note(note));
    session
        .ui
        .say(&format!("Setting readonly on {}, then syncing", source.name));
    let watcher = session.ui.watcher(Progress::of(plans.len()));
    let gap = Gap::new(&watcher, &source.name, &target.name);
    let jobs = plans
        .into_iter()
        .map(|plan| Job {
            ends: ends.clone(),
            plan,
        })
        .collect();
    let done = Done::whole(execute::run_all(jobs, &UntilBegun::new(&gap, lock)))?;
    say_turned(session, me, &source, &target);
    say_kept(session, &done);
    say_tail(session, &ends, &source);
    if let Some(below) = &below {
        say_late(session, &ends, &source, below);
    }
    let mut result = result_json(source.name.as_str(), &plan, Some(&done));
    if let Some(gap) = gap.length() {
        session
            .ui
            .say(&format!("No side was writable for {:.3} s.", gap.as_secs_f64()));
        result["seconds_without_a_writable_side"] = json!(gap.as_secs_f64());
    }
    Ok(result)
}

/// Names what somebody has made below the old master while this went on: it is read-only there now, and nowhere else.
fn say_late(session: &Session, ends: &Ends, source: &State, below: &Below) {
    let is_known = |found: &State| below.source.iter().any(|state| state.name == found.name);
    let found = ends.source.observe_below(&source.name).unwrap_or_default();
    for late in found.iter().filter(|found| !is_known(found)) {
        session.ui.note(&format!(
            "{}: was made while the roles were turned, and is not on the new master. It is kept, read-only. To have it there: `zfs send` a snapshot of it by hand, and receive it below {}'s other side.",
            late.name, source.name
        ));
    }
}

/// Behind the point of no return it would be too late to hear that a role may not be changed.
fn may_turn(ends: &Ends, source: &State, target: &State) -> Result<(), Problem> {
    for (side, host, state) in [
        (Side::Source, &ends.source, source),
        (Side::Target, &ends.target, target),
    ] {
        host.may_turn(&state.name).map_err(|error| Problem::Host {
            side: Some(side),
            dataset: state.name.to_string(),
            error,
        })?;
    }
    Ok(())
}

fn say_turned(session: &Session, me: &Identity, source: &State, target: &State) {
    let host = link_of(me, source).map_or_else(|_| me.host.clone(), |link| link.dest_host);
    session.ui.say(&format!("Setting master on {host}:{}", target.name));
    session.ui.say(&format!(
        "{} is the master now, and writable. {} is its replica, and read-only.",
        target.name, source.name
    ));
}

/// Looks once more at the old master: a process that got round its being read-only may have written to it.
fn say_tail(session: &Session, ends: &Ends, source: &State) {
    let written = ends
        .source
        .glance(&source.name)
        .ok()
        .flatten()
        .map_or(0, |state| state.written);
    if written > 0 {
        session.ui.note(&format!(
            "{}: {written} bytes were written to it after its last snapshot, and are not on the new master. They stay: `zrep rejoin {}` keeps them aside.",
            source.name,
            quoted(source.name.as_str())
        ));
    }
}

/// Says what could not be done, without harm to the roles.
pub(super) fn say_kept(session: &Session, done: &Done) {
    for (_, action, applied) in &done.applied {
        if let (Applied::Kept { reason }, Action::Destroy { .. } | Action::Mount(_)) = (applied, action) {
            session.ui.note(&match action {
                Action::Destroy { snapshot, .. } => format!("{snapshot}: was kept: {reason}"),
                Action::Mount(name) => format!(
                    "could not {action}: {reason}. It is the master all the same; when that is cured, `zfs mount {}` brings it up.",
                    quoted(name.as_str())
                ),
                other => format!("could not {other}: {reason}"),
            });
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
                committed: false,
                not_undone,
                ..
            }) = &problem
                && not_undone.is_empty()
                && verb != "rejoin"
            {
                session
                    .ui
                    .note("nothing was turned: the master is the one that it was, and can be written to as before.");
            }
            if matches!(&problem, Problem::Failed(Failure { committed: true, .. })) {
                session.ui.note(&match verb {
                    "failover" => format!("the point of no return may have been passed. Type the command again, or `zrep takeover` on the other side: whichever reaches both sides first completes it. {dataset} stays read-only until then."),
                    _ => "the point of no return may have been passed. Type the command again: it goes on where it stopped.".to_owned(),
                });
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
