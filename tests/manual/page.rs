//! The page zrep(8): the written sections of `man/`, and between them what the command line says of itself.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command};
use zrep::settings::PATIENCE;

use crate::roff;

/// Before the verbs.
const CONCEPTS: &str = include_str!("../../man/concepts.txt");
/// What is to be said of a verb beyond its help, each under `## VERB`.
const VERBS: &str = include_str!("../../man/verbs.txt");
/// Behind the flags of all verbs.
const SURROUNDINGS: &str = include_str!("../../man/surroundings.txt");
/// What people look for at the end.
const EXAMPLES: &str = include_str!("../../man/examples.txt");

/// The whole page.
pub(crate) fn render(command: &Command) -> String {
    let mut out =
        String::from(".\\\" Made by `cargo test --test manual`: see CONTRIBUTING.md. Edit man/*.txt or zrep/cli*.\n");
    let source = format!("zrep {}", env!("CARGO_PKG_VERSION"));
    roff::title(&mut out, "zrep", 8, &source, "System Manager's Manual");
    out.push_str(&roff::from_text(CONCEPTS));
    roff::section(&mut out, "VERBS");
    command.get_subcommands().for_each(|verb| self::verb(&mut out, verb));
    roff::section(&mut out, "GLOBAL OPTIONS");
    roff::paragraph(&mut out, "They stand before the verb or behind it.");
    let global = command
        .get_arguments()
        .filter(|arg| arg.is_global_set() || is_of_clap(arg));
    global.for_each(|arg| argument(&mut out, arg));
    let patience = PATIENCE.as_secs();
    let usual = format!("Without `--timeout`, another machine is given up after {patience} seconds.");
    roff::paragraph(&mut out, &usual);
    out.push_str(&roff::from_text(SURROUNDINGS));
    out.push_str(&roff::from_text(EXAMPLES));
    out
}

/// What is to be said of `verb` beyond its help.
pub(crate) fn notes(verb: &str) -> Option<&'static str> {
    let of_verb = |part: &&'static str| part.lines().next() == Some(verb);
    let (_, text) = parts().find(of_verb)?.split_once('\n')?;
    Some(text)
}

/// The verbs of which there is more to say.
pub(crate) fn noted() -> impl Iterator<Item = &'static str> {
    parts().filter_map(|part| part.lines().next())
}

fn parts() -> impl Iterator<Item = &'static str> {
    let text = VERBS.strip_prefix("## ").expect("man/verbs.txt begins with a verb");
    text.split("\n## ")
}

fn verb(out: &mut String, verb: &Command) {
    roff::subsection(out, verb.get_name());
    roff::unfilled(out, usage(verb).iter().map(String::as_str));
    let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
    roff::paragraph(out, &sentence(about));
    if let Some(names) = other_names(verb) {
        roff::paragraph(out, &format!("Other names: {names}."));
    }
    if let Some(notes) = notes(verb.get_name()) {
        out.push_str(&roff::from_text(notes));
    }
    let own = verb
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !is_of_clap(arg));
    own.for_each(|arg| argument(out, arg));
}

/// `--help` and `--version`, which are everywhere.
fn is_of_clap(arg: &Arg) -> bool {
    ["help", "version"].contains(&arg.get_id().as_str())
}

/// How a verb is called, as marked-up text, a line for each way.
fn usage(verb: &Command) -> Vec<String> {
    let text = verb.clone().render_usage().to_string();
    let ways = text.trim_start_matches("Usage:").lines().map(str::trim);
    ways.map(|way| way.split(' ').map(usage_word).collect::<Vec<_>>().join(" "))
        .collect()
}

/// `zrep` and `{sync|-S}` are typed, `<DATASET>...` is filled in.
fn usage_word(word: &str) -> String {
    if let Some(names) = word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
        return format!("`{}`", names.split('|').next().unwrap_or(names));
    }
    let start = word.find(|c: char| c.is_ascii_uppercase());
    let Some(start) = start else {
        return format!("`{word}`");
    };
    let length = word[start..].find(|c: char| !c.is_ascii_alphabetic() && c != '_');
    let (name, rest) = word[start..].split_at(length.unwrap_or(word.len() - start));
    let (before, name) = (word[..start].trim_start_matches('<'), name.to_owned());
    let name = if name == "OPTIONS" { name.to_lowercase() } else { name };
    format!("{before}*{name}*{}", rest.trim_start_matches('>'))
}

fn other_names(verb: &Command) -> Option<String> {
    let flag = verb.get_short_flag().map(|flag| format!("`-{flag}`"));
    let names = flag
        .into_iter()
        .chain(verb.get_visible_aliases().map(|name| format!("`{name}`")));
    let names = names.collect::<Vec<_>>();
    (!names.is_empty()).then(|| names.join(", "))
}

fn argument(out: &mut String, arg: &Arg) {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    roff::term(out, &head(arg), &sentence(help));
}

/// The help of a flag has no full stop; in a page it stands among sentences.
fn sentence(help: String) -> String {
    if help.ends_with('.') { help } else { help + "." }
}

/// `-n`, `--dry-run`; `--every` *DURATION*; *DATASET*...
fn head(arg: &Arg) -> String {
    let value = value(arg);
    if arg.is_positional() {
        return value;
    }
    let short = arg.get_short().map(|short| format!("`-{short}`"));
    let long = arg.get_long().map(|long| format!("`--{long}`"));
    let mut head = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    if matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) {
        let _ = write!(head, " {value}");
    }
    head
}

fn value(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let names = names
        .iter()
        .map(|name| format!("*{name}*"))
        .collect::<Vec<_>>()
        .join(" ");
    let is_repeated = arg.is_positional() && matches!(arg.get_action(), ArgAction::Append);
    if is_repeated { format!("{names}...") } else { names }
}
