//! `zrep failover --abort SOURCE`

use serde_json::{Value, json};

use super::patience::patiently;
use super::{result_json, show_plan};
use crate::cli::FailoverArgs;
use crate::contact::{self, Purpose};
use crate::execute::{self, Job, Quiet};
use crate::host::ErrorKind;
use crate::intent::Intent;
use crate::model::{Side, State};
use crate::plan::standing::{self, Standing};
use crate::plan::{Plan, settle};
use crate::problem::Problem;
use crate::props::View;
use crate::refusal::{Refusal, Why};
use crate::session::Session;
use zfs_ffi::DatasetName;

/// Gives up a failover that was cut off, if that can still be done.
pub(super) fn give_up(args: &FailoverArgs, session: &Session) -> Result<Value, Problem> {
    let name = DatasetName::new(&args.dataset)?;
    let source = session.require(Side::Source, &name)?;
    let Some(intent @ Intent::Failover { .. }) = View::new(&source, &session.settings.me.tag).intent() else {
        return Err(Refusal::source(&name, Why::NothingBegun).into());
    };
    let given_up = if args.dry_run {
        shown(session, &name)
    } else {
        with_the_other_side(session, &name)
    };
    match given_up {
        Err(problem) if args.force && is_out_of_reach(&problem) => alone(args, session, &source, &intent),
        result => result,
    }
}

fn with_the_other_side(session: &Session, name: &DatasetName) -> Result<Value, Problem> {
    patiently(session, || {
        contact::meet(session, Purpose::Sync, || session.pair_of_source(name))
    })?;
    session
        .ui
        .say(&format!("{name} is the master, and can be written to as before."));
    Ok(json!({ "dataset": name.as_str(), "ok": true, "executed": true }))
}

/// What would be done, for `--dry-run`.
fn shown(session: &Session, name: &DatasetName) -> Result<Value, Problem> {
    let pair = session.pair_of_source(name)?;
    let me = &session.settings.me;
    let plan = match standing::of_trees(me, &pair.source, &pair.target, pair.tree(me).as_ref())? {
        Standing::Open(intent) => contact::undoing(session, &pair, &intent)?,
        Standing::Settled | Standing::Forgotten => Plan::default(),
        Standing::Superseded { .. } | Standing::Split => {
            return Err(standing::refusal(me, &pair.source, &pair.target).into());
        }
    };
    show_plan(session, name.as_str(), &plan);
    Ok(result_json(name.as_str(), &plan, None))
}

fn is_out_of_reach(problem: &Problem) -> bool {
    match problem {
        Problem::Refused(Refusal { why, .. }) => matches!(why, Why::InDoubt { .. }),
        Problem::Host { error, .. } => matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Lost),
        Problem::Failed(_) | Problem::Name(_) | Problem::FileLock(_) | Problem::Setting(_) | Problem::Settings(_) => {
            false
        }
    }
}

/// Above every epoch that the other side can have.
fn alone(args: &FailoverArgs, session: &Session, source: &State, intent: &Intent) -> Result<Value, Problem> {
    let ends = session.ends_here();
    let locking = session.locking(source, &ends)?;
    let plan = (session.revise)(settle::abort_alone(&session.settings.me, source, intent, &locking)?);
    if args.dry_run {
        show_plan(session, source.name.as_str(), &plan);
        return Ok(result_json(source.name.as_str(), &plan, None));
    }
    plan.notes.iter().for_each(|note| session.ui.note(note));
    let job = Job {
        ends,
        plan: plan.clone(),
    };
    let done = execute::run(job, &Quiet)?;
    session.ui.say(&format!(
        "{} is the master, and can be written to as before.",
        source.name
    ));
    Ok(result_json(source.name.as_str(), &plan, Some(&done)))
}
