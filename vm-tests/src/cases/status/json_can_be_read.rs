//! Every verb answers a program with one object that has the fields it is promised.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cases::pair::{SOURCE, TARGET, host};
use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    lab.create(SOURCE)?;
    let init = answer(lab, &["init", SOURCE, "localhost", TARGET])?;
    ensure!(
        init["results"][0]["snapshot"] == format!("{SOURCE}@zrep_000000"),
        "{init:#}"
    );

    lab.write(SOURCE, "file", vec![7; 300_000])?;
    lab.zpool(&["sync"]).ok()?;
    let status = answer(lab, &["status", SOURCE])?;
    let one = &status["results"][0];
    ensure!(
        one["dataset"] == SOURCE && one["master"] == true && one["readonly"] == false,
        "{one:#}"
    );
    ensure!(
        one["source"]["host"] == host()? && one["source"]["dataset"] == SOURCE,
        "{one:#}"
    );
    ensure!(
        one["target"]["host"] == "localhost" && one["target"]["dataset"] == TARGET,
        "{one:#}"
    );
    ensure!(
        one["last_sent"] == "zrep_000000" && one["snapshots"] == 1 && one["savecount"] == 5,
        "{one:#}"
    );
    ensure!(one["written_since"].as_u64().is_some_and(|bytes| bytes > 0), "{one:#}");
    ensure!(
        one["seconds_ago"].as_u64().is_some_and(|seconds| seconds < 1000),
        "{one:#}"
    );
    ensure!(
        one["locked_by"].is_null() && one["interrupted_receive"].is_null(),
        "{one:#}"
    );

    let list = answer(lab, &["list"])?;
    ensure!(
        list["datasets"] == serde_json::json!([TARGET, SOURCE])
            || list["datasets"] == serde_json::json!([SOURCE, TARGET]),
        "{list:#}"
    );
    answer(lab, &["expire", SOURCE])?;
    let turned = answer(lab, &["failover", SOURCE])?;
    ensure!(turned["results"][0]["dataset"] == SOURCE, "{turned:#}");
    let back = answer(lab, &["takeover", SOURCE])?;
    ensure!(back["results"][0]["ok"] == true, "{back:#}");
    Ok(())
}

/// What zrep answers, which must be a success.
fn answer(lab: &Lab, args: &[&str]) -> Result<Value> {
    let output = lab.zrep(&[args, &["--json"]].concat()).ok()?;
    ensure!(output.stdout.lines().count() == 1, "not one line: {output}");
    let value: Value = serde_json::from_str(&output.stdout).with_context(|| output.to_string())?;
    ensure!(
        value["schema"] == 1 && value["verb"] == args[0] && value["ok"] == true,
        "{value:#}"
    );
    Ok(value)
}
