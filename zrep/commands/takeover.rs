//! `zrep takeover TARGET`

use super::failover::{Wish, finish, replica, say_kept, turn};
use super::{result_json, show_plan};
use crate::cli::TakeoverArgs;
use crate::execute::{self, Job};
use crate::exit::Exit;
use crate::host::ErrorKind;
use crate::model::{Side, State};
use crate::plan::pairing::{link_of, other_names};
use crate::plan::takeover;
use crate::problem::Problem;
use crate::props::{Key, View};
use crate::refusal::quoted;
use crate::session::{Session, told_host};
use crate::ui::Progress;
use zfs_ffi::DatasetName;

/// Makes a replica the master: with its source, or, if that is out of reach, without it.
pub(super) fn run(args: &TakeoverArgs, session: &Session) -> Exit {
    let result = take_over(args, session);
    if let Err(Problem::Host { error, .. }) = &result
        && matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Lost)
    {
        session.ui.note(&format!(
            "if the source stays out of reach: `zrep takeover -L {}` goes on without it.",
            quoted(&args.dataset)
        ));
    }
    finish(session, "takeover", &args.dataset, result)
}

fn take_over(args: &TakeoverArgs, session: &Session) -> Result<serde_json::Value, Problem> {
    let target = DatasetName::new(&args.dataset)?;
    if args.local {
        return alone(args, session, &target);
    }
    let wish = Wish {
        unmount: args.unmount,
        force: false,
        dry_run: args.dry_run,
    };
    turn(session, wish, || session.pair_of_target_at(&target, args.host.as_ref()))
}

/// `-R` is no wish that a takeover of one side alone could grant: what is below was replicated, or was not. It is no reason to refuse one either: the
/// other machine may be dead, and a tree of shell zrep cannot be adopted any more.
fn note_below(session: &Session, target: &State) -> Result<(), Problem> {
    if !session.recursive || View::new(target, &session.settings.me.tag).is_recursive() {
        return Ok(());
    }
    let below = session.children(&target.name)?;
    if let Some(first) = below.first() {
        session.ui.note(&format!(
            "{} is not paired recursively. What is below it ({first}{}) becomes writable with it, unless it has a readonly of its own, and stays as it is otherwise.",
            target.name,
            if below.len() > 1 { ", …" } else { "" }
        ));
    }
    Ok(())
}

fn alone(args: &TakeoverArgs, session: &Session, target: &DatasetName) -> Result<serde_json::Value, Problem> {
    let target = replica(session, target)?;
    note_below(session, &target)?;
    let below = session.below_here(Side::Target, &target)?;
    let target = told_host(&session.settings.me, target, Key::SrcHost, args.host.as_ref());
    let plan = takeover::plan_tree(&session.settings.me, &target, &below, session.now())?;
    let plan = (session.revise)(plan);
    if args.dry_run {
        show_plan(session, target.name.as_str(), &plan);
        return Ok(result_json(target.name.as_str(), &plan, None));
    }
    plan.notes.iter().for_each(|note| session.ui.note(note));
    let _lock = session.file_lock()?;
    let done = execute::run(
        Job {
            ends: session.ends_here(),
            plan: plan.clone(),
        },
        &session.ui.watcher(Progress::Never),
    )?;
    session.ui.say(&format!(
        "Setting master properties for {}:{}",
        session.settings.me.host, target.name
    ));
    session
        .ui
        .say(&format!("{} is the master now, and writable.", target.name));
    let me = &session.settings.me;
    if let Ok(link) = link_of(me, &target) {
        let (host, old) = other_names(me, &link, &target);
        session.ui.note(&format!(
            "if {host}:{old} lives, it can still be written to until one of the two sees the other: stop what writes there. `zrep rejoin` there makes it the replica."
        ));
    }
    say_kept(session, &done);
    Ok(result_json(target.name.as_str(), &plan, Some(&done)))
}
