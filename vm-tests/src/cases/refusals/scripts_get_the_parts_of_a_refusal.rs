//! With --json the refusal stands on standard output as well, in its parts.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.pair("src/a b", "dst/a copy")?;
    lab.zfs(&["snapshot", "dst/a copy@mine"]).ok()?;
    let output = lab.zrep(&["--json", "sync", "src/a b"]).exits(1)?;
    let json: Value = serde_json::from_str(&output.stdout).with_context(|| output.to_string())?;
    let error = &json["results"][0]["error"];
    for (field, text) in [
        ("side", "target"),
        ("dataset", "dst/a copy"),
        ("what", "does not have"),
        ("expected", "zrep_000000"),
        ("found", "mine"),
        ("help", "zrep sync -f"),
    ] {
        let found = error[field].as_str().unwrap_or_default();
        ensure!(found.contains(text), "{field} should say {text:?}: {output}");
    }
    ensure!(json["ok"] == false && json["results"][0]["ok"] == false, "{output}");
    Ok(())
}
