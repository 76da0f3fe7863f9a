//! One `ssh HOST sh` that is kept: commands go in, marked answers come out.
//!
//! An answer stands between lines that begin with a word which nobody can guess, so neither the output of a command nor what the login
//! scripts there have to say can be taken for one. The shell collects what a command writes to stderr and sends it behind the command's
//! output, so that one stream carries both. The session's own stderr is ssh's.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use super::answer::{Answer, Hearing};
use super::child::{self, Words};
use super::script::PRELUDE;
use crate::ssh::quoted;

/// A longer line is taken in pieces.
const LINE: u64 = 1 << 20;

/// Login scripts may say so many lines.
const NOISE: usize = 10_000;

/// After such a pause a session is tried out before it is used.
const IDLE: Duration = Duration::from_secs(10);

/// So many lines may wait to be looked at.
const WAITING: usize = 1024;

/// A session that is of no more use, and what it had answered before.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) answered: Vec<Answer>,
    pub(super) why: String,
}

/// A shell on the other machine. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Session {
    child: Child,
    words: Words,
    /// Takes what is written without ever making the writer wait.
    input: Sender<String>,
    lines: Receiver<Vec<u8>>,
    mark: String,
    patience: Duration,
    /// When it last answered.
    used: Instant,
}

impl Session {
    /// Starts the command, and waits until the shell at its other end answers. Until then nothing was asked of it.
    pub(super) fn open(mut command: Command, patience: Duration) -> Result<Self, String> {
        let mut child = command.spawn().map_err(|error| format!("cannot start ssh: {error}"))?;
        let words = Words::of(child.stderr.take());
        let (input, texts) = mpsc::channel();
        let (found, lines) = mpsc::sync_channel(WAITING);
        let started = start("to shell", child.stdin.take(), |stdin| write_all(stdin, texts))
            .and_then(|()| start("from shell", child.stdout.take(), |stdout| read_lines(stdout, found)));
        let mut session = Self {
            child,
            words,
            input,
            lines,
            mark: unguessable(),
            patience,
            used: Instant::now(),
        };
        started.map_err(|error| format!("cannot start a thread: {error}"))?;
        session.greet()?;
        Ok(session)
    }

    fn greet(&mut self) -> Result<(), String> {
        self.say(format!(
            "{PRELUDE}mark={}\nprintf '\\n%s ready\\n' \"$mark\"\n",
            self.mark
        ));
        for _ in 0..NOISE {
            let line = self.next().map_err(|silence| self.told(silence))?;
            if self.marked(&line).is_some() {
                return Ok(());
            }
        }
        Err(format!("{NOISE} lines of text, and no shell that answers"))
    }

    /// Whether it can be used. An idle connection may have been forgotten by what lies between, so after a pause that is tried out.
    pub(super) fn is_alive(&mut self) -> bool {
        let runs = matches!(self.child.try_wait(), Ok(None));
        runs && (self.used.elapsed() < IDLE || self.ask(&[]).is_ok())
    }

    /// Runs the commands one after the other, up to the first that fails. Each of them has the patience's time for a line of answer.
    ///
    /// After an error the session is of no more use. The first command that was not answered may have been carried out.
    pub(super) fn ask(&mut self, commands: &[String]) -> Result<Vec<Answer>, Broken> {
        let steps: String = commands
            .iter()
            .map(|command| format!("step {}\n", quoted(command)))
            .collect();
        self.say(format!("go=1\n{steps}printf '%s over\\n' \"$mark\"\n"));
        let mut hearing = Hearing::default();
        loop {
            match self.hear(&mut hearing) {
                Ok(true) => {
                    self.used = Instant::now();
                    return Ok(hearing.answers);
                }
                Ok(false) => {}
                Err(why) => {
                    return Err(Broken {
                        answered: hearing.answers,
                        why,
                    });
                }
            }
        }
    }

    /// Takes a line of answers, and tells whether it was the last.
    fn hear(&mut self, hearing: &mut Hearing) -> Result<bool, String> {
        let line = self.next().map_err(|silence| self.told(silence))?;
        match self.marked(&line) {
            Some(mark) => hearing.mark(mark),
            None => hearing.text(&line)?,
        }
        Ok(hearing.is_over)
    }

    fn next(&self) -> Result<Vec<u8>, RecvTimeoutError> {
        self.lines.recv_timeout(self.patience)
    }

    /// What stands behind the mark of a marked line.
    fn marked<'l>(&self, line: &'l [u8]) -> Option<&'l str> {
        let rest = line.strip_prefix(self.mark.as_bytes())?;
        std::str::from_utf8(rest).ok().map(str::trim)
    }

    fn say(&self, text: String) {
        // A shell that reads no more does not answer either, and that is noticed.
        let _ = self.input.send(text);
    }

    /// Why there was no line.
    fn told(&mut self, silence: RecvTimeoutError) -> String {
        match silence {
            RecvTimeoutError::Timeout => format!("no answer for {} s", self.patience.as_secs_f32()),
            RecvTimeoutError::Disconnected => {
                let status = child::wait(&mut self.child, child::FAREWELL);
                child::told(status, &self.words.text())
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        child::end(&mut self.child);
    }
}

/// A word for this session alone: the hasher's keys come from the system's source of randomness.
fn unguessable() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("zrep-{:016x}{:016x}", number(), number())
}

fn start<T: Send + 'static>(name: &str, end: Option<T>, work: impl FnOnce(T) + Send + 'static) -> io::Result<()> {
    let end = end.ok_or_else(|| io::Error::other("ssh without a pipe"))?;
    thread::Builder::new()
        .name(name.into())
        .spawn(move || work(end))
        .map(drop)
}

fn write_all(mut stdin: ChildStdin, texts: Receiver<String>) {
    for text in texts {
        if stdin.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_lines(stdout: ChildStdout, found: SyncSender<Vec<u8>>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        let read = stdout.by_ref().take(LINE).read_until(b'\n', &mut line);
        if !matches!(read, Ok(1..)) || found.send(line).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::shell::scene::{Scene, patience};

    fn texts(answers: &[Answer]) -> Vec<(i32, &str, &str)> {
        answers
            .iter()
            .map(|answer| (answer.status, answer.out.as_str(), answer.err.as_str()))
            .collect()
    }

    fn session(scene: &Scene) -> Session {
        Session::open(scene.command("exec sh"), patience()).unwrap()
    }

    fn ask(session: &mut Session, commands: &[&str]) -> Vec<Answer> {
        let commands: Vec<String> = commands.iter().map(|&command| command.to_owned()).collect();
        session.ask(&commands).unwrap()
    }

    #[test]
    fn output_and_complaints_come_apart_and_as_they_are() {
        let scene = Scene::new("apart");
        let mut session = session(&scene);
        let answers = ask(
            &mut session,
            &["printf 'a\\nb'; echo bad >&2", "echo 'it'\"'\"'s'", "cat", ":"],
        );
        assert_eq!(
            texts(&answers),
            [(0, "a\nb", "bad"), (0, "it's\n", ""), (0, "", ""), (0, "", "")]
        );
    }

    #[test]
    fn what_follows_a_failure_is_not_run() {
        let scene = Scene::new("failure");
        let mut session = session(&scene);
        let answers = ask(&mut session, &["echo 1", "echo no >&2; exit 3", "echo 2"]);
        assert_eq!(texts(&answers), [(0, "1\n", ""), (3, "", "no")]);
        assert_eq!(
            texts(&ask(&mut session, &["echo 3"])),
            [(0, "3\n", "")],
            "the session goes on"
        );
    }

    #[test]
    fn a_request_may_be_longer_than_a_pipe() {
        let scene = Scene::new("long");
        let mut session = session(&scene);
        let commands = vec![format!("echo {}", "x".repeat(500)); 2000];
        let answers = session.ask(&commands).unwrap();
        assert_eq!((answers.len(), answers[1999].out.len()), (2000, 501));
    }

    #[test]
    fn noise_of_login_scripts_is_passed_over() {
        let scene = Scene::new("noise").with_ssh("echo Welcome to this machine; echo mark");
        let mut session = session(&scene);
        assert_eq!(texts(&ask(&mut session, &["echo 1"])), [(0, "1\n", "")]);
    }

    #[test]
    fn a_shell_that_is_silent_is_given_up_and_killed() {
        let scene = Scene::new("silent");
        let mut session = Session::open(scene.command("exec sh"), Duration::from_millis(200)).unwrap();
        let broken = session.ask(&["echo 1".into(), "sleep 100".into()]).unwrap_err();
        assert_eq!(texts(&broken.answered), [(0, "1\n", "")]);
        assert!(broken.why.contains("no answer for 0.2 s"), "{}", broken.why);
        let pid = i32::try_from(session.child.id()).unwrap();
        drop(session);
        assert!(!crate::os::is_alive(pid));
    }

    #[test]
    fn the_words_of_an_ssh_that_fails_are_told() {
        let scene =
            Scene::new("refused").with_ssh("echo 'ssh: connect to host beta: Connection refused' >&2; exit 255");
        let why = Session::open(scene.command("exec sh"), patience()).unwrap_err();
        assert!(
            why.contains("exit status 255") && why.contains("Connection refused"),
            "{why}"
        );
    }
}
