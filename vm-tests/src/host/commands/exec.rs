//! `lab exec`: a script in a fresh guest.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::host::artifacts;
use crate::host::carry::Files;
use crate::host::cli::ExecArgs;
use crate::host::machine::Sinks;
use crate::host::session::{Session, Wish, quote};

pub fn run(args: &ExecArgs) -> Result<i32> {
    let (script, script_args) = args.script.split_first().context("no script")?;
    let zrep = artifacts::zrep()?;
    let session = Session::prepare(Wish {
        hosts: args.hosts,
        pools: !args.no_pools,
        memory_mib: args.mem,
        timeout: Duration::from_secs(args.timeout),
        ..Wish::new(args.guest.name)
    })?;
    session.add_program(&zrep, "zrep")?;
    if args.hosts > 1 {
        session.add_program(&artifacts::relay()?, "relay")?;
    }
    let name = add_script(session.files(), Path::new(script))?;
    for file in &args.put {
        session.files().add(file, &format!("root/{}", base_name(file)?))?;
    }
    session.run(&main(&name, script_args), Sinks::inherit())
}

fn add_script(files: &Files, script: &Path) -> Result<String> {
    if script == Path::new("-") {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .context("the script on standard input")?;
        files.program("root/script", &text)?;
        return Ok("script".to_owned());
    }
    let name = base_name(script)?;
    files.add(script, &format!("root/{name}"))?;
    files.make_executable(&format!("root/{name}"))?;
    Ok(name)
}

fn base_name(path: &Path) -> Result<String> {
    // A path like `dir/..` has no name of its own until it is resolved.
    let path = path.canonicalize().with_context(|| path.display().to_string())?;
    let name = path
        .file_name()
        .with_context(|| format!("{} has no name", path.display()))?;
    Ok(name.to_string_lossy().into_owned())
}

/// The shell runs a script without a `#!` line by itself.
fn main(script: &str, args: &[String]) -> String {
    let args: String = args.iter().map(|arg| format!(" {}", quote(arg))).collect();
    format!("#!/bin/bash\ncd /root && exec ./{}{args}\n", quote(script))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_reach_the_script_as_they_are() {
        let main = main("my script", &["a b".into(), "$x".into()]);
        assert_eq!(main, "#!/bin/bash\ncd /root && exec ./'my script' 'a b' '$x'\n");
    }
}
