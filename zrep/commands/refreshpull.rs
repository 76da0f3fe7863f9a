//! `zrep _refreshpull SNAPSHOT [TOKEN]`: the master's part of a refresh by a machine that has no native zrep.
//!
//! N.B. stdout is a `zfs receive`: nothing but the stream may be written there.

use std::io::{PipeWriter, Write};

use super::patience::afresh;
use crate::cli::RefreshpullArgs;
use crate::execute::{self, Job, Quiet};
use crate::exit::Exit;
use crate::host::{Error, ErrorKind, local};
use crate::model::{Partial, Side};
use crate::os;
use crate::plan::refreshpull::{self, Pull};
use crate::plan::{Action, Plan, Stage};
use crate::problem::Problem;
use crate::session::{Session, UntilBegun};
use crate::ui;
use crate::wire::package;
use zfs_ffi::{DatasetName, SnapshotName};

/// Writes the streams up to a snapshot to stdout. A stream that is cut off is the only sign of a failure that the other side sees.
pub(super) fn run(args: &RefreshpullArgs, session: &Session) -> Exit {
    match pull(args, session) {
        Ok(()) => Exit::Success,
        Err(problem) => {
            session.ui.problem(&problem);
            problem.exit()
        }
    }
}

fn pull(args: &RefreshpullArgs, session: &Session) -> Result<(), Problem> {
    let snapshot = SnapshotName::new(&args.snapshot)?;
    let dataset = snapshot.dataset();
    let failed = |error| failed(&dataset, error);
    let token = args.token.as_deref().map(local::token).transpose().map_err(failed)?;
    let (_, out) = os::standard_streams().map_err(|error| failed(io_error(&error)))?;
    if ui::stdout_is_terminal() {
        return Err(failed(Error::new(ErrorKind::Other, "a stream is not for a terminal")));
    }
    let pull = afresh(session, || locked(session, &snapshot, token.as_ref()))?;
    let sent = write(session, &pull, out).map_err(failed);
    give_back(session, &pull);
    sent
}

/// Takes the lock, and tells what is to be sent under it.
fn locked(session: &Session, snapshot: &SnapshotName, token: Option<&Partial>) -> Result<Pull, Problem> {
    let dataset = snapshot.dataset();
    let lock = session.file_lock()?;
    let source = session.require_with_marks(Side::Source, &dataset)?;
    let ends = session.ends_here();
    let locking = session.locking(&source, &ends)?;
    let (me, preferences) = (&session.settings.me, session.settings.preferences);
    let pull = refreshpull::plan(me, &source, snapshot.short(), token, &locking, preferences)?;
    pull.lock.note.iter().for_each(|note| session.ui.note(note));
    let plan = (session.revise)(on_source(pull.lock.enter.clone()));
    execute::run(Job { ends, plan }, &UntilBegun::new(&Quiet, lock))?;
    Ok(pull)
}

fn give_back(session: &Session, pull: &Pull) {
    let job = Job {
        ends: session.ends_here(),
        plan: on_source(pull.lock.leave.clone()),
    };
    if let Err(failure) = execute::run(job, &Quiet) {
        session.ui.note(&format!("the lock could not be given back: {failure}"));
    }
}

fn on_source(actions: Vec<Action>) -> Plan {
    Plan {
        stages: vec![Stage::source(actions)],
        ..Plan::default()
    }
}

/// One stream is written as it is, several as a package.
fn write(session: &Session, pull: &Pull, mut out: PipeWriter) -> Result<(), Error> {
    let is_package = pull.streams.len() > 1;
    if let (true, Some(last)) = (is_package, pull.streams.last()) {
        put(&mut out, &package::header(last.snapshot.as_str()))?;
    }
    for stream in &pull.streams {
        let end = out.try_clone().map_err(|error| io_error(&error))?;
        session.host.send(stream, end, None)?;
    }
    if is_package {
        put(&mut out, &package::trailer())?;
    }
    Ok(())
}

fn put(out: &mut PipeWriter, bytes: &[u8]) -> Result<(), Error> {
    out.write_all(bytes).map_err(|error| io_error(&error))
}

fn io_error(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Other, format!("stdout: {error}"))
}

fn failed(dataset: &DatasetName, error: Error) -> Problem {
    Problem::Host {
        side: Some(Side::Source),
        dataset: dataset.to_string(),
        error,
    }
}
