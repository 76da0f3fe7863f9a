//! `zrep expire`

use serde_json::Value;

use super::failover::say_kept;
use super::patience::patiently;
use super::sync::tree as sync_tree;
use super::{fail, for_each, result_json, show_plan};
use crate::cli::ExpireArgs;
use crate::execute::{self, Ends, Job};
use crate::exit::Exit;
use crate::model::{Side, State};
use crate::plan::base::newest_common;
use crate::plan::tree::{Fate, matched};
use crate::plan::{Plan, Stage, expire, lock, pairing};
use crate::problem::Problem;
use crate::props::View;
use crate::refusal::{Refusal, Why};
use crate::session::{Pair, Session, UntilBegun};
use crate::settings::BadSetting;
use crate::ui::Progress;
use zfs_ffi::DatasetName;

/// Destroys what each side keeps beyond its savecount.
pub(super) fn run(args: &ExpireArgs, session: &Session) -> Exit {
    if session.settings.preferences.keeps_all {
        return fail(session, "expire", &Problem::Setting(skipped()));
    }
    for_each(session, "expire", operands(args, session), |name| {
        patiently(session, || one(args, session, name))
    })
}

/// Who has said that nothing expires shall not lose a snapshot by a command that somebody types.
fn skipped() -> BadSetting {
    BadSetting::new(
        "ZREP_SKIP_EXPIRE is set: nothing expires",
        "no ZREP_SKIP_EXPIRE, in /etc/default/zrep or the environment",
        "one",
    )
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
    say_kept(session, &done);
    Ok(result_json(name.as_str(), &plan, Some(&done)))
}

fn plan(args: &ExpireArgs, session: &Session, name: &DatasetName) -> Result<(Plan, Ends), Problem> {
    let me = &session.settings.me;
    let state = session.require(Side::Source, name)?;
    // N.B. what a rejoin has set aside, and has not come to the end of, is found by its lock.
    if let Some(link) = pairing::link_of(me, &state)
        .ok()
        .filter(|link| !pairing::is_named(link, &state))
    {
        let pair = format!(
            "{}:{} and {}:{}",
            link.src_host, link.src_fs, link.dest_host, link.dest_fs
        );
        return Err(Refusal::source(name, Why::Renamed { pair }).into());
    }
    match (View::new(&state, &me.tag).is_master(), args.local) {
        (true, true) => of_master_alone(session, name),
        (true, false) => of_both(session, name),
        (false, true) => of_replica_alone(session, &state),
        (false, false) => of_replica(session, &state),
    }
}

fn of_both(session: &Session, name: &DatasetName) -> Result<(Plan, Ends), Problem> {
    let me = &session.settings.me;
    let pair = session.pair_of_source(name)?;
    pairing::require_replica(me, &pair.source, &pair.target)?;
    let plan = plan_of_tree(session, &pair)?;
    let lock = lock::plan(&pair.source, &me.tag, &session.locking(&pair.source, &pair.ends)?)?;
    Ok((locked(plan, lock), pair.ends))
}

/// The other side is not asked: shell zrep's refresh lets the master expire so, and its machine need not reach the replica's. What was sent last is
/// known by the marks.
fn of_master_alone(session: &Session, name: &DatasetName) -> Result<(Plan, Ends), Problem> {
    let me = &session.settings.me;
    let state = session.require_with_marks(Side::Source, name)?;
    pairing::target_of(me, &state)?;
    let last = View::new(&state, &me.tag).last_sent();
    let mut plans = vec![expire::plan(&me.tag, &state, None, last.map(|last| last.guid))?];
    for child in session.below_here(Side::Source, &state)? {
        // N.B. the marks of a tree are the top's, and all of one sync have one name. One that stayed behind counts from nowhere, and keeps what it has.
        let base = last.and_then(|last| child.snapshots.iter().find(|found| found.name == last.name));
        plans.push(expire::plan_of_child_alone(&me.tag, &child, base)?);
    }
    let ends = session.ends_here();
    let lock = lock::plan(&state, &me.tag, &session.locking(&state, &ends)?)?;
    Ok((locked(expire::together(plans), lock), ends))
}

/// N.B. shell zrep's sync lets the replica expire, whose machine need not reach the master's.
fn of_replica(session: &Session, state: &State) -> Result<(Plan, Ends), Problem> {
    let pair = match session.pair_of_target(&state.name) {
        Ok(pair) => pair,
        Err(problem) if problem.is_out_of_reach() => {
            session.ui.note(&format!("{problem}; counting without it."));
            return of_replica_alone(session, state);
        }
        Err(problem) => return Err(problem),
    };
    Ok((without_source(plan_of_tree(session, &pair)?), pair.ends))
}

/// Whatever a replica has came from its master, and the newest of it is what the next stream begins at.
fn of_replica_alone(session: &Session, state: &State) -> Result<(Plan, Ends), Problem> {
    let me = &session.settings.me;
    pairing::link_of(me, state).map_err(|why| Refusal::target(&state.name, why))?;
    let mut plans = Vec::new();
    for one in [state].into_iter().chain(&session.below_here(Side::Target, state)?) {
        let newest = one.newest().map(|newest| newest.guid);
        plans.push(expire::plan(&me.tag, one, Some(one), newest)?);
    }
    Ok((without_source(expire::together(plans)), session.ends_here()))
}

/// The pair's plan, with what expires below it, where that is part of the pairing. Each child counts for itself.
fn plan_of_tree(session: &Session, pair: &Pair) -> Result<Plan, Problem> {
    let me = &session.settings.me;
    sync_tree::require(session, pair)?;
    let Pair { source, target, .. } = pair;
    let one = |source: &State, target: &State| {
        let base = newest_common(source, target).map(|common| common.base.guid);
        expire::plan(&me.tag, source, Some(target), base)
    };
    let mut plans = vec![one(source, target)?];
    if let Some(below) = pair.tree(me) {
        for child in matched(me, source, target, &below).children {
            if let Fate::Known { target, .. } = child.fate {
                plans.push(one(child.source, target)?);
            }
        }
    }
    Ok(expire::together(plans))
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
