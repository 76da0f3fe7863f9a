//! `zrep expire`

use serde_json::Value;

use super::patience::patiently;
use super::{for_each, result_json, show_plan};
use crate::cli::ExpireArgs;
use crate::execute::{self, Ends, Job};
use crate::exit::Exit;
use crate::model::Side;
use crate::plan::base::newest_common;
use crate::plan::{Plan, Stage, expire, lock, pairing};
use crate::problem::Problem;
use crate::props::View;
use crate::session::{Pair, Session, UntilBegun};
use crate::ui::Progress;
use zfs_ffi::DatasetName;

/// Destroys what each side keeps beyond its savecount.
pub(super) fn run(args: &ExpireArgs, session: &Session) -> Exit {
    for_each(session, "expire", operands(args, session), |name| {
        patiently(session, || one(args, session, name))
    })
}

/// `all` is every dataset that is one side of a pairing; nothing is this host's masters.
fn operands(args: &ExpireArgs, session: &Session) -> Result<Vec<DatasetName>, Problem> {
    match args.datasets.as_slice() {
        [] => session.masters(),
        [word] if word == "all" => session.paired(),
        words => words.iter().map(|word| Ok(DatasetName::new(word)?)).collect(),
    }
}

fn one(args: &ExpireArgs, session: &Session, name: &DatasetName) -> Result<Value, Problem> {
    let file_lock = (!args.dry_run).then(|| session.file_lock()).transpose()?;
    let (plan, ends) = plan(args, session, name)?;
    let Some(file_lock) = file_lock else {
        show_plan(session, name.as_str(), &plan);
        return Ok(result_json(name.as_str(), &plan, None));
    };
    plan.notes.iter().for_each(|note| session.ui.note(note));
    session.ui.say(&format!("Expiring zrep snaps on {name}"));
    let watcher = session.ui.watcher(Progress::Never);
    let done = execute::run(
        Job {
            ends,
            plan: plan.clone(),
        },
        &UntilBegun::new(&watcher, file_lock),
    )?;
    Ok(result_json(name.as_str(), &plan, Some(&done)))
}

fn plan(args: &ExpireArgs, session: &Session, name: &DatasetName) -> Result<(Plan, Ends), Problem> {
    let me = &session.settings.me;
    let state = session.require(Side::Source, name)?;
    if !View::new(&state, &me.tag).is_master() {
        let Pair { source, target, ends } = session.pair_of_target(name)?;
        let base = newest_common(&source, &target).map(|common| common.base.guid);
        return Ok((
            without_source(expire::plan(&me.tag, &source, Some(&target), base)?),
            ends,
        ));
    }
    let pair = session.pair_of_source(name)?;
    pairing::require_replica(me, &pair.source, &pair.target)?;
    let base = newest_common(&pair.source, &pair.target).map(|common| common.base.guid);
    let target = (!args.local).then_some(&pair.target);
    let plan = expire::plan(&me.tag, &pair.source, target, base)?;
    let lock = lock::plan(&pair.source, &me.tag, &session.locking(&pair.source, &pair.ends)?)?;
    Ok((locked(plan, lock), pair.ends))
}

/// Puts the lock around what is done on the source.
fn locked(mut plan: Plan, lock: lock::Lock) -> Plan {
    for stage in &mut plan.stages {
        if let Stage::Apply { source, .. } = stage {
            let actions = [lock.enter.clone(), std::mem::take(source), lock.leave.clone()];
            *source = actions.concat();
        }
    }
    plan.notes.extend(lock.note);
    plan
}

/// Asked for on the target, only the target expires.
fn without_source(mut plan: Plan) -> Plan {
    for stage in &mut plan.stages {
        if let Stage::Apply { source, .. } = stage {
            source.clear();
        }
    }
    plan
}
