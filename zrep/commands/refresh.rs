//! `zrep refresh TARGET`: a sync that the target's side asks for. Only the target's machine needs to reach the other one.

use super::sync::{Direction, once};
use crate::cli::{RefreshArgs, SyncArgs};
use crate::exit::Exit;
use crate::session::Session;

/// Brings replicas of this machine up to date from their masters.
pub(super) fn run(args: &RefreshArgs, session: &Session) -> Exit {
    let as_sync = SyncArgs {
        datasets: args.datasets.clone(),
        force: args.force || session.settings.force,
        verbose: args.verbose || session.settings.verbose,
        dry_run: args.dry_run,
        ..SyncArgs::default()
    };
    once(&as_sync, session, Direction::Pull)
}
