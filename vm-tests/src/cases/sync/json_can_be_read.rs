//! `--json` writes one object to stdout, which says what a program needs to know, also
//! of what went wrong.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cases::pair::{Pair, SOURCE, TARGET};
use crate::fixture::Lab;
use crate::fixture::output::Output;

pub fn run(lab: &Lab) -> Result<()> {
    let pair = Pair::new(lab)?;
    pair.write("file", "new")?;
    let good = one_object(&lab.zrep(&["--json", "sync", SOURCE]))?;
    ensure!(
        good["schema"] == 1 && good["verb"] == "sync" && good["ok"] == true,
        "{good:#}"
    );
    let result = &good["results"][0];
    ensure!(result["dataset"] == SOURCE && result["ok"] == true, "{good:#}");
    ensure!(result["target"] == format!("localhost:{TARGET}"), "{good:#}");
    let newest = pair.newest(TARGET)?;
    ensure!(result["snapshot"] == pair.newest(SOURCE)?.name, "{good:#}");
    ensure!(
        result["guid"].as_str() == Some(newest.guid.to_string().as_str()),
        "{newest:?} {good:#}"
    );
    ensure!(result["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{good:#}");

    let output = lab.zrep(&["sync", SOURCE, "src/not there", "--json"]);
    let mixed = one_object(&output)?;
    output.exits(1)?;
    ensure!(mixed["ok"] == false && mixed["results"][0]["ok"] == true, "{mixed:#}");
    let failed = &mixed["results"][1];
    ensure!(
        failed["dataset"] == "src/not there" && failed["ok"] == false,
        "{mixed:#}"
    );
    for part in ["side", "dataset", "what", "expected", "found", "help"] {
        let text = failed["error"][part].as_str().unwrap_or_default();
        ensure!(!text.is_empty(), "no {part}: {mixed:#}");
    }
    Ok(())
}

fn one_object(output: &Output) -> Result<Value> {
    ensure!(output.stdout.lines().count() == 1, "not one line: {output}");
    let value: Value = serde_json::from_str(&output.stdout).with_context(|| output.to_string())?;
    ensure!(value.is_object(), "no object: {output}");
    Ok(value)
}
