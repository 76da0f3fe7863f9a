//! The command lines of streams.

use crate::model::Native;
use crate::native;
use crate::plan::{BaseName, Creation, Transfer};
use crate::ssh::quoted;

/// What receives the stream, and a warning for each property that is left out because no word is known for its value.
///
/// N.B. never with `-F`, which would take newer snapshots and data along.
pub(super) fn receive_command(transfer: &Transfer) -> (String, Vec<String>) {
    let mut command = "zfs receive -s -u".to_owned();
    let mut warnings = Vec::new();
    for (name, value) in transfer.creation.iter().flat_map(properties) {
        match as_text(name, value) {
            Some(text) => command.push_str(&format!(" -o {}", quoted(&format!("{name}={text}")))),
            None => {
                let target = transfer.into.dataset();
                warnings.push(format!(
                    "{target}: property {name} was not taken over: {value:?} has no word"
                ));
            }
        }
    }
    (format!("{command} {}", quoted(transfer.into.as_str())), warnings)
}

/// Plain `zfs` can only set properties locally, and each of them once.
fn properties(creation: &Creation) -> impl Iterator<Item = &(String, Native)> {
    let received = creation
        .received
        .iter()
        .filter(|(name, _)| !is_in(&creation.local, name));
    received.chain(&creation.local)
}

fn is_in(properties: &[(String, Native)], name: &str) -> bool {
    properties.iter().any(|(other, _)| other == name)
}

fn as_text(name: &str, value: &Native) -> Option<String> {
    match value {
        Native::Text(text) => Some(text.clone()),
        Native::Number(number) if name == "readonly" => Some(if *number == 0 { "off" } else { "on" }.to_owned()),
        Native::Number(number) => native::word(name, *number),
    }
}

/// What writes the stream, with these further options.
pub(super) fn send_command(more: &str, transfer: &Transfer) -> String {
    let flags = [
        (transfer.flags.large_blocks, " -L"),
        (transfer.flags.compressed, " -c"),
        (transfer.flags.embedded, " -e"),
        (transfer.flags.raw, " -w"),
    ];
    let flags: String = flags
        .iter()
        .filter(|(wanted, _)| *wanted)
        .map(|(_, flag)| *flag)
        .collect();
    let base = transfer.base.as_ref().map(|base| match &base.name {
        BaseName::Snapshot(name) => name.as_str(),
        BaseName::Bookmark(name) => name.as_str(),
    });
    let from = base.map_or_else(String::new, |base| format!(" -i {}", quoted(base)));
    let more = if more.is_empty() {
        String::new()
    } else {
        format!(" {more}")
    };
    format!("zfs send{more}{flags}{from} {}", quoted(transfer.snapshot.as_str()))
}
