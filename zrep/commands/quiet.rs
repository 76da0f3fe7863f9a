//! `zrep sync -q SECONDS`: a dataset that somebody else works on is passed over, as long as its last sync is not too old.

use crate::clock;
use crate::model::Side;
use crate::problem::Problem;
use crate::props::View;
use crate::session::Session;
use zfs_ffi::DatasetName;

/// What is said where a dataset may be passed over. `None` where its last sync is older than `limit`, in seconds, or where it was refused for
/// another reason than a lock.
pub(super) fn passed_over(session: &Session, name: &DatasetName, limit: u64, problem: &Problem) -> Option<String> {
    if !problem.is_busy() {
        return None;
    }
    let now = session.now();
    match last_sync(session, name).map(|last| now.saturating_sub(last)) {
        Some(age) if age <= limit => {
            let date = clock::formatted(now, &session.settings.date_format);
            Some(format!("Quiet mode: skipping busy fs {name} at {date}"))
        }
        Some(age) => {
            session.ui.note(&format!(
                "{name}: synced {age} s ago; -q passes it over for {limit} s only."
            ));
            None
        }
        None => None,
    }
}

fn last_sync(session: &Session, name: &DatasetName) -> Option<u64> {
    let state = session.require_with_marks(Side::Source, name).ok()?;
    let view = View::new(&state, &session.settings.me.tag);
    view.last_sent().and_then(|last| view.sent(last))
}
