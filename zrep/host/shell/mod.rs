//! Another machine that has only the `zfs` command and an sshd: commands through ssh, and their output read.
//!
//! So a pairing can be set up before zrep is installed on both of its sides. It costs several programs and round trips where a zrep
//! there would need one message, and it is a little weaker:
//!
//! * A batch is done command by command. Its conditions are looked at in the same round trip, but not in the same transaction.
//! * The properties of a new replica are set locally (`zfs receive -o`), where a stream brings received ones. For zrep both mean the same.
//! * A value of a native property that the `zfs` there does not know makes it refuse the stream; a zrep would go on with a warning.
//! * An interrupted stream *from* there is begun anew: `zfs send` goes on only for a token, and that is not kept.
//!
//! One `ssh HOST sh` serves all questions and changes, one after the other; each stream has an ssh of its own. What takes longer than the
//! patience without a sign of life is killed.

use std::io::{PipeReader, PipeWriter};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Applied, BatchError, Error, ErrorKind, Host, Received};
use crate::hostname::HostName;
use crate::model::{Snapshot, State};
use crate::plan::lock::Seen;
use crate::plan::{Action, Transfer};
use crate::props::{Tag, View};
use crate::ssh::Ssh;
use answer::Answer;
use session::{Broken, Session};
use zfs_ffi::DatasetName;

mod answer;
mod apply;
mod child;
mod command;
mod error;
mod flow;
mod observe;
mod parse;
#[cfg(test)]
mod scene;
mod script;
mod session;
mod stream;
#[cfg(test)]
mod tests;
mod token;

/// A machine without a zrep.
#[derive(Debug)]
pub struct Shell {
    ssh: Ssh,
    host: HostName,
    patience: Duration,
    apart: bool,
    /// Opened at the first call, and anew after one that broke.
    session: Mutex<Option<Session>>,
}

impl Shell {
    /// `host`, to be reached by `ssh` at the first call. Nothing waits for it longer than `patience` without hearing of it.
    pub fn new(ssh: Ssh, host: HostName, patience: Duration) -> Self {
        Self {
            ssh,
            host,
            patience,
            apart: false,
            session: Mutex::new(None),
        }
    }

    /// The same, with each ssh in a process group of its own: what the terminal's user types does not reach it. So ^C lets a loop end
    /// after its step; but no ssh can ask for a password any more.
    #[must_use]
    pub fn apart(self) -> Self {
        Self { apart: true, ..self }
    }

    fn command(&self, remote: &str) -> Command {
        let mut command = self.ssh.command(&self.host, remote);
        if self.apart {
            command.process_group(0);
        }
        command
    }

    /// Runs the commands, each after the one before has succeeded. Blocks while another thread is asking.
    ///
    /// The outer error tells that nothing was asked.
    fn ask(&self, commands: &[String]) -> Result<Result<Vec<Answer>, Broken>, Error> {
        let mut slot = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = slot
            .take()
            .and_then(|mut session| session.is_alive().then_some(session));
        let session = match kept {
            Some(session) => session,
            None => Session::open(self.command("exec sh"), self.patience).map_err(|why| self.unreachable(&why))?,
        };
        let asked = slot.insert(session).ask(commands);
        if asked.is_err() {
            *slot = None;
        }
        Ok(asked)
    }

    /// The same for what changes nothing.
    fn look(&self, commands: &[String]) -> Result<Vec<Answer>, Error> {
        self.ask(commands)?.map_err(|broken| self.lost(&broken.why))
    }

    /// The same, where a command that fails is an error.
    fn look_all(&self, commands: &[String]) -> Result<Vec<Answer>, Error> {
        let answers = self.look(commands)?;
        match answers.iter().find(|answer| answer.status != 0) {
            Some(failed) => Err(error::of_zfs(self.host.as_str(), &failed.err)),
            None => Ok(answers),
        }
    }

    fn unreachable(&self, why: &str) -> Error {
        let command = self.ssh.command(&self.host, "true");
        let words = [command.get_program()]
            .into_iter()
            .chain(command.get_args())
            .map(|word| word.to_string_lossy());
        let hint = format!(
            "try `{}`: it must work without a password",
            words.collect::<Vec<_>>().join(" ")
        );
        Error::new(ErrorKind::Unreachable, format!("host {}: {why}", self.host)).with_hint(hint)
    }

    fn lost(&self, why: &str) -> Error {
        Error::new(ErrorKind::Lost, format!("host {}: {why}", self.host))
    }

    /// The command line of a process there, or `None` if there is no such process.
    fn process(&self, pid: u32) -> Result<Option<String>, Error> {
        let answers = self.look(&[script::line(["ps", "-p", &pid.to_string(), "-o", "args="])])?;
        match answers.as_slice() {
            [Answer { status: 0, out, .. }] => Ok(Some(error::one_line(out))),
            [Answer { err, .. }] if err.is_empty() => Ok(None),
            answers => Err(self.lost(&format!("ps does not tell: {answers:?}"))),
        }
    }
}

impl Host for Shell {
    fn observe(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        self.state(dataset)
    }

    fn glance(&self, dataset: &DatasetName) -> Result<Option<State>, Error> {
        self.state_alone(dataset)
    }

    /// What is below a dataset is told with all its snapshots and properties by a zrep that serves; nobody has needed it from a plain `zfs` so far.
    fn observe_below(&self, dataset: &DatasetName) -> Result<Vec<State>, Error> {
        let text = format!("{dataset}: a recursive pairing with a machine that is used through its plain zfs command");
        Err(Error::new(ErrorKind::Other, text)
            .with_hint("install zrep there, too: it must answer `ssh HOST zrep serve`"))
    }

    fn snapshots_since(&self, dataset: &DatasetName, txg: u64) -> Result<Vec<Snapshot>, Error> {
        self.younger(dataset, txg)
    }

    fn settle(&self, pool: &str) -> Result<(), Error> {
        self.look_all(&[script::line(["zpool", "sync", pool])]).map(drop)
    }

    fn with_property(&self, property: &str) -> Result<Vec<DatasetName>, Error> {
        self.having(property)
    }

    fn apply(&self, batch: &[Action]) -> Result<Vec<Applied>, BatchError> {
        self.apply_batch(batch)
    }

    /// Resuming is not possible: see above.
    fn send(&self, transfer: &Transfer, out: PipeWriter, watch: Option<&(dyn Fn(u64) + Sync)>) -> Result<(), Error> {
        self.send_stream(transfer, out, watch)
    }

    fn receive(&self, transfer: &Transfer, input: PipeReader) -> Result<Received, Error> {
        self.receive_stream(transfer, input)
    }

    fn estimate(&self, transfer: &Transfer) -> Result<u64, Error> {
        self.stream_size(transfer)
    }

    /// Looks for the number alone, not for when its process began.
    fn lock_seen(&self, state: &State, tag: &Tag) -> Seen {
        let view = View::new(state, tag);
        let Some(text) = view.lock_pid() else { return Seen::Free };
        let Ok(pid) = text.parse::<u32>() else {
            return Seen::Dead;
        };
        match self.process(pid) {
            Ok(Some(command)) => Seen::Alive { command: Some(command) },
            Ok(None) => Seen::Dead,
            // Whoever cannot be asked may live.
            Err(_) => Seen::Alive { command: None },
        }
    }
}
