//! The man page and the completions that are in the repository are those of this command line.
//!
//! `ZREP_WRITE_MANUAL=1 cargo test --test manual` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use zrep::cli::Cli;
use zrep::props::{Key, Tag};
use zrep::settings::known;

mod completions;
mod page;
mod roff;

/// As it is parsed: with what clap adds to each verb.
fn command() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// Each file, and what it has to be.
fn files() -> Vec<(PathBuf, String)> {
    // N.B. clap_complete builds the command itself, and wants it as it was defined.
    let defined = Cli::command();
    let shells = [
        (Shell::Bash, "completions/zrep.bash"),
        (Shell::Zsh, "completions/_zrep"),
        (Shell::Fish, "completions/zrep.fish"),
    ];
    let page = [("man/zrep.8", page::render(&command()))];
    let completions = shells.map(|(shell, name)| (name, completions::render(shell, &defined)));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = page.into_iter().chain(completions);
    all.map(|(name, text)| (root.join(name), text)).collect()
}

fn page() -> String {
    page::render(&command())
}

/// What the page says of `verb`.
fn section<'a>(page: &'a str, verb: &str) -> &'a str {
    let begin = format!(".SS \"{verb}\"\n");
    let (_, behind) = page
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no section of {verb}"));
    behind.split("\n.S").next().unwrap()
}

fn bold(text: &str) -> String {
    roff::inline(&format!("`{text}`"))
}

#[test]
fn the_files_in_the_repository_are_up_to_date() {
    for (path, text) in files() {
        if std::env::var_os("ZREP_WRITE_MANUAL").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        let lines = found.lines().map(Some).chain(std::iter::repeat(None));
        let differs = text
            .lines()
            .zip(lines)
            .position(|(expected, found)| Some(expected) != found);
        assert!(
            found == text,
            "{} is not what the command line says, from line {} on; `ZREP_WRITE_MANUAL=1 cargo test --test manual` writes it anew",
            path.display(),
            differs.map_or(text.lines().count(), |line| line) + 1,
        );
    }
}

#[test]
fn every_verb_and_each_of_its_flags_is_in_the_page() {
    let page = page();
    for verb in command().get_subcommands() {
        let section = section(&page, verb.get_name());
        for arg in verb.get_arguments() {
            let Some(long) = arg.get_long() else { continue };
            let everywhere = arg.is_global_set() || long == "help";
            let text = if everywhere { &page } else { section };
            assert!(
                text.contains(&bold(&format!("--{long}"))),
                "{}: --{long}",
                verb.get_name()
            );
        }
    }
}

#[test]
fn what_is_noted_of_a_verb_is_of_one_that_exists() {
    let command = command();
    for verb in page::noted() {
        assert!(command.find_subcommand(verb).is_some(), "man/verbs.txt: {verb}");
    }
}

#[test]
fn every_variable_is_in_the_page() {
    let page = page();
    let (_, behind) = page.split_once(".SH \"ENVIRONMENT\"\n").unwrap();
    let environment = behind.split("\n.SH").next().unwrap();
    for name in known::EFFECTIVE.iter().chain(&known::WITHOUT_EFFECT_IN_FILE) {
        assert!(environment.contains(&bold(name)), "{name}");
    }
}

#[test]
fn every_property_is_in_the_page() {
    let (page, tag) = (page(), Tag::new(Tag::DEFAULT).unwrap());
    for key in Key::ALL {
        let name = tag.property(key);
        assert!(page.contains(&bold(&name)), "{name}");
    }
}

#[test]
fn the_page_tells_no_commit() {
    let page = page();
    let title = page.lines().find(|line| line.starts_with(".TH")).unwrap();
    let number = env!("CARGO_PKG_VERSION");
    assert_eq!(
        title,
        format!(".TH ZREP 8 \"\" \"zrep {number}\" \"System Manager\\(aqs Manual\"")
    );
}

#[test]
fn the_completions_name_every_visible_verb() {
    let command = command();
    let is_code = |path: &Path| !path.ends_with("man/zrep.8");
    for (path, text) in files().into_iter().filter(|(path, _)| is_code(path)) {
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            assert!(
                words.any(|word| word == verb.get_name()),
                "{}: {}",
                path.display(),
                verb.get_name()
            );
        }
    }
}
