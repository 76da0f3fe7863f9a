//! `zrep uptodate DATASET`

use serde_json::{Value, json};

use super::{fail, for_each};
use crate::cli::UptodateArgs;
use crate::exit::Exit;
use crate::model::Side;
use crate::plan::pairing::link_of;
use crate::plan::uptodate::{Unsent, unsent_of_tree};
use crate::problem::Problem;
use crate::props::View;
use crate::refusal::Refusal;
use crate::session::Session;
use zfs_ffi::DatasetName;

/// Succeeds if nothing was written since the last sent snapshot. Says nothing: the exit code is the answer.
pub(super) fn run(args: &UptodateArgs, session: &Session) -> Exit {
    let name = match DatasetName::new(&args.dataset) {
        Ok(name) => name,
        Err(error) => return fail(session, "uptodate", &error.into()),
    };
    let mut found = Unsent::Nothing;
    let exit = for_each(session, "uptodate", Ok(vec![name]), |name| {
        one(session, name, &mut found)
    });
    match found {
        Unsent::Nothing => exit,
        Unsent::Everything | Unsent::Snapshots(_) | Unsent::Bytes(_) => Exit::Failure,
    }
}

fn one(session: &Session, name: &DatasetName, found: &mut Unsent) -> Result<Value, Problem> {
    let me = &session.settings.me;
    // What was written a moment ago counts, too.
    session.settle(name)?;
    let state = session.require_with_marks(Side::Source, name)?;
    link_of(me, &state).map_err(|why| Refusal::source(name, why))?;
    let below = session.below_here(Side::Source, &state)?;
    *found = unsent_of_tree(&me.tag, &state, &below);
    let (bytes, snapshots) = match *found {
        Unsent::Nothing => (Some(0), Some(0)),
        Unsent::Everything => (None, None),
        Unsent::Snapshots(count) => (None, Some(count)),
        Unsent::Bytes(bytes) => (Some(bytes), Some(0)),
    };
    let last = View::new(&state, &me.tag).last_sent();
    Ok(json!({
        "dataset": name.as_str(),
        "ok": true,
        "up_to_date": *found == Unsent::Nothing,
        "last_sent": last.map(|last| last.name.clone()),
        "bytes_since": bytes,
        "snapshots_since": snapshots,
    }))
}
