//! `zrep list`

use serde_json::json;

use super::fail;
use crate::cli::ListArgs;
use crate::exit::Exit;
use crate::model::Side;
use crate::plan::condition;
use crate::plan::pairing::link_of;
use crate::problem::Problem;
use crate::props::View;
use crate::refusal::Refusal;
use crate::session::Session;
use zfs_ffi::DatasetName;

/// Names the paired datasets, one on a line.
pub(super) fn run(args: &ListArgs, session: &Session) -> Exit {
    let names = if args.masters {
        session.masters()
    } else {
        session.paired()
    };
    match names {
        Ok(names) => {
            for name in &names {
                session.ui.say(name.as_str());
                if args.verbose
                    && let Err(problem) = say_more(session, name)
                {
                    session.ui.problem(&problem);
                }
            }
            let names: Vec<&str> = names.iter().map(DatasetName::as_str).collect();
            session.ui.json("list", true, json!({ "datasets": names }));
            Exit::Success
        }
        Err(problem) => fail(session, "list", &problem),
    }
}

fn say_more(session: &Session, name: &DatasetName) -> Result<(), Problem> {
    let me = &session.settings.me;
    let state = session.require(Side::Source, name)?;
    let view = View::new(&state, &me.tag);
    let link = link_of(me, &state).map_err(|why| Refusal::source(name, why))?;
    let role = if view.is_master() { "master" } else { "replica" };
    session.ui.say(&format!(
        "    {role} in epoch {}: {}:{} -> {}:{}",
        view.epoch(),
        link.src_host,
        link.src_fs,
        link.dest_host,
        link.dest_fs
    ));
    if let Some(told) = condition::of(me, &state).told(&state) {
        session.ui.say(&format!("    {told}"));
    }
    Ok(())
}
