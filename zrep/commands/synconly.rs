//! `zrep synconly`: a sync of the newest snapshot that is there, without a new one.

use super::sync::{Direction, once};
use crate::cli::{SyncArgs, SynconlyArgs};
use crate::exit::Exit;
use crate::session::Session;

/// Sends the newest snapshot of zrep's of each master.
pub(super) fn run(args: &SynconlyArgs, session: &Session) -> Exit {
    let as_sync = SyncArgs {
        datasets: args.datasets.clone(),
        force: args.force,
        verbose: args.verbose,
        dry_run: args.dry_run,
        ..SyncArgs::default()
    };
    once(&as_sync, session, Direction::Latest)
}
