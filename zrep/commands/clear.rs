//! `zrep clear DATASET`

use serde_json::Value;

use super::failover::say_kept;
use super::patience::afresh;
use super::{one_result, result_json, show_plan};
use crate::cli::ClearArgs;
use crate::execute::{self, Job, Quiet};
use crate::exit::Exit;
use crate::model::{Side, State};
use crate::plan::clear;
use crate::plan::pairing::{link_of, other_names, require_no_child};
use crate::problem::Problem;
use crate::refusal::{Refusal, Why, quoted};
use crate::session::{Session, UntilBegun};
use crate::ui::Answer;
use zfs_ffi::DatasetName;

/// Makes one side forget its pairing, once somebody has agreed to what that destroys.
pub(super) fn run(args: &ClearArgs, session: &Session) -> Exit {
    one_result(session, "clear", &args.dataset, || {
        let name = DatasetName::new(&args.dataset)?;
        let agreed = if args.force || args.dry_run {
            None
        } else {
            let state = session.require(Side::Source, &name)?;
            Some(agreement(session, &state)?)
        };
        afresh(session, || one(args, session, &name, agreed.as_deref()))
    })
}

/// Asks on a terminal, and refuses where there is none: who types this in a script says `-f`. Returns what was agreed to.
fn agreement(session: &Session, state: &State) -> Result<Vec<String>, Problem> {
    require_no_child(&session.settings.me, state).map_err(|why| Refusal::source(&state.name, why))?;
    let below = session.below_here(Side::Source, state)?;
    let would = clear::would(&session.settings.me, state, &below);
    if would.is_empty() {
        return Ok(would);
    }
    match session.ui.ask(&would) {
        Answer::Yes => Ok(would),
        Answer::No => Err(not_agreed(state, would, true)),
        Answer::Nobody => Err(not_agreed(state, would, false)),
    }
}

fn not_agreed(state: &State, would: Vec<String>, asked: bool) -> Problem {
    let why = Why::NotConfirmed {
        verb: "clear",
        would,
        asked,
    };
    Refusal::source(&state.name, why).into()
}

fn one(args: &ClearArgs, session: &Session, name: &DatasetName, agreed: Option<&[String]>) -> Result<Value, Problem> {
    let lock = (!args.dry_run).then(|| session.file_lock()).transpose()?;
    let state = session.require(Side::Source, name)?;
    // N.B. somebody may take his time with the answer, and it holds for what he was shown.
    let below = session.below_here(Side::Source, &state)?;
    let would = clear::would(&session.settings.me, &state, &below);
    if agreed.is_some_and(|agreed| agreed != would) {
        return Err(not_agreed(&state, would, true));
    }
    let ends = session.ends_here();
    let locking = session.locking(&state, &ends)?;
    let plan = (session.revise)(clear::plan(&session.settings.me, &state, &below, &locking)?);
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
    say_kept(session, &done);
    say_rest(session, &state, plan.stages.is_empty());
    Ok(result_json(name.as_str(), &plan, Some(&done)))
}

/// What stays as it is.
fn say_rest(session: &Session, state: &State, is_nothing: bool) {
    let me = &session.settings.me;
    let name = &state.name;
    if is_nothing {
        session.ui.say(&format!("{name}: nothing to do."));
        return;
    }
    session.ui.say(&format!("{name} has no {} pairing any more.", me.tag));
    if let Ok(link) = link_of(me, state) {
        let (host, other) = other_names(me, &link, state);
        session
            .ui
            .note(&format!("{host}:{other} was not asked, and stays as it is."));
    }
    if state.readonly {
        let pasted = quoted(name.as_str());
        session.ui.note(&format!(
            "{name} stays read-only; `zfs inherit readonly {pasted}` ends that."
        ));
    }
}
