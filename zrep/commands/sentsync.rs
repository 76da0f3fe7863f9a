//! `zrep sentsync DATASET@SNAPSHOT`

use std::sync::Arc;

use serde_json::Value;

use super::patience::afresh;
use super::{one_result, result_json, show_plan};
use crate::cli::SentsyncArgs;
use crate::execute::{self, Ends, Job, Quiet};
use crate::exit::Exit;
use crate::model::{Side, State};
use crate::plan::pairing::{dest_of, link_of};
use crate::plan::sentsync::{self, Request};
use crate::problem::Problem;
use crate::props::View;
use crate::refusal::{Refusal, Why, quoted};
use crate::session::{Session, UntilBegun};
use zfs_ffi::SnapshotName;

/// Makes a snapshot the one that was sent last, and its dataset the master.
pub(super) fn run(args: &SentsyncArgs, session: &Session) -> Exit {
    one_result(session, "sentsync", &args.snapshot, || {
        let name = SnapshotName::new(&args.snapshot)?;
        afresh(session, || one(args, session, &name))
    })
}

fn one(args: &SentsyncArgs, session: &Session, name: &SnapshotName) -> Result<Value, Problem> {
    let dataset = name.dataset();
    let source = session.require_with_marks(Side::Source, &dataset)?;
    let (target, ends) = if args.local {
        (None, session.ends_here())
    } else {
        let (target, ends) = other_side(session, &source)?;
        (Some(target), ends)
    };
    let lock = (!args.dry_run).then(|| session.file_lock()).transpose()?;
    let request = Request {
        locking: session.locking(&source, &ends)?,
        short: name.short().to_owned(),
        now: session.now(),
    };
    let plan = (session.revise)(sentsync::plan(
        &session.settings.me,
        &source,
        target.as_ref(),
        &request,
    )?);
    let Some(lock) = lock else {
        show_plan(session, dataset.as_str(), &plan);
        return Ok(result_json(dataset.as_str(), &plan, None));
    };
    plan.notes.iter().for_each(|note| session.ui.note(note));
    let job = Job {
        ends,
        plan: plan.clone(),
    };
    let done = execute::run(job, &UntilBegun::new(&Quiet, lock))?;
    session.ui.say(&format!(
        "{dataset} is the master now, and {name} the last one that was sent."
    ));
    target.iter().for_each(|target| say_missing(session, &source, target));
    Ok(result_json(dataset.as_str(), &plan, Some(&done)))
}

/// N.B. the source is not the master yet, so no pair can be looked for.
fn other_side(session: &Session, source: &State) -> Result<(State, Ends), Problem> {
    let me = &session.settings.me;
    let refuse = |why| Refusal::source(&source.name, why);
    let link = link_of(me, source).map_err(refuse)?;
    let place = dest_of(me, &link).map_err(refuse)?;
    let machine = session.machine(Side::Target, &place)?;
    let target = session.observe_at(&machine, Side::Target, &place.dataset)?;
    let target = target.ok_or_else(|| Refusal::target(&place.dataset, Why::Missing))?;
    let ends = Ends {
        source: Arc::clone(&session.host),
        target: machine.host,
    };
    Ok((target, ends))
}

/// What a target that was copied by hand lacks.
fn say_missing(session: &Session, source: &State, target: &State) {
    let me = &session.settings.me;
    let (name, pasted) = (&target.name, quoted(target.name.as_str()));
    if View::new(target, &me.tag).link().is_none() {
        let command = format!(
            "zrep changeconfig -f -d {pasted} {} {}",
            me.host,
            quoted(source.name.as_str())
        );
        session.ui.note(&format!(
            "{name} does not know of its pair yet: `{command}` on its machine."
        ));
    }
    if !target.readonly {
        session.ui.note(&format!(
            "{name} can be written to, and what is written makes the next sync fail: `zfs set readonly=on {pasted}`."
        ));
    }
}
