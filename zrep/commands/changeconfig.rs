//! `zrep changeconfig`

use serde_json::Value;

use super::patience::afresh;
use super::{one_result, result_json, show_plan};
use crate::cli::ChangeconfigArgs;
use crate::execute::{self, Job, Quiet};
use crate::exit::Exit;
use crate::model::{Side, State};
use crate::plan::changeconfig::{self, Request};
use crate::problem::Problem;
use crate::refusal::quoted;
use crate::session::{Session, UntilBegun};
use zfs_ffi::DatasetName;

/// Writes on one side of a pairing who the other one is. Says nothing if all is well.
pub(super) fn run(args: &ChangeconfigArgs, session: &Session) -> Exit {
    one_result(session, "changeconfig", &args.dataset, || {
        let name = DatasetName::new(&args.dataset)?;
        afresh(session, || one(args, session, &name))
    })
}

fn one(args: &ChangeconfigArgs, session: &Session, name: &DatasetName) -> Result<Value, Problem> {
    let side = if args.target { Side::Target } else { Side::Source };
    let lock = (!args.dry_run).then(|| session.file_lock()).transpose()?;
    let state = session.require(side, name)?;
    let ends = session.ends_here();
    let request = Request {
        locking: session.locking(&state, &ends)?,
        is_target: args.target,
        force: args.force,
        host: args.host.clone(),
        other: DatasetName::new(&args.other)?,
        savecount: session.settings.savecount,
    };
    let plan = (session.revise)(changeconfig::plan(&session.settings.me, &state, &request)?);
    let Some(lock) = lock else {
        show_plan(session, name.as_str(), &plan);
        return Ok(result_json(name.as_str(), &plan, None));
    };
    plan.notes.iter().for_each(|note| session.ui.note(note));
    let job = Job {
        ends,
        plan: plan.clone(),
    };
    let done = execute::run(job, &UntilBegun::new(&Quiet, lock))?;
    say_writable(session, side, &state);
    Ok(result_json(name.as_str(), &plan, Some(&done)))
}

fn say_writable(session: &Session, side: Side, state: &State) {
    if side == Side::Target && !state.readonly {
        session.ui.note(&format!(
            "{} can be written to, and what is written makes the next sync fail: `zfs set readonly=on {}`.",
            state.name,
            quoted(state.name.as_str())
        ));
    }
}
