//! `zrep gate DATASET`: for a boot, before anything writes.

use serde_json::{Value, json};

use super::for_each;
use crate::cli::GateArgs;
use crate::contact::{self, Purpose};
use crate::execute::{self, Job, Quiet};
use crate::exit::Exit;
use crate::host::ErrorKind;
use crate::model::{Origin, Side};
use crate::plan::gate::{self, Gate};
use crate::plan::settle;
use crate::problem::Problem;
use crate::props::Key;
use crate::refusal::{Refusal, Why};
use crate::session::Session;
use zfs_ffi::DatasetName;

/// Asks the peer of each master that has `zrep:gate` whether it is still the master.
pub(super) fn run(args: &GateArgs, session: &Session) -> Exit {
    for_each(session, "gate", operands(args, session), |name| {
        pass(args, session, name)
    })
}

/// `all` is every master here, also one that belongs to another host by name: at a boot the machine may not know its own yet.
fn operands(args: &GateArgs, session: &Session) -> Result<Vec<DatasetName>, Problem> {
    match args.datasets.as_slice() {
        [word] if word == "all" => session.with_property(Key::Master),
        words => session.operands(words),
    }
}

fn pass(args: &GateArgs, session: &Session, name: &DatasetName) -> Result<Value, Problem> {
    let state = session.require(Side::Source, name)?;
    let told = |what: &str| {
        session.ui.say(&format!("{name}: {what}"));
        Ok(json!({ "dataset": name.as_str(), "ok": true, "gate": what }))
    };
    let Some(gate) = gate::of(&session.settings.me, &state)? else {
        return told("has no gate");
    };
    let purpose = if args.dry_run { Purpose::Look } else { Purpose::Boot };
    match contact::meet(session, purpose, || session.pair_of_source(name)) {
        Ok(_) => told("is the master"),
        // The peer was asked, and is the one that was superseded.
        Err(Problem::Refused(Refusal {
            side: Side::Target,
            why: Why::Superseded { .. },
            ..
        })) => told("is the master"),
        Err(problem) => match gate {
            Gate::Open if is_out_of_reach(&problem) => {
                session.ui.problem(&problem);
                told("is taken for the master, although its peer cannot be asked")
            }
            Gate::Open => Err(problem),
            // Whatever the reason: nobody has said that it is the master.
            Gate::Strict => {
                if !args.dry_run {
                    close(session, name)?;
                }
                Err(problem)
            }
        },
    }
}

fn is_out_of_reach(problem: &Problem) -> bool {
    match problem {
        Problem::Refused(Refusal { why, .. }) => {
            matches!(why, Why::InDoubt { .. } | Why::Missing | Why::TargetGone { .. })
        }
        Problem::Host { error, .. } => matches!(
            error.kind,
            ErrorKind::Unreachable | ErrorKind::Lost | ErrorKind::PoolUnavailable | ErrorKind::NotFound
        ),
        Problem::Failed(_) | Problem::Name(_) | Problem::FileLock(_) | Problem::Setting(_) | Problem::Settings(_) => {
            false
        }
    }
}

/// Read-only until the peer has been asked. Whatever zrep does with the pair next asks it.
fn close(session: &Session, name: &DatasetName) -> Result<(), Problem> {
    // What was tried before may have changed it.
    let state = session.require(Side::Source, name)?;
    if state.readonly && state.readonly_origin == Origin::Local {
        return Ok(());
    }
    let plan = gate::close(&session.settings.me, &state);
    let plan = settle::with_trees(plan, &session.below_here(Side::Source, &state)?, &[]);
    plan.notes.iter().for_each(|note| session.ui.note(note));
    let job = Job {
        ends: session.ends_here(),
        plan,
    };
    execute::run(job, &Quiet)?;
    Ok(())
}
