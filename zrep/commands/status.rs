//! `zrep status`

use serde_json::{Value, json};

use super::for_each;
use crate::cli::StatusArgs;
use crate::clock;
use crate::exit::Exit;
use crate::model::{Link, Side, Snapshot, State};
use crate::plan::condition;
use crate::plan::pairing::link_of;
use crate::plan::tree::trouble::{Trouble, troubles};
use crate::problem::Problem;
use crate::props::View;
use crate::refusal::Refusal;
use crate::session::Session;
use zfs_ffi::DatasetName;

pub(super) mod monitor;

/// Tells of each dataset when it was last synced; with `-m` whether somebody has to look.
pub(super) fn run(args: &StatusArgs, session: &Session) -> Exit {
    if args.monitor {
        return monitor::run(args, session);
    }
    for_each(session, "status", operands(args, session), |name| {
        one(args, session, name)
    })
}

fn one(args: &StatusArgs, session: &Session, name: &DatasetName) -> Result<Value, Problem> {
    let status = Status::of(session, name)?;
    session.ui.say(&status.line(session, args.verbose));
    let condition = condition::of(&session.settings.me, &status.state);
    if let Some(told) = condition.told(&status.state) {
        session.ui.say(&format!("    {told}"));
    }
    let is_master = status.view(session).is_master();
    for trouble in status.troubles(session) {
        session.ui.say(&format!("    {}", trouble.told(is_master)));
    }
    Ok(status.json(session))
}

fn operands(args: &StatusArgs, session: &Session) -> Result<Vec<DatasetName>, Problem> {
    match args.datasets.as_slice() {
        [] if args.all => session.paired(),
        [] => session.masters(),
        words => words.iter().map(|word| Ok(DatasetName::new(word)?)).collect(),
    }
}

/// What there is to say of one side of a pairing.
struct Status {
    state: State,
    link: Link,
    /// What is below it, where the pairing is recursive.
    below: Vec<State>,
}

impl Status {
    fn of(session: &Session, name: &DatasetName) -> Result<Self, Problem> {
        let state = session.require_with_marks(Side::Source, name)?;
        let link = link_of(&session.settings.me, &state).map_err(|why| Refusal::source(name, why))?;
        let below = session.below_here(Side::Source, &state)?;
        Ok(Self { state, link, below })
    }

    fn view<'a>(&'a self, session: &'a Session) -> View<'a> {
        View::new(&self.state, &session.settings.me.tag)
    }

    fn last<'a>(&'a self, session: &'a Session) -> Option<(&'a Snapshot, Option<u64>)> {
        let view = self.view(session);
        view.last_sent().map(|snapshot| (snapshot, view.sent(snapshot)))
    }

    fn troubles(&self, session: &Session) -> Vec<Trouble<'_>> {
        let last = self.last(session).map(|(snapshot, _)| snapshot.name.clone());
        troubles(&session.settings.me, &self.state, last.as_deref(), &self.below)
    }

    /// N.B. the columns are shell zrep's: monitoring reads them.
    fn line(&self, session: &Session, verbose: bool) -> String {
        let at = |epoch: u64| clock::formatted(epoch, &session.settings.date_format);
        let date = match self.last(session) {
            Some((snapshot, sent)) => at(sent.unwrap_or(snapshot.creation)),
            None => "[NEVER]".to_owned(),
        };
        if !verbose {
            return format!("{:<52} last: {date}", self.state.name.as_str());
        }
        let to = format!("{}:{}", self.link.dest_host, self.link.dest_fs);
        let minutes = date.rsplit_once(':').map_or(date.as_str(), |(minutes, _)| minutes);
        format!("{:<25}->{to:<35} {minutes}", self.link.src_fs)
    }

    fn json(&self, session: &Session) -> Value {
        let view = self.view(session);
        let last = self.last(session);
        let sent = last.and_then(|(_, sent)| sent);
        json!({
            "dataset": self.state.name.as_str(),
            "ok": true,
            "master": view.is_master(),
            "source": { "host": self.link.src_host, "dataset": self.link.src_fs },
            "target": { "host": self.link.dest_host, "dataset": self.link.dest_fs },
            "last_sent": last.map(|(snapshot, _)| snapshot.name.clone()),
            "last_sent_at": sent,
            "seconds_ago": sent.map(|sent| session.now().saturating_sub(sent)),
            "written_since": self.state.written,
            "snapshots": self.state.snapshots.len(),
            "savecount": view.savecount().ok().flatten(),
            "readonly": self.state.readonly,
            "recursive": view.is_recursive(),
            "below": self.below.len(),
            "behind": self.troubles(session).iter().map(|trouble| trouble.name().as_str()).collect::<Vec<&str>>(),
            "epoch": view.epoch(),
            "condition": condition::of(&session.settings.me, &self.state).word(),
            "next_command": condition::of(&session.settings.me, &self.state).next_command(&self.state),
            "locked_by": view.lock_pid(),
            "interrupted_receive": self.state.partial.as_ref().map(|partial| partial.point.bytes),
        })
    }
}
