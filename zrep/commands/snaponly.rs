//! `zrep snaponly`
//!
//! N.B. shell zrep's refresh runs this on the other machine, and takes all of stdout for the name.

use serde_json::Value;

use super::patience::afresh;
use super::sync::tree::not_recursive;
use super::{for_each, result_json, show_plan};
use crate::cli::SnaponlyArgs;
use crate::execute::{self, Job, Quiet};
use crate::exit::Exit;
use crate::model::{Side, State};
use crate::plan::{snaponly, sync};
use crate::problem::Problem;
use crate::props::View;
use crate::refusal::Refusal;
use crate::session::{Session, UntilBegun};
use zfs_ffi::DatasetName;

/// Makes a snapshot of each master, and says its name and nothing else. Of a tree that is the top's.
pub(super) fn run(args: &SnaponlyArgs, session: &Session) -> Exit {
    for_each(session, "snaponly", session.operands(&args.datasets), |name| {
        afresh(session, || one(args, session, name))
    })
}

/// What is in the tree. N.B. a pairing that shell zrep has replicated with `-R` says nowhere that it is recursive.
fn below(session: &Session, source: &State) -> Result<Vec<State>, Problem> {
    let is_recursive = View::new(source, &session.settings.me.tag).is_recursive();
    match session.children(&source.name)?.first() {
        Some(child) if session.recursive && !is_recursive => {
            Err(Refusal::source(&source.name, not_recursive(session, child)).into())
        }
        Some(_) | None => session.below_here(Side::Source, source),
    }
}

fn one(args: &SnaponlyArgs, session: &Session, name: &DatasetName) -> Result<Value, Problem> {
    let lock = (!args.dry_run).then(|| session.file_lock()).transpose()?;
    let source = session.require(Side::Source, name)?;
    let ends = session.ends_here();
    let locking = session.locking(&source, &ends)?;
    let below = below(session, &source)?;
    let plan = (session.revise)(snaponly::plan(&session.settings.me, &source, &below, &locking)?);
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
    if let Some(snapshot) = sync::made(&plan) {
        session.ui.say(snapshot.as_str());
    }
    Ok(result_json(name.as_str(), &plan, Some(&done)))
}
