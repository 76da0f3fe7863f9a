//! What Cargo builds for the guests. Everything is built on the host, and the same
//! files run in every guest.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// An executable that Cargo built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The directory of its package.
    pub package: PathBuf,
    /// The target's name, and its kind: `bin`, `test`, `bench`, …
    pub target: String,
    pub kind: String,
    pub executable: PathBuf,
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Cargo, in the workspace.
pub fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(workspace()).stdin(Stdio::null());
    command
}

/// The zrep program of this checkout, as users get it; or the one that `ZREP_LAB_ZREP`
/// names, an older release for instance.
pub fn zrep() -> Result<PathBuf> {
    match std::env::var_os("ZREP_LAB_ZREP").filter(|path| !path.is_empty()) {
        Some(path) => Ok(path.into()),
        None => binary("zrep", "zrep"),
    }
}

/// The runner of the cases.
pub fn cases() -> Result<PathBuf> {
    binary("vm-tests", "cases")
}

/// What stands between two hosts.
pub fn relay() -> Result<PathBuf> {
    binary("vm-tests", "relay")
}

/// The lab's hand in a guest.
pub fn agent() -> Result<PathBuf> {
    binary("vm-tests", "agent")
}

fn binary(package: &str, name: &str) -> Result<PathBuf> {
    let artifacts = build(&["build", "--quiet", "--release", "-p", package, "--bin", name])?;
    let found = artifacts.into_iter().find(|artifact| artifact.target == name);
    Ok(found.with_context(|| format!("cargo built no {name}"))?.executable)
}

/// Runs a building cargo command and returns the executables; its messages to people
/// go to stderr.
pub fn build(arguments: &[&str]) -> Result<Vec<Artifact>> {
    let mut child = cargo()
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo")?;
    let stdout = child.stdout.take().context("cargo's output")?;
    let mut artifacts = Vec::new();
    for line in BufReader::new(stdout).lines() {
        artifacts.extend(parse(&line?));
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("cargo {}: {status}", arguments.join(" "));
    }
    Ok(artifacts)
}

fn parse(line: &str) -> Option<Artifact> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    Some(Artifact {
        package: Path::new(message["manifest_path"].as_str()?).parent()?.to_owned(),
        target: message["target"]["name"].as_str()?.to_owned(),
        kind: message["target"]["kind"][0].as_str()?.to_owned(),
        executable: message["executable"].as_str()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_executables_are_artifacts() {
        let binary = r#"{"reason":"compiler-artifact","manifest_path":"/w/zfs-ffi/Cargo.toml",
            "target":{"name":"zfs","kind":["test"]},"executable":"/t/zfs-1"}"#;
        let library = r#"{"reason":"compiler-artifact","manifest_path":"/w/Cargo.toml",
            "target":{"name":"zrep","kind":["lib"]},"executable":null}"#;
        let expected = Artifact {
            package: "/w/zfs-ffi".into(),
            target: "zfs".into(),
            kind: "test".into(),
            executable: "/t/zfs-1".into(),
        };
        assert_eq!(parse(binary), Some(expected));
        assert_eq!(parse(library), None);
        assert_eq!(parse("not json"), None);
    }
}
