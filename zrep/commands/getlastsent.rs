//! `zrep getlastsent DATASET`

use serde_json::json;

use super::for_each;
use crate::cli::GetlastsentArgs;
use crate::exit::Exit;
use crate::model::Side;
use crate::plan::pairing::link_of;
use crate::props::View;
use crate::refusal::Refusal;
use crate::session::Session;
use zfs_ffi::DatasetName;

/// Names the newest snapshot that has arrived on the other side; an empty line where none has.
pub(super) fn run(args: &GetlastsentArgs, session: &Session) -> Exit {
    let name = DatasetName::new(&args.dataset).map(|name| vec![name]);
    for_each(session, "getlastsent", name.map_err(Into::into), |name| {
        let me = &session.settings.me;
        let state = session.require_with_marks(Side::Source, name)?;
        link_of(me, &state).map_err(|why| Refusal::source(name, why))?;
        let last = View::new(&state, &me.tag).last_sent();
        let last = last.map(|last| format!("{name}@{}", last.name));
        session.ui.say(last.as_deref().unwrap_or_default());
        Ok(json!({ "dataset": name.as_str(), "ok": true, "last_sent": last }))
    })
}
