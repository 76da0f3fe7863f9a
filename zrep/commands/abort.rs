//! `zrep failover --abort SOURCE`

use serde_json::{Value, json};

use super::{result_json, show_plan};
use crate::cli::FailoverArgs;
use crate::contact::{self, Purpose};
use crate::execute::{self, Job, Quiet};
use crate::host::ErrorKind;
use crate::intent::Intent;
use crate::model::{Side, State};
use crate::plan::settle;
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
    let purpose = if args.dry_run { Purpose::Look } else { Purpose::Sync };
    match contact::meet(session, purpose, || session.pair_of_source(&name)) {
        Ok(_) => {
            session
                .ui
                .say(&format!("{name} is the master, and can be written to as before."));
            Ok(json!({ "dataset": name.as_str(), "ok": true, "executed": !args.dry_run }))
        }
        Err(problem) if args.force && is_out_of_reach(&problem) => alone(args, session, &source, &intent),
        Err(problem) => Err(problem),
    }
}

fn is_out_of_reach(problem: &Problem) -> bool {
    match problem {
        Problem::Refused(Refusal { why, .. }) => matches!(why, Why::InDoubt { .. }),
        Problem::Host { error, .. } => matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Lost),
        Problem::Failed(_) | Problem::Name(_) | Problem::FileLock(_) | Problem::Setting(_) => false,
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
