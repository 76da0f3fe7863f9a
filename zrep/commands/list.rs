//! `zrep list`

use serde_json::json;

use super::fail;
use crate::cli::ListArgs;
use crate::exit::Exit;
use crate::session::Session;

/// Names the paired datasets, one on a line.
pub(super) fn run(args: &ListArgs, session: &Session) -> Exit {
    let names = if args.masters {
        session.masters()
    } else {
        session.paired()
    };
    match names {
        Ok(names) => {
            names.iter().for_each(|name| session.ui.say(name.as_str()));
            let names: Vec<&str> = names.iter().map(zfs_ffi::DatasetName::as_str).collect();
            session.ui.json("list", true, json!({ "datasets": names }));
            Exit::Success
        }
        Err(problem) => fail(session, "list", &problem),
    }
}
