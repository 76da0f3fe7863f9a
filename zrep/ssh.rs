//! The way to another machine: the user's own `ssh`, with the user's own configuration.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::hostname::HostName;

/// What ssh itself exits with, whatever the remote command would have said.
const SSH_FAILED: i32 = 255;

/// What a shell exits with if there is no such command.
const NO_COMMAND: i32 = 127;

/// How to reach other machines, as the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    /// `SSH`: the program and its options.
    words: Vec<String>,
    /// `ZREP_PATH`: how zrep is called there.
    zrep: Vec<String>,
}

impl Ssh {
    /// From the values of `SSH` and `ZREP_PATH`. Their words are split at blanks, as shell zrep does.
    pub fn new(ssh: Option<&str>, zrep_path: Option<&str>) -> Self {
        Self {
            words: words(ssh, "ssh"),
            zrep: words(zrep_path, "zrep"),
        }
    }

    /// A command that runs `remote` in a shell of `host`. Its three standard streams are pipes.
    ///
    /// The words of `remote` are parsed by that shell: see [`quoted`].
    pub fn command(&self, host: &HostName, remote: &str) -> Command {
        let mut command = Command::new(self.words.first().map_or("ssh", String::as_str));
        command.args(self.words.iter().skip(1)).arg(host.as_str()).arg(remote);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The same, for a command that does not hear what the terminal's user types, such as ^C.
    pub fn command_apart(&self, host: &HostName, remote: &str) -> Command {
        let mut command = self.command(host, remote);
        command.process_group(0);
        command
    }

    /// `zrep serve`, as it is called on the other machine, unless the key there has a command of its own.
    pub fn serve_words(&self) -> String {
        format!("{} serve --as-user", self.zrep.join(" "))
    }

    /// Why the session ended before the other side said a word, in the words of who has to put it right.
    pub fn explained(&self, host: &HostName, exit: Option<i32>) -> (String, String) {
        let zrep = self.zrep.join(" ");
        match exit {
            Some(SSH_FAILED) => (
                format!("no ssh connection to {host} (exit status {SSH_FAILED})"),
                format!("try `{} {host} true`", self.words.join(" ")),
            ),
            Some(NO_COMMAND) => (
                format!("no {zrep} on host {host} (exit status {NO_COMMAND})"),
                format!("install zrep there, or set ZREP_PATH to where it is on {host}"),
            ),
            Some(status) => (
                format!("`{zrep} serve` on {host} ended with exit status {status}"),
                format!("try `{} {host} {zrep} version`", self.words.join(" ")),
            ),
            None => (
                format!("the connection to {host} was killed"),
                format!("try `{} {host} true`", self.words.join(" ")),
            ),
        }
    }
}

fn words(variable: Option<&str>, default: &str) -> Vec<String> {
    let found: Vec<String> = variable
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if found.is_empty() {
        vec![default.to_owned()]
    } else {
        found
    }
}

/// `word` for a remote shell, whatever is in it.
pub fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:@=,+%".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> HostName {
        HostName::new("beta").unwrap()
    }

    #[test]
    fn the_variables_may_hold_options_and_words() {
        let ssh = Ssh::new(Some("ssh -p 224  -l backup"), Some("sudo zrep"));
        let command = ssh.command(&host(), &ssh.serve_words());
        let args: Vec<_> = command.get_args().collect();
        assert_eq!(args, ["-p", "224", "-l", "backup", "beta", "sudo zrep serve --as-user"]);
        assert_eq!(Ssh::new(Some(""), None), Ssh::new(None, None));
    }

    #[test]
    fn a_quoted_word_is_one_word_for_a_shell() {
        for word in ["a", "a b", "it's", "$(reboot)", "`x`", "a\nb", "", "*", "~"] {
            let script = format!("printf %s {}", quoted(word));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }

    #[test]
    fn an_end_without_a_word_is_explained_by_its_status() {
        let ssh = Ssh::new(None, None);
        assert!(ssh.explained(&host(), Some(127)).0.contains("no zrep on host beta"));
        assert!(ssh.explained(&host(), Some(255)).1.contains("`ssh beta true`"));
    }
}
