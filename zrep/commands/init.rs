//! `zrep init SOURCE HOST TARGET`

use serde_json::json;

use super::{fail, failed_json, result_json, show_plan};
use crate::cli::InitArgs;
use crate::execute::{self, Done, Ends, Job};
use crate::exit::Exit;
use crate::hostname::HostName;
use crate::model::{Below, Side, State};
use crate::peers::Machine;
use crate::plan::pairing::Place;
use crate::plan::{Plan, init};
use crate::problem::Problem;
use crate::refusal::counted;
use crate::session::{Session, UntilBegun};
use crate::settings::BadSetting;
use crate::ui::Progress;
use zfs_ffi::DatasetName;

/// Sets a pairing up.
pub(super) fn run(args: &InitArgs, session: &Session) -> Exit {
    match pair(args, session) {
        Ok(result) => {
            session.ui.json("init", true, json!({ "results": [result] }));
            Exit::Success
        }
        Err(problem @ (Problem::Name(_) | Problem::Setting(_) | Problem::Settings(_) | Problem::FileLock(_))) => {
            fail(session, "init", &problem)
        }
        Err(problem) => {
            session.ui.problem(&problem);
            session.ui.json(
                "init",
                false,
                json!({ "results": [failed_json(&args.source, &problem)] }),
            );
            problem.exit()
        }
    }
}

fn pair(args: &InitArgs, session: &Session) -> Result<serde_json::Value, Problem> {
    session
        .settings
        .new_target
        .as_ref()
        .map_err(|bad| Problem::Settings(bad.clone()))?;
    let source = DatasetName::new(&args.source)?;
    let target = DatasetName::new(&args.target)?;
    let place = place(args, session, target.clone())?;
    let source = session.require(Side::Source, &source)?;
    let machine = session.machine(Side::Target, &place)?;
    let plans = plans(args, session, &machine, &source, &target)?;
    let plan = Plan::merged(&plans);
    let ends = Ends {
        source: session.here().host,
        target: machine.host,
    };
    let lock = (!args.dry_run).then(|| session.file_lock()).transpose()?;
    if args.dry_run {
        show_plan(session, source.name.as_str(), &plan);
        return Ok(result_json(source.name.as_str(), &plan, None));
    }
    plan.notes.iter().for_each(|note| session.ui.note(note));
    if !session.recursive {
        say_children(session, &source.name)?;
    }
    session
        .ui
        .say(&format!("Sending initial replication stream to {}:{target}", args.host));
    let watcher = session.ui.watcher(Progress::of(plans.len()));
    let jobs = plans
        .into_iter()
        .map(|plan| Job {
            ends: ends.clone(),
            plan,
        })
        .collect();
    let results = match lock {
        Some(lock) => execute::run_all(jobs, &UntilBegun::new(&watcher, lock)),
        None => execute::run_all(jobs, &watcher),
    };
    let done = Done::whole(results)?;
    session.ui.say(&format!(
        "Initialization copy of {} to {}:{target} complete",
        source.name, args.host
    ));
    session.ui.say("Filesystem will not be mounted");
    Ok(result_json(source.name.as_str(), &plan, Some(&done)))
}

/// Who pairs a dataset may take those below it for part of it, as with `zfs send -R`.
fn say_children(session: &Session, source: &DatasetName) -> Result<(), Problem> {
    let children = session.children(source)?;
    if let Some(first) = children.first() {
        session.ui.note(&format!(
            "{source}: {} below it ({first}{}) will not be replicated, and will be read-only while {source} is the replica. `zrep -R init` takes them along; or pair each by itself, or set readonly=off on it.",
            counted(children.len(), "dataset"),
            if children.len() > 1 { ", …" } else { "" }
        ));
    }
    Ok(())
}

fn place(args: &InitArgs, session: &Session, dataset: DatasetName) -> Result<Place, Problem> {
    if session.settings.me.is_here(&args.host) {
        return Ok(Place::here(dataset));
    }
    let host = HostName::new(&args.host).map_err(|error| {
        Problem::Setting(BadSetting::new(
            error.to_string(),
            "the name of a host, or localhost",
            format!("{:?}", args.host),
        ))
    })?;
    Ok(Place {
        host: Some(host),
        dataset,
    })
}

fn plans(
    args: &InitArgs,
    session: &Session,
    machine: &Machine,
    source: &State,
    target: &DatasetName,
) -> Result<Vec<Plan>, Problem> {
    let found = session.observe_at(machine, Side::Target, target)?;
    let parent = match target.parent() {
        Some(parent) => session.observe_at(machine, Side::Target, &parent)?,
        None => None,
    };
    let request = init::Request {
        locking: session.locking(source, &session.ends_here())?,
        now: session.now(),
        host: args.host.clone(),
        target: target.clone(),
        savecount: session.settings.savecount,
        raw: args.raw,
        recursive: session.recursive,
        preferences: session.settings.preferences,
        wishes: session.settings.new_target.clone().map_err(Problem::Settings)?,
    };
    let below = match session.recursive {
        true => Below {
            source: session.observe_below(&session.here(), Side::Source, &source.name)?,
            target: session.observe_below(machine, Side::Target, target)?,
        },
        false => Below::default(),
    };
    let observed = init::Observed {
        source,
        target: found.as_ref(),
        parent: parent.as_ref(),
        below: &below,
    };
    let plans = match session.recursive {
        true => init::tree::plan(&session.settings.me, observed, &request)?,
        false => vec![init::plan(&session.settings.me, observed, &request)?],
    };
    Ok(plans.into_iter().map(session.revise).collect())
}
