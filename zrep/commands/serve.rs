//! `zrep serve`: the other machine's end of a session, on stdin and stdout.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::cli::ServeArgs;
use crate::exit::Exit;
use crate::host::local;
use crate::os;
use crate::policy::{Grant, Policy};
use crate::problem::Problem;
use crate::serve::{End, Server};
use crate::session::Session;
use crate::settings::BadSetting;
use crate::ui;

/// Where an administrator writes rules for peers.
const CONFIG: &str = "/etc/zrep/serve.conf";

/// Serves one client.
pub(super) fn run(args: &ServeArgs, session: &Session) -> Exit {
    let policy = match policy(args) {
        Ok(policy) => policy,
        Err(text) => {
            let expected = "rules of the form DATASET[:receive|send|control]...";
            session.ui.problem(&Problem::Setting(BadSetting::new(
                text,
                expected,
                "the rule above; nothing is allowed",
            )));
            return Exit::Failure;
        }
    };
    let (input, out) = match os::standard_streams() {
        Ok(streams) => streams,
        Err(error) => {
            session.ui.problem(&Problem::Setting(BadSetting::new(
                "stdin, stdout",
                "two open streams",
                error.to_string(),
            )));
            return Exit::Failure;
        }
    };
    let server = Server {
        host: session.host.clone(),
        policy,
        settings: session.settings.clone(),
        zfs: local::kernel_version().unwrap_or_default(),
    };
    match server.run(input, out) {
        End::Closed => Exit::Success,
        End::Broken(broken) => {
            ui::server_note(&format!("{broken}; the session is closed"));
            Exit::Failure
        }
        End::Stream(error) => {
            ui::server_note(&error.text);
            Exit::Failure
        }
    }
}

/// With `--allow` or `--peer` only what they allow. All that the user may do is allowed by name only: a forced command without rules was meant to
/// restrict, and nothing in its environment tells it from another one when the client asks for a shell.
fn policy(args: &ServeArgs) -> Result<Policy, String> {
    if args.as_user {
        return Ok(Policy::User);
    }
    let mut grants = args
        .allow
        .iter()
        .map(|text| Grant::parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    let source = match (&args.peer, grants.is_empty()) {
        (Some(peer), _) => {
            grants.extend(of_peer(peer, &config(Path::new(CONFIG))?)?);
            format!("the rules for peer {peer} (--allow, {CONFIG})")
        }
        (None, false) => "--allow".to_owned(),
        (None, true) => "this `zrep serve`, which has neither --allow nor --peer".to_owned(),
    };
    Ok(Policy::Only { source, grants })
}

/// The rules, if their file is one that only root can have written.
fn config(path: &Path) -> Result<String, String> {
    let of_path = |error: io::Error| format!("{}: {error}", path.display());
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        found => found.map_err(of_path)?,
    };
    if metadata.uid() != 0 || metadata.mode() & 0o022 != 0 {
        return Err(format!(
            "{}: must belong to root, and be writable by nobody else",
            path.display()
        ));
    }
    fs::read_to_string(path).map_err(of_path)
}

/// The lines `PEER DATASET[:RIGHT]...` of one peer. A line that is not understood allows nothing, and is an error.
fn of_peer(peer: &str, text: &str) -> Result<Vec<Grant>, String> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let rules = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut grants = Vec::new();
    for (number, line) in rules {
        let (name, grant) = line
            .split_once(char::is_whitespace)
            .ok_or_else(|| format!("{CONFIG}:{number}: expected PEER DATASET[:receive|send|control]..."))?;
        let grant = Grant::parse(grant).map_err(|error| format!("{CONFIG}:{number}: {error}"))?;
        if name == peer {
            grants.push(grant);
        }
    }
    Ok(grants)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(peer: Option<&str>, allow: &[&str]) -> ServeArgs {
        ServeArgs {
            peer: peer.map(str::to_owned),
            allow: allow.iter().map(|text| (*text).to_owned()).collect(),
            as_user: false,
        }
    }

    #[test]
    fn without_rules_nothing_is_allowed_unless_it_is_asked_for() {
        let of_user = ServeArgs {
            as_user: true,
            ..args(None, &[])
        };
        assert_eq!(policy(&of_user), Ok(Policy::User));
        assert!(matches!(policy(&args(None, &[])), Ok(Policy::Only { grants, .. }) if grants.is_empty()));
        assert!(matches!(policy(&args(None, &["dst"])), Ok(Policy::Only { grants, .. }) if grants.len() == 1));
        assert!(policy(&args(None, &["../x"])).is_err());
    }

    #[test]
    fn a_peer_gets_the_lines_with_its_name() {
        let text = "# who what\nalpha dst/from alpha:receive\n\nbeta dst/b\nalpha src:send:control\n";
        assert_eq!(of_peer("alpha", text).unwrap().len(), 2);
        assert_eq!(of_peer("gamma", text), Ok(Vec::new()));
        assert!(of_peer("alpha", "alpha\n").unwrap_err().contains(":1:"));
    }
}
