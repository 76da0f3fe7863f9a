//! What the compiler does not see: which module may use what. Reads the sources.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("zrep")
}

/// The lines of a file that are code and no test, with their numbers.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines.map(|(number, line)| (number + 1, line.to_owned())).collect()
}

/// Fails with every place where a file that `applies` has one of the `words`.
fn forbid(words: &[&str], applies: impl Fn(&str) -> bool) {
    let root = program();
    let mut seen = 0;
    let mut offenders = Vec::new();
    for path in sources(&root) {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        if !applies(&name) {
            continue;
        }
        seen += 1;
        for (number, line) in code(&path) {
            if words.iter().any(|word| line.contains(word)) {
                offenders.push(format!("{name}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(seen > 0, "no file to look at");
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}

fn is_pure(name: &str) -> bool {
    let files = [
        "model.rs",
        "intent.rs",
        "props.rs",
        "names.rs",
        "native.rs",
        "hostname.rs",
        "refusal.rs",
        "refusal/snapshot.rs",
        "refusal/telling.rs",
        "after.rs",
        "policy.rs",
    ];
    let on_the_wire = ["wire/codec.rs", "wire/frame.rs", "wire/message.rs", "wire/values.rs"];
    name.starts_with("plan/") || files.contains(&name) || on_the_wire.contains(&name)
}

#[test]
fn the_plan_and_what_it_works_on_do_no_io_and_read_no_clock() {
    let words = [
        "std::fs",
        "std::env",
        "std::io",
        "std::time",
        "std::net",
        "std::process",
        "rustix",
        "crate::os",
        "crate::clock",
        "Instant",
    ];
    forbid(&words, is_pure);
}

#[test]
fn only_the_ui_prints() {
    forbid(
        &["println!", "print!(", "eprint", "io::stdout", "io::stderr", "dbg!"],
        // N.B. `zrep serve` speaks to a machine on stdout, by handles that `os` gives out.
        |name| !["ui.rs", "os/mod.rs"].contains(&name),
    );
}

#[test]
fn only_the_local_host_calls_zfs_ffi_beyond_its_names() {
    let words = [
        "Core",
        "Handle",
        "Reader",
        "NvList",
        "SendOptions",
        "Program",
        "BeginRecord",
    ];
    let calls: Vec<String> = words.iter().map(|word| format!("zfs_ffi::{word}")).collect();
    let in_braces: Vec<String> = ["Core,", "Handle,", "Reader}", "NvList,"]
        .iter()
        .map(|word| format!("zfs_ffi::{{{word}"))
        .collect();
    let all: Vec<&str> = calls.iter().chain(&in_braces).map(String::as_str).collect();
    // N.B. a begin record is bytes, and no call.
    forbid(&all, |name| {
        !name.starts_with("host/local/") && name != "host/shell/stream.rs"
    });
}

/// ssh, and what the user himself asked for: filters.
fn starts_programs(name: &str) -> bool {
    ["ssh.rs", "relay.rs"].contains(&name) || name.starts_with("host/shell/")
}

#[test]
fn no_program_is_started_but_ssh_and_filters() {
    forbid(&["Command::new", "process::Command", "posix_spawn", "fork("], |name| {
        !starts_programs(name)
    });
}

#[test]
fn nothing_is_left_for_later() {
    forbid(&["todo!", "unimplemented!", "not implemented"], |_| true);
}

#[test]
fn what_differs_between_systems_sits_in_one_module() {
    forbid(&["target_os", "cfg(unix)"], |name| !name.starts_with("os/"));
}

/// The methods that a file declares or defines, by their names.
fn methods(path: &Path, from: &str, to: &str) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let part = text.split(from).nth(1).unwrap().split(to).next().unwrap();
    let names = part.lines().filter_map(|line| line.strip_prefix("    fn "));
    names
        .map(|name| name.split(['(', '<']).next().unwrap().to_owned())
        .collect()
}

#[test]
fn debugging_passes_every_call_on() {
    let asked = methods(&program().join("host/mod.rs"), "pub trait Host", "\n}\n");
    let passed_on = methods(&program().join("host/told.rs"), "impl Host for Told", "\n}\n");
    assert!(asked.len() > 10, "{asked:?}");
    assert_eq!(asked, passed_on);
}
