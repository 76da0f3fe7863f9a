//! `zrep failover -L SOURCE [HOST]`

use serde_json::Value;

use super::super::patience::afresh;
use super::super::{result_json, show_plan};
use super::say_kept;
use crate::cli::FailoverArgs;
use crate::execute::{self, Job, Quiet};
use crate::model::Side;
use crate::plan::failover::alone::{self, Request};
use crate::plan::pairing::{link_of, other_names};
use crate::problem::Problem;
use crate::props::{Key, View};
use crate::refusal::quoted;
use crate::session::{Session, UntilBegun, told_host};
use zfs_ffi::DatasetName;

/// Gives up the role of a master without its other side.
pub(super) fn step_down(args: &FailoverArgs, session: &Session) -> Result<Value, Problem> {
    let name = DatasetName::new(&args.dataset)?;
    // What was written a moment ago counts, too.
    session.settle(&name)?;
    afresh(session, || one(args, session, &name))
}

fn one(args: &FailoverArgs, session: &Session, name: &DatasetName) -> Result<Value, Problem> {
    let me = &session.settings.me;
    let lock = (!args.dry_run).then(|| session.file_lock()).transpose()?;
    let source = session.require_with_marks(Side::Source, name)?;
    let source = told_host(me, source, Key::DestHost, args.host.as_ref());
    let ends = session.ends_here();
    let request = Request {
        locking: session.locking(&source, &ends)?,
        unmount: args.unmount,
        force: args.force,
    };
    let plan = (session.revise)(alone::plan(me, &source, &request)?);
    let Some(lock) = lock else {
        show_plan(session, name.as_str(), &plan);
        return Ok(result_json(name.as_str(), &plan, None));
    };
    plan.notes.iter().for_each(|note| session.ui.note(note));
    session.ui.say(&format!("Failover for {name} in LOCAL mode"));
    if let Some(last) = View::new(&source, &me.tag).last_sent() {
        session
            .ui
            .say(&format!("Rolling back to last sync {name}@{}", last.name));
    }
    let job = Job {
        ends,
        plan: plan.clone(),
    };
    let done = execute::run(job, &UntilBegun::new(&Quiet, lock))?;
    session
        .ui
        .say(&format!("Reversing master properties for {}:{name}", me.host));
    say_kept(session, &done);
    if let Ok(link) = link_of(me, &source) {
        let (host, other) = other_names(me, &link, &source);
        let command = format!("zrep takeover -L {}", quoted(other));
        session.ui.note(&format!(
            "{name} is the master no more. `{command}`, typed on {host}, makes {other} it; until then nobody is."
        ));
    }
    Ok(result_json(name.as_str(), &plan, Some(&done)))
}
