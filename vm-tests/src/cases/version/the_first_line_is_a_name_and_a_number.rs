//! By the first line of `version` tools tell which zrep they speak with.

use anyhow::{Result, ensure};

use crate::fixture::Lab;

pub fn run(lab: &Lab) -> Result<()> {
    let said = lab.zrep(&["version"]).ok()?;
    let first = said.stdout.lines().next().unwrap_or_default();
    let words: Vec<&str> = first.split(' ').collect();
    ensure!(words.len() == 2 && words[0] == "zrep", "{said}");
    let number = words[1].split('-').next().unwrap_or_default();
    let parts: Vec<_> = number.split('.').map(str::parse::<u32>).collect();
    ensure!(parts.len() == 3 && parts.iter().all(Result::is_ok), "{said}");
    Ok(())
}
