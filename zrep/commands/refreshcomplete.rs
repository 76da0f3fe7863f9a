//! `zrep _refreshcomplete SNAPSHOT TAG:sent=EPOCH`: what was fetched with `_refreshpull` has arrived.

use super::{one_result, result_json};
use crate::cli::RefreshcompleteArgs;
use crate::execute::{self, Job, Quiet};
use crate::exit::Exit;
use crate::model::Side;
use crate::plan::refreshcomplete;
use crate::session::Session;
use zfs_ffi::SnapshotName;

/// Marks a snapshot of this machine's master as sent.
pub(super) fn run(args: &RefreshcompleteArgs, session: &Session) -> Exit {
    one_result(session, "_refreshcomplete", &args.snapshot, || {
        let name = SnapshotName::new(&args.snapshot)?;
        let dataset = name.dataset();
        let source = session.require(Side::Source, &dataset)?;
        let plan = refreshcomplete::plan(&session.settings.me, &source, name.short(), &args.mark)?;
        let plan = (session.revise)(plan);
        let job = Job {
            ends: session.ends_here(),
            plan: plan.clone(),
        };
        let done = execute::run(job, &Quiet)?;
        Ok(result_json(dataset.as_str(), &plan, Some(&done)))
    })
}
