//! `zrep sync DATASET@SNAPSHOT`: the target goes back to a snapshot.

use serde_json::Value;

use super::patience::afresh;
use super::{one_result, result_json, show_plan};
use crate::cli::SyncArgs;
use crate::contact::{self, Purpose};
use crate::execute::{self, Job};
use crate::exit::Exit;
use crate::host::Error;
use crate::model::Side;
use crate::plan::rollback::{self, Request};
use crate::problem::Problem;
use crate::session::{Pair, Session, UntilBegun};
use crate::settings::BadSetting;
use crate::ui::Progress;
use zfs_ffi::SnapshotName;

/// Whether the operands of a sync ask for this.
pub(super) fn is_asked_for(args: &SyncArgs) -> bool {
    args.datasets.iter().any(|word| word.contains('@'))
}

/// Rolls one target back.
pub(super) fn run(args: &SyncArgs, session: &Session) -> Exit {
    let dataset = args.datasets.first().map_or("", String::as_str);
    one_result(session, "sync", dataset, || {
        let name = operand(args)?;
        afresh(session, || one(args, session, &name))
    })
}

fn operand(args: &SyncArgs) -> Result<SnapshotName, Problem> {
    match args.datasets.as_slice() {
        [word] if args.every.is_none() => Ok(SnapshotName::new(word)?),
        words => Err(Problem::Setting(BadSetting::new(
            "DATASET@SNAPSHOT rolls one target back, and goes with nothing else",
            "one operand, and no --every",
            words.join(" "),
        ))),
    }
}

fn one(args: &SyncArgs, session: &Session, name: &SnapshotName) -> Result<Value, Problem> {
    let dataset = name.dataset();
    let purpose = if args.dry_run { Purpose::Look } else { Purpose::Sync };
    let Pair {
        mut source,
        target,
        ends,
        ..
    } = contact::meet(session, purpose, || session.pair_of_source(&dataset))?;
    let failed = |error: Error| Problem::Host {
        side: Some(Side::Source),
        dataset: dataset.to_string(),
        error,
    };
    // The marks.
    source.snapshots = ends.source.snapshots_since(&dataset, 0).map_err(failed)?;
    let lock = (!args.dry_run).then(|| session.file_lock()).transpose()?;
    let request = Request {
        locking: session.locking(&source, &ends)?,
        short: name.short().to_owned(),
        force: args.force,
    };
    let plan = (session.revise)(rollback::plan(&session.settings.me, &source, &target, &request)?);
    let Some(lock) = lock else {
        show_plan(session, dataset.as_str(), &plan);
        return Ok(result_json(dataset.as_str(), &plan, None));
    };
    plan.notes.iter().for_each(|note| session.ui.note(note));
    let watcher = session.ui.watcher(Progress::Never);
    let job = Job {
        ends,
        plan: plan.clone(),
    };
    let done = execute::run(job, &UntilBegun::new(&watcher, lock))?;
    session
        .ui
        .say(&format!("{} is at the state of {name} now.", target.name));
    Ok(result_json(dataset.as_str(), &plan, Some(&done)))
}
